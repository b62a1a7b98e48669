/** The end of a reading, and on to the next. */
import { openSteps } from '../../../src-contract/review.ts';
import { openNextRun } from '../open-run.ts';
import { finishReading, reopenReading } from '../reading.ts';
import { isDone, useReview } from '../review-store.ts';

export function ReviewFoot() {
  const done = useReview(isDone);
  const open = useReview(({ session, own }) => (session && own ? openSteps(own, session.summary).length : 0));
  return (
    <footer className="review-foot">
      {done ? (
        <>
          <span className="decision decision-accept" data-testid="reading-done">
            Finished
          </span>
          <button type="button" className="button" data-testid="reopen" onClick={() => void reopenReading()}>
            Reopen
          </button>
        </>
      ) : (
        <button
          type="button"
          className={`button ${open === 0 ? 'primary' : ''}`}
          data-testid="finish"
          title={
            open > 0
              ? `${open} ${open === 1 ? 'step is' : 'steps are'} not decided yet; the reading can be finished all the same (Shift+F)`
              : 'Finish reading (Shift+F)'
          }
          onClick={() => void finishReading()}
        >
          Finish reading <kbd>Shift+F</kbd>
        </button>
      )}
      <span className="spacer" />
      <button
        type="button"
        className={`button ${done ? 'primary' : ''}`}
        data-testid="next-run"
        title="The next run of the list that you have not finished (Shift+N)"
        onClick={() => void openNextRun()}
      >
        Next run <kbd>Shift+N</kbd>
      </button>
    </footer>
  );
}
