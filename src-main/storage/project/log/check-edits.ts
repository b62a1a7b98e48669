/** Looks at edits before they are written: is what they change there, is it theirs to change, and is it as they think? */
import { ReadroomError } from '../../../../src-contract/errors.ts';
import type { Reader } from '../../../../src-contract/project.ts';
import { type Edit, registerKey } from '../../../../src-contract/review.ts';
import type { Database } from '../file/database.ts';
import { readersOf, registerValue, sameValue } from '../reviews.ts';

/** @throws ReadroomError 'input-invalid' for the first that may not be made */
export function checkEdits(db: Database, reader: Reader, edits: readonly Edit[]): void {
  // Several edits of one register in one change follow each other.
  const changed = new Map<string, unknown>();
  for (const edit of edits) {
    checkSubject(db, reader, edit);
    const key = registerKey(edit);
    const there = changed.has(key) ? changed.get(key) : registerValue(db, edit);
    if (!sameValue(there, edit.before)) {
      throw new ReadroomError(
        'input-invalid',
        'It was changed meanwhile: this change would go over another one.',
        {
          field: key,
          remedy: 'Look at it again, and make the change once more.',
        },
      );
    }
    changed.set(key, edit.after);
  }
}

function checkSubject(db: Database, reader: Reader, edit: Edit): void {
  if ('caseId' in edit) {
    if (!db.get('SELECT 1 FROM cases WHERE case_id = ?', [edit.caseId])) throw missingIn('case', 'caseId');
    if (edit.kind === 'assignment' && edit.readerId !== reader.readerId && !isReader(db, edit.readerId))
      throw missingIn('reader', 'readerId');
    return;
  }
  if (!('runId' in edit)) return;
  if (edit.readerId !== reader.readerId) {
    throw new ReadroomError('input-invalid', 'A reader writes only his or her own review.', {
      field: 'readerId',
    });
  }
  const run = db.get<{ steps: number }>('SELECT steps FROM runs WHERE run_id = ?', [edit.runId]);
  if (!run) throw missingIn('run', 'runId');
  if ('step' in edit && edit.step >= run.steps) throw missingIn('step', 'step');
  if ('part' in edit && edit.part > run.steps) throw missingIn('part', 'part');
}

const isReader = (db: Database, readerId: string): boolean =>
  readersOf(db).some((one) => one.readerId === readerId);

export const missingIn = (what: string, field: string): ReadroomError =>
  new ReadroomError('input-invalid', `There is no such ${what} in this project.`, { field });
