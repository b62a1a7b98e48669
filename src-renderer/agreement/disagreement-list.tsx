/** What an adjudicator looks at: steps on which readers differ, the open ones first. */
import type { Disagreement, Reader } from '../../src-contract/project.ts';
import { readerClass, readerName } from '../project/project-store.ts';

const words: Readonly<Record<string, string>> = {
  accept: 'accepted',
  reject: 'rejected',
  correct: 'corrected',
  added: 'added a box',
};

interface Props {
  readonly rows: readonly Disagreement[];
  readonly readers: readonly Reader[];
  readonly onOpen: (row: Disagreement) => void;
}

export function DisagreementList({ rows, readers, onOpen }: Props) {
  if (rows.length === 0)
    return <p className="dim">Readers do not differ on any run that two of them have finished.</p>;
  // The order that came is kept within the open and the settled ones.
  const sorted = [...rows.filter(({ settled }) => !settled), ...rows.filter(({ settled }) => settled)];
  return (
    <ul className="disagreements">
      {sorted.map((row) => {
        const key = `${row.runId}/${row.step}/${row.said.map(({ readerId, what }) => `${readerId}${what}`).join()}`;
        return (
          <li key={key}>
            <button
              type="button"
              className="disagreement"
              data-testid="disagreement"
              data-settled={row.settled}
              onClick={() => onOpen(row)}
            >
              <span className="disagreement-title">
                <b>{row.title}</b> <span className="dim">{row.question}</span>
              </span>
              <span className="small">
                {row.step === null ? 'A box that one reader added' : `Step ${row.step + 1}`}
                {row.iou === null ? '' : `, least IoU ${row.iou.toFixed(2)}`}
                {row.settled ? ', settled' : ''}
              </span>
              <span className="small said">
                {row.said.map(({ readerId, what }) => (
                  <span key={readerId} className={readerClass(readers, readerId)}>
                    <span className="reader-dot" aria-hidden="true" /> {readerName(readers, readerId)}{' '}
                    {words[what] ?? what}
                  </span>
                ))}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
