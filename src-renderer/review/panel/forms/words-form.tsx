/** A field for a few words: Ctrl+Enter keeps them, Escape leaves them. */
import { useEffect, useRef, useState } from 'react';

interface Props {
  readonly label: string;
  readonly value: string;
  readonly testId: string;
  readonly className?: string;
  readonly hint?: string;
  readonly rows?: number;
  /** One line: Enter keeps it. */
  readonly short?: boolean;
  readonly onChange?: (words: string) => void;
  readonly onDone: (words: string) => void | Promise<void>;
  readonly onCancel: () => void;
}

export function WordsForm({
  label,
  value,
  testId,
  className = '',
  hint,
  rows = 3,
  short,
  onChange,
  onDone,
  onCancel,
}: Props) {
  const [words, setWords] = useState(value);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  return (
    <form
      className={`words-form ${className}`}
      onSubmit={(event) => {
        event.preventDefault();
        void onDone(words);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (short || event.ctrlKey || event.metaKey) && !event.shiftKey) {
          event.preventDefault();
          event.currentTarget.requestSubmit();
        }
      }}
    >
      <textarea
        ref={field}
        className="field comment-field"
        rows={short ? 1 : rows}
        aria-label={label}
        data-testid={testId}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          onChange?.(event.target.value);
        }}
      />
      {hint && <p className="small dim">{hint}</p>}
      <div className="form-row">
        <button type="submit" className="button small-button primary">
          Keep <kbd>{short ? 'Enter' : 'Ctrl+Enter'}</kbd>
        </button>
        <button type="button" className="button small-button" onClick={onCancel}>
          Cancel <kbd>Esc</kbd>
        </button>
      </div>
    </form>
  );
}
