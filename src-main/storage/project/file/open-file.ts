/** Project files: made, brought up to this version, and looked through where they come from elsewhere. */
import { closeSync, existsSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ReadroomError, toReadroomError } from '../../../../src-contract/errors.ts';
import { projectVersion } from '../../../../src-contract/project.ts';
import { checkLogSteps } from './check-log.ts';
import { copySteps } from './copy-file.ts';
import { Database } from './database.ts';
import { rebuild } from './rebuild.ts';
import { applicationId, checkSchema, migrations } from './schema.ts';
import { inTurns, type Progress, type Steps } from './steps.ts';

export interface OpenFileOptions {
  /**
   * False for a file that this machine has not written itself: all of it is checked before it is used, and what follows
   * from the log is made anew rather than believed.
   */
  readonly trusted: boolean;
  /** Of the parts that may take long: entries checked, and lists made anew. */
  readonly onProgress?: Progress;
}

/** An empty project, without an entry in its log. @throws ReadroomError 'input-invalid' where the file is there already */
export async function createFile(file: string): Promise<Database> {
  if (existsSync(file)) {
    throw new ReadroomError('input-invalid', `${file} is there already.`, {
      file,
      remedy: 'Choose another name, or open it.',
    });
  }
  return initialise(file);
}

/** The same where the making of the file was cut off, too: a file without a table is no one's work. */
export async function openOrCreateFile(
  file: string,
  onProgress?: Progress,
  signal?: AbortSignal,
): Promise<Database> {
  if (!existsSync(file) || statSync(file).size === 0 || isBlank(file)) return initialise(file);
  return inTurns(openFile(file, { trusted: true, onProgress }), signal);
}

/** Takes a closed project away; what the system holds on to stays, and is no reason to fail. */
export function removeFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    try {
      rmSync(file + suffix, { force: true });
    } catch {
      // Windows: the driver lets go of a file some time after it was closed.
    }
  }
}

async function initialise(file: string): Promise<Database> {
  await mkdir(dirname(file), { recursive: true });
  const db = new Database(file);
  try {
    db.pragma('journal_mode = WAL');
    db.transaction(() => migrate(db, 0));
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

function isBlank(file: string): boolean {
  checkHeader(file);
  const db = new Database(file);
  try {
    return checkSchema(db) === 0;
  } finally {
    db.close();
  }
}

/**
 * Stopped or failed, it leaves the file with the content that it had.
 * @throws ReadroomError 'file-not-found', 'file-malformed' (no project, damaged, or tampered with), 'format-unsupported'
 * (of a newer Readroom), 'file-unreadable'
 */
export function* openFile(
  file: string,
  { trusted, onProgress = () => undefined }: OpenFileOptions,
): Steps<Database> {
  checkHeader(file);
  const db = new Database(file);
  try {
    const version = checkSchema(db);
    if (version === 0) {
      throw new ReadroomError('file-malformed', `${file} is an empty database, not a Readroom project.`, {
        file,
      });
    }
    if (!trusted) {
      onProgress(0, 1);
      yield;
      checkPagesOf(file);
      yield* checkLogSteps(db, (done, total) => onProgress(done, 2 * total));
    }
    db.pragma('journal_mode = WAL');
    if (version < projectVersion) yield* upgrade(db, version, trusted, onProgress);
    else if (!trusted) yield* renew(db, version, trusted, onProgress);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** SQLite makes a new database of an empty file, and of a name that is not there. */
export function checkHeader(file: string): void {
  if (!existsSync(file)) {
    throw new ReadroomError('file-not-found', `${file}: there is no such file.`, {
      file,
      remedy: 'Check the path.',
    });
  }
  const head = Buffer.alloc(16);
  let length = 0;
  try {
    if (!statSync(file).isFile()) throw new Error('it is no ordinary file');
    const descriptor = openSync(file, 'r');
    try {
      length = readSync(descriptor, head, 0, 16, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    throw new ReadroomError('file-unreadable', `${file} could not be read.`, {
      file,
      detail: thrown instanceof Error ? thrown.message : String(thrown),
      remedy: 'Choose a project file that you may read and write.',
    });
  }
  if (length < 16 || head.toString('latin1') !== 'SQLite format 3\0') {
    throw new ReadroomError('file-malformed', `${file} is not a Readroom project.`, {
      file,
      remedy: 'Choose a file that Readroom made (its name ends in .readroom).',
    });
  }
}

export function checkPages(db: Database): void {
  const said = db.pragma('integrity_check(1)');
  if (said === 'ok') return;
  throw new ReadroomError('file-malformed', `The project ${db.file} is damaged.`, {
    file: db.file,
    detail: String(said),
    remedy: 'Open a copy of it, or merge what others have of it into a new project.',
  });
}

/** By a connection of its own: the driver keeps a lock for this check, which would hold back the checkpoint of an upgrade. */
function checkPagesOf(file: string): void {
  const db = new Database(file);
  try {
    checkPages(db);
  } finally {
    db.close();
  }
}

/** With a copy beside the file, made before anything in it is changed; an older Readroom can still open that one. */
function* upgrade(db: Database, version: number, trusted: boolean, onProgress: Progress): Steps<void> {
  const { file } = db;
  let copy = `${file}.version-${version}.bak`;
  for (let n = 2; existsSync(copy); n++) copy = `${file}.version-${version}-${n}.bak`;
  try {
    yield* backUp(db, copy);
    yield* renew(db, version, trusted, onProgress);
  } catch (thrown) {
    // The file is as it was: a copy of it is of use to nobody.
    if (toReadroomError(thrown).code === 'cancelled') rmSync(copy, { force: true });
    throw thrown;
  }
}

function* backUp(db: Database, copy: string): Steps<void> {
  const { file } = db;
  try {
    // What is still in the WAL goes into the file first.
    db.pragma('wal_checkpoint(TRUNCATE)');
    yield* copySteps(file, copy);
  } catch (thrown) {
    if (thrown instanceof ReadroomError && thrown.code === 'cancelled') throw thrown;
    throw new ReadroomError(
      'file-unreadable',
      `${file} could not be copied before it is brought up to date.`,
      {
        file,
        detail: thrown instanceof Error ? thrown.message : String(thrown),
        remedy: 'Make room beside it, or move it to a folder that you may write to. Nothing was changed.',
      },
    );
  }
}

/** Tables of this version, and lists made anew: in one transaction, so that it can be stopped until the end. */
function renew(db: Database, version: number, trusted: boolean, onProgress: Progress): Steps<void> {
  return db.transactionSteps(function* () {
    if (version < projectVersion) migrate(db, version);
    yield* rebuild(db, (done, total) =>
      trusted ? onProgress(done, total) : onProgress(total + done, 2 * total),
    );
    // Places are of the machine that wrote them.
    if (!trusted) db.run('DELETE FROM places');
  });
}

function migrate(db: Database, version: number): void {
  for (const migration of migrations.slice(version)) db.exec(migration);
  db.exec(`PRAGMA application_id = ${applicationId}`);
  db.exec(`PRAGMA user_version = ${projectVersion}`);
}
