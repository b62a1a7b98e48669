/** Says that a form was left with words in it, and opens it again. */
import type { DraftForm } from './draft-store.ts';
import { useHasDraft } from './use-draft.ts';

interface Props {
  readonly about: string;
  readonly form: DraftForm;
  /** 'amendment', 'rejection' */
  readonly what: string;
  readonly onOpen: () => void;
}

export function DraftMark({ about, form, what, onOpen }: Props) {
  if (!useHasDraft(about, form)) return null;
  return (
    <button
      type="button"
      className="link small draft-mark"
      title="Typed and not kept yet. Opens it again, to keep or to discard it."
      data-testid="draft-mark"
      onClick={onOpen}
    >
      Unsaved {what}
    </button>
  );
}
