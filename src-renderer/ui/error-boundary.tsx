/** Keeps a failure of one area from taking the window with it: the others go on, and this one can be tried again. */
import { Component, type ErrorInfo, type ReactNode } from 'react';

interface Props {
  readonly area: string;
  readonly children: ReactNode;
}

interface State {
  readonly message: string | null;
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { message: null };

  static getDerivedStateFromError(thrown: unknown): State {
    return { message: thrown instanceof Error ? thrown.message : String(thrown) };
  }

  override componentDidCatch(thrown: unknown, info: ErrorInfo): void {
    console.error(`The ${this.props.area} failed.`, thrown, info.componentStack);
  }

  override render(): ReactNode {
    const { message } = this.state;
    if (message === null) return this.props.children;
    return (
      <div className="area-failed" role="alert">
        <p>The {this.props.area} could not be drawn.</p>
        <p className="small dim mono">{message}</p>
        <button type="button" className="button" onClick={() => this.setState({ message: null })}>
          Try again
        </button>
      </div>
    );
  }
}
