/** A modal panel on the platform's own <dialog>: it keeps the focus inside, closes on Escape and gives the focus back. */
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { IconButton } from './icon-button.tsx';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly className?: string;
  /** Shown as a heading; a palette has its field in that place. */
  readonly heading?: boolean;
  readonly testId?: string;
}

export function Dialog({ title, onClose, children, className = '', heading = true, testId }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it; a click beside it is a convenience on top.
    <dialog
      ref={ref}
      className={`dialog ${className}`}
      aria-labelledby={heading ? titleId : undefined}
      aria-label={heading ? undefined : title}
      data-testid={testId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // The dialog itself is hit only on its backdrop: its content covers the rest.
        if (event.target === ref.current) onClose();
      }}
    >
      <div className="dialog-content">
        {heading && (
          <header className="dialog-head">
            <h2 id={titleId}>{title}</h2>
            <IconButton icon="close" label="Close" onClick={onClose} />
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
