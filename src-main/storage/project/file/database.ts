/**
 * One SQLite file, opened so that what is committed is on the disk (WAL, synchronous FULL) and so that a file from
 * elsewhere can't act: no trusted schema, cell sizes checked, and only the tables and indices of our own schema
 * (schema.ts compares them before anything is read). SQLite's own words become typed errors that name the file.
 */
import Libsql from 'libsql';
import { ReadroomError, toReadroomError } from '../../../../src-contract/errors.ts';
import type { Steps } from './steps.ts';

export type SqlValue = string | number | null | Uint8Array;
type Handle = InstanceType<typeof Libsql>;
type Statement = ReturnType<Handle['prepare']>;

/** How long another program's write is waited for. */
const busyMs = 5_000;

export class Database {
  /** What it is called: its path, or that of the file it is a copy of. */
  readonly file: string;
  readonly #handle: Handle;
  readonly #statements = new Map<string, Statement>();
  #inTransaction = false;
  #paused = false;

  /**
   * @param path absolute; made where there is none
   * @param named what errors call it, where it is a copy
   * @throws ReadroomError as `sqliteError`
   */
  constructor(path: string, named = path) {
    this.file = named;
    this.#handle = this.#named(() => new Libsql(path));
    try {
      for (const pragma of [
        `busy_timeout = ${busyMs}`,
        'trusted_schema = OFF',
        'cell_size_check = ON',
        'foreign_keys = ON',
        'recursive_triggers = OFF',
        'synchronous = FULL',
        'temp_store = MEMORY',
        'cache_size = -32000',
      ]) {
        this.exec(`PRAGMA ${pragma}`);
      }
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  /** Several statements, without parameters. */
  exec(sql: string): void {
    this.#named(() => this.#handle.exec(sql));
  }

  /** @returns rows changed */
  run(sql: string, parameters: readonly SqlValue[] = []): number {
    return this.#named(() => this.#statement(sql).run(bound(parameters)).changes);
  }

  /** Rows as the columns name them; the caller says what they are, the schema's STRICT tables hold it. */
  all<Row>(sql: string, parameters: readonly SqlValue[] = []): Row[] {
    return this.#named(() => this.#statement(sql).all(bound(parameters)) as Row[]);
  }

  get<Row>(sql: string, parameters: readonly SqlValue[] = []): Row | null {
    // Not the driver's own get(): it leaves the statement open, which holds back checkpoints.
    return this.all<Row>(sql, parameters)[0] ?? null;
  }

  /** Row by row, for what may be too much at once. Nothing may be written meanwhile. */
  *each<Row>(sql: string, parameters: readonly SqlValue[] = []): Generator<Row> {
    const statement = this.#named(() => this.#handle.prepare(sql));
    const rows = this.#named(() => statement.iterate(bound(parameters)))[Symbol.iterator]();
    let done = false;
    try {
      for (;;) {
        const next = this.#named(() => rows.next());
        done = next.done === true;
        if (next.done) return;
        yield next.value as Row;
      }
    } finally {
      if (!done) leave(statement, rows);
    }
  }

  pragma(name: string): SqlValue {
    const row = this.get<Record<string, SqlValue>>(`PRAGMA ${name}`);
    return row ? (Object.values(row)[0] ?? null) : null;
  }

  /** All of it or nothing; a transaction inside another is part of it. */
  transaction<T>(work: () => T): T {
    // What is answered as saved must not hang on whether someone else's transaction comes to its end.
    if (this.#paused) throw new ReadroomError('internal', 'A transaction in steps is not over yet.');
    if (this.#inTransaction) return work();
    this.#begin();
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (thrown) {
      this.#rollBack();
      throw thrown;
    } finally {
      this.#inTransaction = false;
    }
  }

  /** The same for work in steps. While it pauses (`paused`), nobody else may use the file by this object. */
  *transactionSteps<T>(work: () => Steps<T>): Steps<T> {
    if (this.#inTransaction) return yield* work();
    this.#begin();
    try {
      const result = yield* this.#pausing(work());
      this.exec('COMMIT');
      return result;
    } catch (thrown) {
      this.#rollBack();
      throw thrown;
    } finally {
      this.#inTransaction = false;
      this.#paused = false;
    }
  }

  /** Says so while the work waits for its next step. */
  *#pausing<T>(steps: Steps<T>): Steps<T> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      this.#paused = true;
      try {
        yield;
      } catch (thrown) {
        this.#paused = false;
        steps.throw(thrown);
        throw thrown;
      }
      this.#paused = false;
    }
  }

  /** Between two steps of a transaction: what is there now may be taken back. */
  get paused(): boolean {
    return this.#paused;
  }

  #begin(): void {
    this.exec('BEGIN IMMEDIATE');
    this.#inTransaction = true;
  }

  #rollBack(): void {
    try {
      this.#handle.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself (disk full, I/O error).
    }
  }

  /** Leaves one file, without its write-ahead log, where nobody else has it open. */
  close(): void {
    this.#statements.clear();
    try {
      // The driver lets go of its statements some time later; SQLite would tidy up no earlier than that. Someone else who
      // has the file open is not waited for: the last one to leave tidies up.
      this.exec('PRAGMA busy_timeout = 0');
      this.pragma('wal_checkpoint(TRUNCATE)');
      this.pragma('journal_mode = DELETE');
    } catch {
      // Nothing is lost: it is tidied up when the file is opened again.
    }
    this.#handle.close();
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#handle.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #named<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw sqliteError(thrown, this.file);
    }
  }
}

/** The driver has no way to leave rows before the last one: they would hold a lock on the file until they are collected. */
function leave(statement: Statement, rows: Iterator<unknown>): void {
  try {
    // Missing in the driver's types.
    (statement as Statement & { interrupt(): void }).interrupt();
    while (!rows.next().done);
  } catch {
    // Interrupted: that is what ends it.
  }
}

/** The driver takes a lone array for the list of parameters, and wants a mutable one. */
const bound = (parameters: readonly SqlValue[]): SqlValue[] => [...parameters];

/** What a person can do about what SQLite says. */
export function sqliteError(thrown: unknown, file: string): ReadroomError {
  if (thrown instanceof ReadroomError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const is = (...names: string[]): boolean => names.some((name) => code.startsWith(`SQLITE_${name}`));
  if (is('FULL')) {
    return new ReadroomError('disk-full', `There is no space left to write ${file}.`, {
      file,
      detail,
      remedy: 'Free some space; what was saved before is safe.',
    });
  }
  // A header with impossible numbers is an error without a code of its own.
  if (is('CORRUPT', 'NOTADB', 'FORMAT') || detail === 'unsupported file format') {
    return new ReadroomError('file-malformed', `The project ${file} is damaged.`, {
      file,
      detail,
      remedy: 'Open a copy of it, or merge what others have of it into a new project.',
    });
  }
  if (is('BUSY', 'LOCKED')) {
    return new ReadroomError(
      'file-unreadable',
      `The project ${file} is being written to by another program.`,
      {
        file,
        detail,
        remedy: 'Try again when the other program is done.',
      },
    );
  }
  if (is('READONLY', 'CANTOPEN', 'PERM', 'IOERR', 'AUTH')) {
    return new ReadroomError('file-unreadable', `The project ${file} could not be opened or written.`, {
      file,
      detail,
      remedy: 'Check that the disk is there and that you may write to the file and its folder.',
    });
  }
  return toReadroomError(thrown, 'internal', { file, detail });
}
