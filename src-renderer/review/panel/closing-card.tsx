/** The words after the last box that still belong to the reasoning. */
import { goTo, startTyping } from '../decisions.ts';
import { DraftMark } from '../drafts/draft-mark.tsx';
import { isDone, useReview } from '../review-store.ts';
import { closingParts } from '../words.ts';
import { Sentence } from './forms/sentence.tsx';

export function ClosingCard() {
  const summary = useReview(({ session }) => session?.summary);
  const runId = useReview(({ session }) => session?.runId ?? '');
  const typing = useReview(
    (state) => state.typing?.kind === 'sentence' && state.typing.part === state.session?.summary.steps.length,
  );
  const here = useReview(({ place }) => place.kind === 'closing');
  const done = useReview(isDone);
  if (!summary) return null;
  const { reasoning } = closingParts(summary);
  if (reasoning === '') return null;
  const part = summary.steps.length;
  const amend = (): void => {
    goTo({ kind: 'closing' });
    startTyping({ kind: 'sentence', part });
  };
  return (
    <article className="card" aria-current={here} aria-label="Closing words" data-testid="closing-card">
      <header className="card-head">
        <button type="button" className="link small" onClick={() => goTo({ kind: 'closing' })}>
          After the last box
        </button>
        {!typing && <DraftMark about={runId} form={`sentence:${part}`} what="amendment" onOpen={amend} />}
        <span className="spacer" />
        {!done && (
          <button type="button" className="link small" onClick={amend}>
            Amend
          </button>
        )}
      </header>
      <Sentence part={part} original={reasoning} />
    </article>
  );
}
