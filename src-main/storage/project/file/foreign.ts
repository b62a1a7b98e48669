/** A project file to be read and nothing else: looked through whole, in a copy, so that it stays as it is. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReadroomError } from '../../../../src-contract/errors.ts';
import { checkLog } from './check-log.ts';
import { Database } from './database.ts';
import { checkHeader, checkPages } from './open-file.ts';
import { checkSchema } from './schema.ts';

/**
 * Log and traces of every version lie in the same tables; nothing else of the file is believed.
 * @throws ReadroomError as openFile, naming `file`
 */
export function withForeign<T>(file: string, use: (db: Database) => T): T {
  checkHeader(file);
  const folder = mkdtempSync(join(tmpdir(), 'readroom-merge-'));
  const copy = join(folder, 'copy.readroom');
  try {
    copyFileSync(file, copy);
    // What another program has written and not yet tidied up belongs to it.
    if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
    const db = new Database(copy, file);
    try {
      if (checkSchema(db) === 0) {
        throw new ReadroomError('file-malformed', `${file} is an empty database, not a Readroom project.`, {
          file,
        });
      }
      checkPages(db);
      checkLog(db);
      return use(db);
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
