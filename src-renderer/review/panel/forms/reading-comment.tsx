/** A comment on the run as a whole: kept when the field is left; what was typed before that is a draft. */
import { setComment } from '../../decisions.ts';
import { useDraft } from '../../drafts/use-draft.ts';
import { isDone, useReview } from '../../review-store.ts';

export function ReadingComment() {
  const runId = useReview(({ session }) => session?.runId ?? '');
  const saved = useReview(({ own }) => own?.comment ?? '');
  const done = useReview(isDone);
  const { value, isDraft, set, discard, kept } = useDraft(runId, 'comment', { kind: 'words', text: saved });
  const keep = async (): Promise<void> => {
    if (isDraft && (await setComment(value.text))) kept(value);
  };
  return (
    <div className="reading-comment">
      <label className="reading-comment">
        <span className="small dim">Comment on the run</span>
        <textarea
          className="field comment-field"
          rows={2}
          readOnly={done}
          data-testid="run-comment"
          value={value.text}
          onChange={(event) => set({ kind: 'words', text: event.target.value })}
          onBlur={() => void keep()}
        />
      </label>
      {isDraft && (
        <div className="form-row small" data-testid="comment-draft">
          <span className="draft-mark">Unsaved comment</span>
          {!done && (
            <button type="button" className="button small-button" onClick={() => void keep()}>
              Keep
            </button>
          )}
          <button
            type="button"
            className="button small-button"
            // Leaving the field would keep it.
            onMouseDown={(event) => event.preventDefault()}
            onClick={discard}
          >
            Discard
          </button>
        </div>
      )}
    </div>
  );
}
