/** The runs of a case, and what can be done with the case itself. */
import { useState } from 'react';
import type { CaseRow, RunRow } from '../../src-contract/project.ts';
import type { Edit } from '../../src-contract/review.ts';
import { presetNames } from '../chat/wording.ts';
import { compareWith, useCompare } from '../compare/compare-store.ts';
import { compareWithSlices } from '../compare/slices-batch.ts';
import { showExport } from '../export/export-store.ts';
import { DraftMark } from '../review/drafts/draft-mark.tsx';
import { useHasDrafts } from '../review/drafts/use-draft.ts';
import { openRun, openStudyOf } from '../review/open-run.ts';
import { WordsForm } from '../review/panel/forms/words-form.tsx';
import { useReview } from '../review/review-store.ts';
import { call } from '../state/bridge.ts';
import { useUi } from '../state/ui-store.ts';
import { useCases } from './cases-store.ts';
import { showHistory } from './history-store.ts';
import { readerClass, renameCase, useProject, useReaders } from './project-store.ts';

async function makeEdit(edit: Edit): Promise<boolean> {
  try {
    await call('review.edit', { edits: [edit] });
    return true;
  } catch (thrown) {
    useUi.getState().report(thrown);
    return false;
  }
}

export function CaseRuns({ row }: { row: CaseRow }) {
  const runs = useCases((state) => state.runs);
  const { caseId, removed } = row;
  return (
    <div className="case-runs" data-testid="case-runs">
      {runs === null ? <p className="dim small">Reading the runs</p> : null}
      {runs?.length === 0 ? <p className="dim small">Nothing was asked about this case yet.</p> : null}
      <ul>
        {runs?.map((run) => (
          <RunItem key={run.runId} run={run} />
        ))}
      </ul>
      <CaseNote row={row} />
      <div className="case-actions">
        <button
          type="button"
          className="link small"
          data-testid="case-open"
          onClick={() => void openStudyOf(caseId).catch(useUi.getState().report)}
        >
          Open images
        </button>
        <button
          type="button"
          className="link small"
          data-testid="case-history"
          onClick={() => showHistory(caseId)}
        >
          History
        </button>
        <button
          type="button"
          className="link small"
          data-testid="case-export"
          onClick={() => showExport({ caseId })}
        >
          Export
        </button>
        <AssignMenu row={row} />
        <CaseTitle row={row} />
        <button
          type="button"
          className="link small"
          onClick={() =>
            void makeEdit({
              kind: 'case-removed',
              caseId,
              before: removed ? true : null,
              after: removed ? null : true,
            })
          }
        >
          {removed ? 'Bring back' : 'Remove'}
        </button>
      </div>
    </div>
  );
}

function RunItem({ run }: { run: RunRow }) {
  const here = useReview(({ session }) => session?.runId === run.runId);
  const hasDraft = useHasDrafts(run.runId);
  const first = useCompare((state) => state.first);
  const hidden = useProject(({ view }) => view?.blinding.model === true) && run.decided === 0;
  const about = [
    run.mode === '3d' ? 'volume' : run.slice === null ? 'image' : `slice ${run.slice + 1}`,
    run.preset === 'grounded' ? null : presetNames[run.preset].name.toLowerCase(),
    `${run.model} ${run.precision}`,
    new Date(run.createdAt).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' }),
  ].filter(Boolean);
  return (
    <li className="run-item" aria-current={here || undefined} data-testid="run-item">
      <button type="button" className="run-open" onClick={() => void openRun(run.runId, run.caseId)}>
        <span>
          {run.question}
          {run.answer && !hidden ? <b> {run.answer}</b> : null}
        </span>
        <span className="small dim">{about.join(' · ')}</span>
        <span className="small dim">
          {run.decided} of {run.steps} decided
          {run.finishedCount > 0
            ? `, finished by ${run.finishedCount} ${run.finishedCount === 1 ? 'reader' : 'readers'}`
            : ''}
          {run.disagreement ? ', readers disagree' : ''}
          {hasDraft ? ', not all of your words kept' : ''}
        </span>
      </button>
      <div className="case-actions">
        <button
          type="button"
          className="link small"
          aria-pressed={first?.runId === run.runId}
          data-testid="run-compare"
          title={
            first && first.runId !== run.runId
              ? 'Compare with the run that was chosen first'
              : 'Choose as the first of two runs to compare'
          }
          onClick={() => void compareWith({ runId: run.runId, caseId: run.caseId, question: run.question })}
        >
          {first && first.runId !== run.runId ? 'Compare with the first' : 'Compare'}
        </button>
        {run.mode === '3d' && run.steps > 0 && (
          <button
            type="button"
            className="link small"
            data-testid="run-slices"
            title="The same question in 2D on the slices of its cuboid; it is asked now where it was not before"
            onClick={() =>
              void compareWithSlices({ runId: run.runId, caseId: run.caseId, question: run.question })
            }
          >
            2D beside 3D
          </button>
        )}
      </div>
    </li>
  );
}

function CaseNote({ row: { caseId, note } }: { row: CaseRow }) {
  const [open, setOpen] = useState(false);
  if (open) {
    return (
      <WordsForm
        label="Note on the case"
        value={note}
        about={caseId}
        form="note"
        testId="case-note-field"
        onKeep={async (words) => {
          const after = words.trim() === '' ? null : words.trim();
          const before = note === '' ? null : note;
          return after === before || (await makeEdit({ kind: 'case-note', caseId, before, after }));
        }}
        onClose={() => setOpen(false)}
      />
    );
  }
  return (
    <div className="case-actions">
      <button
        type="button"
        className="link small case-note"
        data-testid="case-note"
        onClick={() => setOpen(true)}
      >
        {note || 'Add a note'}
      </button>
      <DraftMark about={caseId} form="note" what="note" onOpen={() => setOpen(true)} />
    </div>
  );
}

/** Another name for the case; the log keeps the one before. */
function CaseTitle({ row: { caseId, title } }: { row: CaseRow }) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <button type="button" className="link small" data-testid="case-rename" onClick={() => setOpen(true)}>
        Rename
      </button>
    );
  }
  const rename = async (words: string): Promise<boolean> => {
    const after = words.trim();
    return after === '' || after === title || (await renameCase(caseId, title, after));
  };
  return (
    <WordsForm
      className="case-form"
      label="Title of the case"
      value={title}
      about={caseId}
      form="title"
      testId="case-title-field"
      short
      onKeep={rename}
      onClose={() => setOpen(false)}
    />
  );
}

/** Who is to read the case: any number of readers. */
function AssignMenu({ row: { caseId, assigned } }: { row: CaseRow }) {
  const readers = useReaders();
  return (
    <details className="assign">
      <summary className="link small">
        {assigned.length === 0 ? 'Assign' : `Assigned to ${assigned.length}`}
      </summary>
      <div className="assign-list">
        {readers.map(({ readerId, name }) => {
          const has = assigned.includes(readerId);
          return (
            <label key={readerId} className={`reason ${readerClass(readers, readerId)}`}>
              <input
                type="checkbox"
                checked={has}
                onChange={() =>
                  void makeEdit({
                    kind: 'assignment',
                    caseId,
                    readerId,
                    before: has ? true : null,
                    after: has ? null : true,
                  })
                }
              />
              {name}
            </label>
          );
        })}
      </div>
    </details>
  );
}
