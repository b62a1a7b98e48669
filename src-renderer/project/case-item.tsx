/** A case in the list: what it is, what was asked last, how far it is read. */
import { memo } from 'react';
import type { CaseRow } from '../../src-contract/project.ts';
import { readerClass, useProject, useReaders } from './project-store.ts';

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

interface Props {
  readonly row: CaseRow;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

export const CaseItem = memo(function CaseItem({ row, isOpen, onToggle }: Props) {
  const {
    title,
    modality,
    synthetic,
    runs,
    done,
    disagreement,
    lastQuestion,
    lastAnswer,
    lastRunAt,
    assigned,
  } = row;
  const readers = useReaders();
  const hidden = useProject(({ view }) => view?.blinding.model === true) && done < runs;
  return (
    <button
      type="button"
      className={`case-item ${row.removed ? 'case-removed' : ''}`}
      aria-expanded={isOpen}
      data-testid="case-item"
      title={lastRunAt ? `Last asked ${day.format(new Date(lastRunAt))}` : undefined}
      onClick={onToggle}
    >
      <span className="case-line">
        <span className="case-title clip">{title}</span>
        {synthetic && <span className="badge">synthetic</span>}
        <span className="dim small">{modality}</span>
      </span>
      <span className="case-line small dim">
        <span className="clip case-question">
          {lastQuestion ?? 'Nothing asked yet'}
          {lastAnswer && !hidden ? `: ${lastAnswer}` : ''}
        </span>
        {assigned.map((readerId) => (
          <span
            key={readerId}
            className={`reader-dot ${readerClass(readers, readerId)}`}
            title={`Assigned to ${readers.find((one) => one.readerId === readerId)?.name ?? 'someone'}`}
          />
        ))}
        {disagreement && (
          <span className="case-differs" title="Readers disagree">
            ≠
          </span>
        )}
        <span
          className={runs > 0 && done === runs ? 'case-done' : ''}
          title={`${done} of ${runs} runs finished by you`}
        >
          {done}/{runs}
        </span>
      </span>
    </button>
  );
});
