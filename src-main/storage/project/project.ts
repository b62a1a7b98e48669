/**
 * One open project: what readers see of it and every way to change it. All of it is synchronous; a change is on the disk
 * when its method returns. It runs in the project's process (host/), and in the command line's own.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { ReadroomError } from '../../../src-contract/errors.ts';
import {
  type Case,
  type LogBody,
  type LogEntry,
  logBodySchema,
  type MergeReport,
  type ProjectView,
  type Reader,
} from '../../../src-contract/project.ts';
import { type Edit, type Review, registerKey } from '../../../src-contract/review.ts';
import { parseTrace, serializeTrace, type Trace } from '../../../src-contract/trace.ts';
import { caseOf, factsOf, type RunFacts, titleOfSources } from './facts.ts';
import type { Database } from './file/database.ts';
import { withForeign } from './file/foreign.ts';
import { createFile, openFile, openOrCreateFile } from './file/open-file.ts';
import { allAtOnce, inTurns, type Progress, type Steps } from './file/steps.ts';
import { applyEntry, refresh, Touched } from './log/apply.ts';
import { checkEdits, missingIn } from './log/check-edits.ts';
import { History, type HistoryRow, inverseOf } from './log/history.ts';
import { insertEntry, nameOf, nextEntry, sha256Of } from './log/log.ts';
import { type LogSource, mergeLog, sourceOf } from './merge.ts';
import { readersOf, registerValue, reviewsIn, sameValue } from './reviews.ts';
import { hasTrace, putTrace, readTrace } from './traces.ts';
import { ProjectFacts, viewOf } from './view.ts';

export interface ProjectOptions {
  /** Who reads. Written into the log with the first change that this reader makes. */
  readonly reader: Reader;
  /** See open-file.ts. */
  readonly trusted: boolean;
  readonly onProgress?: Progress;
}

export interface AddedRun {
  readonly runId: string;
  readonly caseId: string;
  /** False where the same trace was there already. */
  readonly added: boolean;
}

/** What a change touched, for those who show it. */
export interface Change {
  readonly runs: ReadonlySet<string>;
  readonly cases: ReadonlySet<string>;
}

export class Project {
  readonly db: Database;
  /** Every opening that writes has a name of its own in the log (rule 2 of src-contract/project.ts). */
  readonly #replica = randomUUID();
  #reader: Reader;
  /** Who opened it: one of its readers from the first change on, and to choose from before. */
  readonly #opener: Reader;
  readonly #facts: ProjectFacts;
  #history: { readonly readerId: string; readonly of: History } | null = null;

  private constructor(db: Database, reader: Reader) {
    this.db = db;
    this.#facts = new ProjectFacts(db);
    this.#reader = reader;
    this.#reader = this.readers().find(({ readerId }) => readerId === reader.readerId) ?? reader;
    this.#opener = this.#reader;
  }

  /** @throws ReadroomError as openFile */
  static open(file: string, { reader, ...options }: ProjectOptions): Project {
    return new Project(allAtOnce(openFile(file, options)), reader);
  }

  /**
   * The same for a file that may take long to check: others get turns, and it can be stopped.
   * @throws ReadroomError 'cancelled', and as openFile
   */
  static async openInTurns(
    file: string,
    { reader, ...options }: ProjectOptions,
    signal?: AbortSignal,
  ): Promise<Project> {
    return new Project(await inTurns(openFile(file, options), signal), reader);
  }

  /** @throws ReadroomError as createFile */
  static async create(file: string, title: string, reader: Reader): Promise<Project> {
    const project = new Project(await createFile(file), reader);
    project.#begin(title);
    return project;
  }

  /** Readroom's own project: made where there is none yet, or where its making was cut off. */
  static async openLibrary(
    file: string,
    reader: Reader,
    onProgress?: Progress,
    signal?: AbortSignal,
  ): Promise<Project> {
    const project = new Project(await openOrCreateFile(file, onProgress, signal), reader);
    if (!project.db.get('SELECT 1 FROM log')) project.#begin('Library');
    return project;
  }

  /** A project that has not begun: what is merged into it first is what it begins with. */
  static async createEmpty(file: string, reader: Reader): Promise<Project> {
    return new Project(await createFile(file), reader);
  }

