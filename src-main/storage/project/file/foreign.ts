/** A project file to be read and nothing else: looked through whole, in a copy, so that it stays as it is. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReadroomError } from '../../../../src-contract/errors.ts';
import { checkLogSteps } from './check-log.ts';
import { copySteps } from './copy-file.ts';
import { Database } from './database.ts';
import { checkHeader, checkPages } from './open-file.ts';
import { checkSchema } from './schema.ts';
import type { Progress, Steps } from './steps.ts';

/**
 * Log and traces of every version lie in the same tables; nothing else of the file is believed.
 * @param onProgress of the check, entry by entry
 * @throws ReadroomError as openFile, naming `file`
 */
export function* withForeign<T>(
  file: string,
  use: (db: Database) => Steps<T>,
  onProgress?: Progress,
): Steps<T> {
  checkHeader(file);
  const folder = mkdtempSync(join(tmpdir(), 'readroom-merge-'));
  const copy = join(folder, 'copy.readroom');
  try {
    yield* copySteps(file, copy);
    // What another program has written and not yet tidied up belongs to it.
    if (existsSync(`${file}-wal`)) yield* copySteps(`${file}-wal`, `${copy}-wal`);
    const db = new Database(copy, file);
    try {
      if (checkSchema(db) === 0) {
        throw new ReadroomError('file-malformed', `${file} is an empty database, not a Readroom project.`, {
          file,
        });
      }
      checkPages(db);
      yield;
      yield* checkLogSteps(db, onProgress);
      return yield* use(db);
    } finally {
      db.close();
    }
  } finally {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Windows keeps a file that the driver has not let go of yet; the system's temporary folder is cleared by itself.
    }
  }
}
