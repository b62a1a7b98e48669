/** The words of both runs, step by step: what only A says, what only B says, and how far apart their boxes are. */
import type { AlignedStep, Comparison } from '../../src-contract/comparison.ts';
import { useOverlay } from '../state/overlay.ts';
import { formatDistance } from '../viewer/layers/measure-words.ts';

export function AlignedSteps({ comparison }: { comparison: Comparison }) {
  return (
    <section className="aligned" aria-label="Steps">
      <h3>Steps</h3>
      <p className="small dim">
        <del className="side-a">only A</del> <ins className="side-b">only B</ins>
      </p>
      <ol>
        {comparison.steps.map((step) => (
          <Aligned key={`${step.a}/${step.b}/${step.closing}`} step={step} comparison={comparison} />
        ))}
      </ol>
    </section>
  );
}

function Aligned({ step, comparison: { a, b } }: { step: AlignedStep; comparison: Comparison }) {
  const show = useOverlay((state) => state.show);
  const name = step.closing ? 'Closing words' : [chip('A', step.a), chip('B', step.b)].join(' · ');
  return (
    <li className="aligned-step" data-testid="aligned-step">
      <header className="card-head">
        <b className="small">{name}</b>
        <span className="spacer" />
        {step.a !== null && step.boxA && (
          <button type="button" className="link small side-a" onClick={() => show(`${a.runId}:${step.a}`)}>
            box of A
          </button>
        )}
        {step.b !== null && step.boxB && (
          <button type="button" className="link small side-b" onClick={() => show(`${b.runId}:${step.b}`)}>
            box of B
          </button>
        )}
        {step.iou !== null && (
          <span className="small" data-testid="aligned-iou">
            IoU {step.iou.toFixed(2)}
          </span>
        )}
        {step.centre !== null && <span className="small dim">centre {formatDistance(step.centre)}</span>}
      </header>
      <p className="aligned-words">
        {step.words.map(({ side, text }, n) => {
          // The pieces of a text have no name but their place.
          const key = `${n} ${side}`;
          if (side === 'a')
            return (
              <del key={key} className="side-a">
                {text}
              </del>
            );
          if (side === 'b')
            return (
              <ins key={key} className="side-b">
                {text}
              </ins>
            );
          return <span key={key}>{text}</span>;
        })}
      </p>
    </li>
  );
}

const chip = (side: string, step: number | null): string =>
  step === null ? `${side}: none` : `${side}: box ${step + 1}`;
