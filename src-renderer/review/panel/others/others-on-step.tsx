/** What other readers decided on a step, side by side; whoever adjudicates can take one of them over. */
import { boxIou } from '../../../../src-contract/box-measures.ts';
import { type Review, rejectReasons } from '../../../../src-contract/review.ts';
import type { SourceBox } from '../../../../src-contract/source-box.ts';
import { readerClass, readerName, useReaders } from '../../../project/project-store.ts';
import { useOverlay } from '../../../state/overlay.ts';
import { takeOver } from '../../decisions.ts';
import { boxIds, isDone, useReview } from '../../review-store.ts';
import { decisionWords } from '../../words.ts';

export function OthersOnStep({ step, model }: { step: number; model: SourceBox }) {
  const others = useReview((state) => state.others);
  const saying = others.filter(({ verdicts }) => verdicts[step]);
  if (saying.length === 0) return null;
  return (
    <table className="others small" data-testid="others">
      <caption className="visually-hidden">What other readers say of step {step + 1}</caption>
      <tbody>
        {saying.map((review) => (
          <OtherRow key={review.readerId} review={review} step={step} model={model} />
        ))}
      </tbody>
    </table>
  );
}

function OtherRow({ review, step, model }: { review: Review; step: number; model: SourceBox }) {
  const readers = useReaders();
  const own = useReview(({ own: mine }) => mine);
  const runId = useReview(({ session }) => session?.runId ?? '');
  const done = useReview(isDone);
  const { readerId, verdicts, boxes } = review;
  const verdict = verdicts[step];
  if (!verdict) return null;
  const box = boxes[step] ?? null;
  const mine = own?.boxes[step] ?? (own?.verdicts[step]?.decision === 'accept' ? model : null);
  const { [step]: sentence } = review.sentences;
  const words = [verdict.reasons.map((reason) => rejectReasons[reason]).join(', '), verdict.comment]
    .filter(Boolean)
    .join('. ');
  const agrees = own?.verdicts[step] && own.verdicts[step].decision === verdict.decision;
  return (
    <tr className={readerClass(readers, readerId)} data-agrees={agrees ?? undefined}>
      <th scope="row">
        <span className="reader-dot" aria-hidden="true" /> {readerName(readers, readerId)}
      </th>
      <td>
        {decisionWords[verdict.decision]}
        {words ? <span className="dim"> {words}</span> : null}
        {sentence ? <span className="dim"> Writes: {sentence}</span> : null}
      </td>
      <td className="number-cell">
        {box && (
          <button
            type="button"
            className="link"
            title="Go to this box"
            onClick={() => useOverlay.getState().show(boxIds.other(runId, readerId, String(step)))}
          >
            IoU {boxIou(box, mine ?? model).toFixed(2)}
          </button>
        )}
      </td>
      <td>
        {!done && (
          <button
            type="button"
            className="link"
            data-testid="take-over"
            title="Decide as this reader did"
            onClick={() => takeOver(step, verdict, box)}
          >
            Take over
          </button>
        )}
      </td>
    </tr>
  );
}
