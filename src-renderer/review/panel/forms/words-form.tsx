/** A field for a few words: Ctrl+Enter keeps them. Escape leaves the form; what was typed is there again on return. */
import { useEffect, useRef } from 'react';
import type { Draft, DraftForm } from '../../drafts/draft-store.ts';
import { useDraft } from '../../drafts/use-draft.ts';

interface Props {
  readonly label: string;
  /** What is saved. */
  readonly value: string;
  /** The run or case, and the form, by which a draft is found again. */
  readonly about: string;
  readonly form: DraftForm;
  readonly testId: string;
  readonly className?: string;
  readonly hint?: string;
  readonly rows?: number;
  /** One line: Enter keeps it. */
  readonly short?: boolean;
  /** Resolves to false where the words could not be saved: they stay in the field. */
  readonly onKeep: (words: string) => Promise<boolean>;
  readonly onClose: () => void;
}

const words = (text: string): Extract<Draft, { kind: 'words' }> => ({ kind: 'words', text });

export function WordsForm({
  label,
  value: saved,
  about,
  form,
  testId,
  className = '',
  hint,
  rows = 3,
  short,
  onKeep,
  onClose,
}: Props) {
  const { value, isDraft, set, discard, kept } = useDraft(about, form, words(saved));
  const field = useRef<HTMLTextAreaElement>(null);
  const cameBack = useRef(isDraft);
  useEffect(() => {
    field.current?.focus();
    // A draft is gone on with, not typed over.
    if (cameBack.current) field.current?.setSelectionRange(-1, -1);
    else field.current?.select();
  }, []);
  return (
    <form
      className={`words-form ${className}`}
      onSubmit={async (event) => {
        event.preventDefault();
        if (!(await onKeep(value.text))) return;
        kept(value);
        onClose();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.preventDefault();
          onClose();
        } else if (event.key === 'Enter' && (short || event.ctrlKey || event.metaKey) && !event.shiftKey) {
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
        value={value.text}
        onChange={(event) => set(words(event.target.value))}
      />
      {hint && <p className="small dim">{hint}</p>}
      <div className="form-row">
        <button type="submit" className="button small-button primary">
          Keep <kbd>{short ? 'Enter' : 'Ctrl+Enter'}</kbd>
        </button>
        <CloseOrDiscard
          isDraft={isDraft}
          onClose={onClose}
          onDiscard={() => {
            discard();
            onClose();
          }}
        />
      </div>
    </form>
  );
}

interface CloseProps {
  readonly isDraft: boolean;
  readonly onClose: () => void;
  readonly onDiscard: () => void;
}

/** The two ways out of a form that keep nothing in the project: for later, or for good. */
export function CloseOrDiscard({ isDraft, onClose, onDiscard }: CloseProps) {
  return (
    <>
      <button
        type="button"
        className="button small-button"
        title={isDraft ? 'What you typed is here again when you come back' : undefined}
        onClick={onClose}
      >
        Close <kbd>Esc</kbd>
      </button>
      {isDraft && (
        <button
          type="button"
          className="button small-button"
          title="Takes away what you typed"
          data-testid="draft-discard"
          onClick={onDiscard}
        >
          Discard
        </button>
      )}
    </>
  );
}
