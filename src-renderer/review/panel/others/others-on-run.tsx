/** What other readers said of the run as a whole: their answers, comments, and the boxes they added. */
import type { AddedBox, Review } from '../../../../src-contract/review.ts';
import { readerClass, readerName, useReaders } from '../../../project/project-store.ts';
import { useOverlay } from '../../../state/overlay.ts';
import { adopt } from '../../decisions.ts';
import { boxIds, isDone, useReview } from '../../review-store.ts';
import { clock } from '../../words.ts';

export function OthersOnRun() {
  const others = useReview((state) => state.others);
  const readers = useReaders();
  if (others.length === 0) return null;
  return (
    <section className="card" aria-label="Other readers" data-testid="others-on-run">
      <h3>Other readers</h3>
      <ul className="others-list small">
        {others.map((review) => (
          <li key={review.readerId} className={readerClass(readers, review.readerId)}>
            <OfReader review={review} name={readerName(readers, review.readerId)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function OfReader({ review, name }: { review: Review; name: string }) {
  const { answer, comment, added, reading } = review;
  const status = reading?.status === 'done' ? `finished in ${clock(reading.activeMs)}` : 'not finished';
  return (
    <>
      <p>
        <span className="reader-dot" aria-hidden="true" /> <b>{name}</b> <span className="dim">{status}</span>
      </p>
      {answer && <p>Answer: {[answer.letter, answer.text].filter(Boolean).join('. ')}</p>}
      {comment && <p>{comment}</p>}
      {Object.entries(added).map(([boxId, box]) => (
        <OthersBox key={boxId} readerId={review.readerId} boxId={boxId} box={box} />
      ))}
    </>
  );
}

function OthersBox({ readerId, boxId, box }: { readerId: string; boxId: string; box: AddedBox }) {
  const runId = useReview(({ session }) => session?.runId ?? '');
  const done = useReview(isDone);
  return (
    <p className="others-box">
      <button
        type="button"
        className="link"
        title="Go to this box"
        onClick={() => useOverlay.getState().show(boxIds.other(runId, readerId, boxId))}
      >
        Added: {box.label || 'a box without a name'}
      </button>
      <span className="spacer" />
      {!done && (
        <button type="button" className="link" data-testid="adopt" onClick={() => adopt(box)}>
          Take over
        </button>
      )}
    </p>
  );
}