  #begin(title: string): void {
    this.db.transaction(() => {
      this.#append([{ type: 'project-created', title }]);
      this.db.run('INSERT INTO meta (key, value) VALUES (?, ?)', ['origin', this.#replica]);
    });
  }

  close(): void {
    this.db.close();
  }

  get file(): string {
    return this.db.file;
  }

  /** The replica that created the project: its name on every machine. */
  get projectId(): string {
    return this.#facts.read().projectId;
  }

  get title(): string {
    return this.#facts.read().title;
  }

  // Readers.

  get reader(): Reader {
    return this.#reader;
  }

  readers(): Reader[] {
    return readersOf(this.db);
  }

  addReader({ name, role }: Omit<Reader, 'readerId'>): Reader {
    if (this.readers().some((one) => one.name === name)) {
      throw new ReadroomError('input-invalid', `There is a reader '${name}' already.`, {
        field: 'name',
        remedy: 'Give the new one another name.',
      });
    }
    const reader: Reader = { readerId: randomUUID(), name, role };
    this.db.transaction(() => this.#append([{ type: 'reader-added', reader }]));
    return reader;
  }

  /** @throws ReadroomError 'input-invalid' for someone who is no reader here */
  chooseReader(readerId: string): void {
    const found = [...this.readers(), this.#opener].find((one) => one.readerId === readerId);
    if (!found) {
      throw new ReadroomError('input-invalid', 'There is no such reader in this project.', {
        field: 'readerId',
      });
    }
    this.#reader = found;
  }

  // Runs.

  /**
   * Keeps a run. The same trace again changes nothing; another trace that goes by the same run id gets an id of its own.
   * @param title of the case, where it is new
   * @throws ReadroomError 'input-invalid' for a trace of a run that never began
   */
  addRun(trace: Trace, title: string = titleOfSources(trace)): AddedRun {
    return this.#addTrace(serializeTrace(trace), trace, title);
  }

  /** The same from the text of a trace file, which may come from anywhere. @throws ReadroomError as parseTrace */
  importTrace(text: string, file: string): AddedRun {
    const trace = parseTrace(text, file);
    return this.#addTrace(text, trace, titleOfSources(trace));
  }

  #addTrace(text: string, trace: Trace, title: string): AddedRun {
    const facts = factsOf(trace);
    return this.db.transaction(() => {
      const sha256 = sha256Of(text);
      const same = this.db.get<{ run_id: string; case_id: string }>(
        'SELECT run_id, case_id FROM runs WHERE trace_sha256 = ?',
        [sha256],
      );
      if (same) return { runId: same.run_id, caseId: same.case_id, added: false };
      const taken = this.db.get('SELECT 1 FROM runs WHERE run_id = ?', [facts.runId]) !== null;
      const plain = facts.runId || sha256.slice(0, 32);
      const runId = taken ? `${plain.slice(0, 150)}-${sha256.slice(0, 16)}` : plain;
      const added = caseOf(trace, runId, title);
      putTrace(this.db, text);
      const bodies: LogBody[] = [{ type: 'run-added', caseId: added.caseId, runId, traceSha256: sha256 }];
      if (!this.#hasCase(added.caseId)) bodies.unshift({ type: 'case-added', case: added });
      this.#append(bodies, () => facts);
      return { runId, caseId: added.caseId, added: true };
    });
  }

  #hasCase(caseId: string): boolean {
    return this.db.get('SELECT 1 FROM cases WHERE case_id = ?', [caseId]) !== null;
  }

  /** @throws ReadroomError 'input-invalid' where there is no such case */
  case(caseId: string): Case {
    const row = this.db.get<{ body: string; title: string }>(
      'SELECT body, title FROM cases JOIN case_bodies USING (case_id) WHERE case_id = ?',
      [caseId],
    );
    if (!row) throw missingIn('case', 'caseId');
    return { ...(JSON.parse(row.body) as Case), title: row.title };
  }

  /** @throws ReadroomError 'input-invalid' where there is no such run, 'file-malformed' where its trace is damaged */
  trace(runId: string): Trace {
    const row = this.db.get<{ trace_sha256: string }>('SELECT trace_sha256 FROM runs WHERE run_id = ?', [
      runId,
    ]);
    if (!row) throw missingIn('run', 'runId');
    return readTrace(this.db, row.trace_sha256);
  }

  hasTrace(sha256: string): boolean {
    return hasTrace(this.db, sha256);
  }

  caseIdOf(runId: string): string {
    const row = this.db.get<{ case_id: string }>('SELECT case_id FROM runs WHERE run_id = ?', [runId]);
    if (!row) throw missingIn('run', 'runId');
    return row.case_id;
  }

  /** Everything that readers have said about a run: for exports and agreement, never for a blinded reader's screen. */
  reviews(runId: string): Review[] {
    return reviewsIn(this.db, runId);
  }

  // Other projects.

  /**
   * Takes in the log of another project, of a file or an archive, in one transaction.
   * @throws ReadroomError as mergeLog
   */
  merge(source: LogSource, onProgress?: Progress): Steps<{ report: MergeReport; change: Change }> {
    return this.db.transactionSteps(() => this.#mergeSteps(source, onProgress));
  }

  *#mergeSteps(source: LogSource, onProgress?: Progress): Steps<{ report: MergeReport; change: Change }> {
    const began = this.db.get('SELECT 1 FROM log') !== null;
    const { report, touched, heads, told } = yield* mergeLog(this.db, source, onProgress);
    this.#facts.forget();
    // Entries that only tell of merges are no news: two files that merged each other have the same to say.
    if (began && told) this.#append([{ type: 'merged', heads }]);
    return { report, change: touched };
  }

  /** @throws ReadroomError what is wrong with the other file; 'input-invalid' where it is this one */
  *mergeFile(
    file: string,
    onProgress: Progress = () => undefined,
  ): Steps<{ report: MergeReport; change: Change }> {
    if (existsSync(file) && realpathSync(file) === realpathSync(this.file)) {
      throw new ReadroomError('input-invalid', 'A project is not merged with itself.', {
        file,
        remedy: 'Choose the file of another machine.',
      });
    }
    onProgress(0, 1);
    return yield* withForeign(
      file,
      (db) => this.merge(sourceOf(db), (done, total) => onProgress(total + done, 2 * total)),
      (done, total) => onProgress(done, 2 * total),
    );
  }

  // Edits.

  /**
   * @throws ReadroomError 'input-invalid' where an edit's `before` is not what is there, where it writes another reader's
   * register, or where there is no such case, run, step or reader; nothing is changed then
   */
  edit(edits: readonly Edit[]): Change {
    return this.db.transaction(() => {
      checkEdits(this.db, this.#reader, edits);
      return this.#append([{ type: 'edited', edits: [...edits], undoes: null, redoes: null }]);
    });
  }

  /** @returns the change that was taken back; null where there is nothing to take back. @throws as `edit` */
  undo(): Change | null {
    return this.#takeBack('undo');
  }

  redo(): Change | null {
    return this.#takeBack('redo');
  }

  history(): { undo: HistoryRow | null; redo: HistoryRow | null } {
    const { readerId } = this.#reader;
    if (this.#history?.readerId !== readerId) {
      this.#history = { readerId, of: new History(this.db, readerId) };
    }
    return this.#history.of.next();
  }

  #takeBack(which: 'undo' | 'redo'): Change | null {
    return this.db.transaction(() => {
      const row = this.history()[which];
      if (!row) return null;
      const edits = inverseOf(this.db, row, (edit) => registerValue(this.db, edit));
      for (const edit of edits) {
        if (sameValue(registerValue(this.db, edit), edit.before)) continue;
        throw new ReadroomError(
          'input-invalid',
          `'${row.label}' can't be taken back: it was changed since.`,
          {
            remedy:
              'Someone else, or you on another machine, changed the same thing later. Change it by hand.',
            field: registerKey(edit),
          },
        );
      }
      const name = nameOf(row);
      const [undoes, redoes] = which === 'undo' ? [name, null] : [null, name];
      return this.#append([{ type: 'edited', edits, undoes, redoes }]);
    });
  }

  /** Writes entries of the reader who is at it, carries them out, and brings the lists up to date. */
  #append(
    bodies: readonly LogBody[],
    factsOfTrace = (sha256: string): RunFacts => factsOf(readTrace(this.db, sha256)),
  ): Change {
    const touched = new Touched();
    const write = (readerId: string | null, body: LogBody): void => {
      const entry: LogEntry = nextEntry(this.db, this.#replica, readerId, logBodySchema.parse(body));
      insertEntry(this.db, entry);
      applyEntry(this.db, entry, touched, factsOfTrace);
    };
    const { readerId } = this.#reader;
    for (const body of bodies) {
      const personal = body.type === 'edited';
      if (personal && !this.readers().some((one) => one.readerId === readerId)) {
        write(null, { type: 'reader-added', reader: this.#reader });
      }
      write(personal || body.type === 'reader-added' ? readerId : null, body);
    }
    refresh(this.db, touched);
    if (bodies.some(({ type }) => type === 'case-added' || type === 'project-created')) this.#facts.forget();
    return touched;
  }

  view(library: boolean): ProjectView {
    const { undo, redo } = this.history();
    const labels = { undo: undo?.label ?? null, redo: redo?.label ?? null };
    return viewOf(this.db, this.#facts.read(), [this.#reader, this.#opener], labels, library);
  }
}
