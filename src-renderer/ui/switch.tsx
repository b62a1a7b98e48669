/** On or off, with a word beside it. */

interface Props {
  readonly label: string;
  readonly title?: string;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
  readonly testId?: string;
}

export function Switch({ label, title, on, onChange, testId }: Props) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      className="switch"
      title={title}
      data-testid={testId}
      onClick={() => onChange(!on)}
    >
      <span className="switch-track" aria-hidden="true" />
      {label}
    </button>
  );
}
