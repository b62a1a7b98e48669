/** What taking in a project brought, and where two people had changed one thing without knowing of each other. */
import type { Conflict } from '../../src-contract/project.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { counted } from '../ui/format.ts';
import { readerName, useProject, useReaders } from './project-store.ts';
import { describeRegister, describeValue } from './register-words.ts';

export function MergedPanel() {
  const merged = useProject((state) => state.merged);
  const close = useUi((state) => state.closePanel);
  if (!merged) return null;
  const { entries, cases, runs, readers, conflicts } = merged;
  const brought = [
    counted(cases, 'case'),
    counted(runs, 'run'),
    counted(readers, 'reader'),
    counted(entries, 'entry of the log', 'entries of the log'),
  ];
  return (
    <Dialog title="Taken in" className={conflicts.length > 0 ? 'wide' : ''} onClose={close} testId="merged">
      <p data-testid="merged-counts">
        {entries === 0 ? 'Everything in it was here already.' : `New: ${brought.join(', ')}.`}
      </p>
      {conflicts.length > 0 && (
        <>
          <p>
            {counted(conflicts.length, 'thing was', 'things were')} changed on both sides. The later change
            holds; the earlier one stays in the history.
          </p>
          <table className="history small">
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">Holds</th>
                <th scope="col">Outrun</th>
              </tr>
            </thead>
            <tbody>
              {conflicts.map((conflict) => (
                <ConflictRow key={conflict.register} conflict={conflict} />
              ))}
            </tbody>
          </table>
        </>
      )}
    </Dialog>
  );
}

function ConflictRow({ conflict: { register, kept, outrun } }: { conflict: Conflict }) {
  const readers = useReaders();
  const { what, readerId } = describeRegister(register);
  const hidden = kept === '' && outrun === '';
  return (
    <tr data-testid="merge-conflict">
      <td>
        {what}
        {readerId ? ` (${readerName(readers, readerId)})` : ''}
      </td>
      <td>{hidden ? 'hidden until you have finished the run' : describeValue(kept)}</td>
      <td>{hidden ? '' : describeValue(outrun)}</td>
    </tr>
  );
}
