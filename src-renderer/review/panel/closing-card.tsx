/** The words after the last box that still belong to the reasoning. */
import { goTo, startTyping } from '../decisions.ts';
import { isDone, useReview } from '../review-store.ts';
import { closingParts } from '../words.ts';
import { Sentence } from './forms/sentence.tsx';

export function ClosingCard() {
  const summary = useReview(({ session }) => session?.summary);
  const here = useReview(({ place }) => place.kind === 'closing');
  const done = useReview(isDone);
  if (!summary) return null;
  const { reasoning } = closingParts(summary);
  if (reasoning === '') return null;
  return (
    <article className="card" aria-current={here} aria-label="Closing words" data-testid="closing-card">
      <header className="card-head">
        <button type="button" className="link small" onClick={() => goTo({ kind: 'closing' })}>
          After the last box
        </button>
        <span className="spacer" />
        {!done && (
          <button
            type="button"
            className="link small"
            onClick={() => {
              goTo({ kind: 'closing' });
              startTyping({ kind: 'sentence', part: summary.steps.length });
            }}
          >
            Amend
          </button>
        )}
      </header>
      <Sentence part={summary.steps.length} original={reasoning} />
    </article>
  );
}
