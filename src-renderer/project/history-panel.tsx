/** The audit trail: every change, newest first, and whether the chain of hashes adds up. */
import { useEffect } from 'react';
import { missingCase } from '../../src-contract/errors.ts';
import type { LogBody, LogEntry } from '../../src-contract/project.ts';
import type { Edit } from '../../src-contract/review.ts';
import { decisionWords } from '../review/words.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNote } from '../ui/error-note.tsx';
import { counted } from '../ui/format.ts';
import { useHistory } from './history-store.ts';
import { readerName, useReaders } from './project-store.ts';

export function HistoryPanel() {
  const { caseId, entries, total, broken, hidden, failure, more } = useHistory();
  const close = useUi((state) => state.closePanel);
  const readers = useReaders();
  useEffect(() => {
    if (useHistory.getState().entries.length === 0) void more();
  }, [more]);
  return (
    <Dialog
      title={caseId ? 'History of the case' : 'History of the project'}
      className="wide"
      onClose={close}
      testId="history"
    >
      {failure && <ErrorNote error={failure} />}
      {total !== null && (
        <p className={broken ? 'chain-broken' : 'chain-whole'} data-testid="chain">
          {broken
            ? `The log does not add up: ${broken}`
            : `${counted(total, 'entry', 'entries')}. The chain of hashes is whole: nothing was altered or taken out.`}
        </p>
      )}
      {hidden > 0 && (
        <p className="small dim">
          {counted(hidden, 'entry', 'entries')} of other readers are hidden until your own reading is
          finished.
        </p>
      )}
      {total === null && !failure && <p className="dim">Reading the log</p>}
      <table className="history small">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Hash</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={`${entry.replica}:${entry.seq}`} data-testid="history-entry">
              <td className="nowrap">{new Date(entry.at).toLocaleString()}</td>
              <td>{entry.readerId === null ? 'Readroom' : readerName(readers, entry.readerId)}</td>
              <td>
                {describeBody(entry.body, entry).map((line) => (
                  <div key={line}>{line}</div>
                ))}
              </td>
              <td>
                <code title={entry.hash}>{entry.hash.slice(0, 10)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {total !== null && entries.length < total && (
        <button type="button" className="button" onClick={() => void more()}>
          Earlier entries
        </button>
      )}
    </Dialog>
  );
}

function describeBody(body: LogBody, { seq }: LogEntry): string[] {
  switch (body.type) {
    case 'project-created':
      return [`Project "${body.title}" created`];
    case 'reader-added':
      return [`Reader ${body.reader.name} added (${body.reader.role})`];
    case 'case-added':
      return [`Case "${body.case.title}" added`];
    case 'run-added':
      return [`Run added (trace ${body.traceSha256.slice(0, 10)})`];
    case 'merged':
      return [`Entries of ${Object.keys(body.heads).length} copies taken in (own entry ${seq})`];
    case 'edited': {
      const lines = body.edits.map(describeEdit).filter((line) => line !== null);
      const told = lines.length > 0 ? lines : ['Time at the run'];
      if (body.undoes !== null) return [`Undone (entry ${body.undoes.split(':').pop()}):`, ...told];
      if (body.redoes !== null) return [`Done again (entry ${body.redoes.split(':').pop()}):`, ...told];
      return told;
    }
    default:
      return missingCase(body);
  }
}

const quoted = (text: string): string => `"${text.length > 80 ? `${text.slice(0, 77)}…` : text}"`;

/** Null for what only keeps the time. */
function describeEdit(edit: Edit): string | null {
  switch (edit.kind) {
    case 'case-title':
      return `Title ${edit.after === null ? 'taken back' : quoted(edit.after)}`;
    case 'case-note':
      return edit.after === null ? 'Note removed' : `Note ${quoted(edit.after)}`;
    case 'case-removed':
      return edit.after ? 'Case removed' : 'Case brought back';
    case 'assignment':
      return edit.after ? 'Case assigned' : 'Assignment taken back';
    case 'blinding':
      return `Blinding: others ${edit.after?.others ? 'hidden' : 'shown'}, model ${edit.after?.model ? 'hidden' : 'shown'}`;
    case 'verdict':
      return edit.after
        ? `Step ${edit.step + 1} ${decisionWords[edit.after.decision].toLowerCase()}${edit.before ? ` (was ${decisionWords[edit.before.decision].toLowerCase()})` : ''}`
        : `Decision on step ${edit.step + 1} taken back`;
    case 'box':
      return edit.after
        ? `Box of step ${edit.step + 1} corrected`
        : `Correction of box ${edit.step + 1} taken back`;
    case 'added':
      return edit.after === null
        ? 'Added box removed'
        : edit.before === null
          ? `Box added${edit.after.label ? `: ${quoted(edit.after.label)}` : ''}`
          : `Added box changed${edit.after.label ? `: ${quoted(edit.after.label)}` : ''}`;
    case 'sentence':
      return edit.after === null
        ? `Words of step ${edit.part + 1} as the model wrote them`
        : `Words of step ${edit.part + 1}: ${quoted(edit.after)}`;
    case 'answer':
      return edit.after === null
        ? 'Answer as the model gave it'
        : `Answer ${quoted([edit.after.letter, edit.after.text].filter(Boolean).join('. '))}`;
    case 'comment':
      return edit.after === null ? 'Comment removed' : `Comment ${quoted(edit.after)}`;
    case 'reading':
      if (edit.after?.status === 'done' && edit.before?.status !== 'done') return 'Reading finished';
      if (edit.after?.status === 'reading' && edit.before?.status === 'done') return 'Reading reopened';
      if (edit.after?.revealed && !edit.before?.revealed) return "Model's reasoning shown";
      return null;
    default:
      return missingCase(edit);
  }
}
