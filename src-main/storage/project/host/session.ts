/** The open project and what can be asked of it: the work behind the project protocol. */
import { ReadroomError } from '../../../../src-contract/errors.ts';
import type { MethodParams, MethodResult } from '../../../../src-contract/method-channel.ts';
import type { ProjectEvent, ProjectMethods } from '../../../../src-contract/project-protocol.ts';
import type { MethodHandlers } from '../../../channel/server.ts';
import { agreementIn, compareIn, consistencyIn, disagreementsIn } from '../analysis.ts';
import { writeArchive } from '../archive/write-archive.ts';
import { logPage } from '../audit.ts';
import { figureHandlers } from '../figures.ts';
import type { Progress } from '../file/steps.ts';
import { importFile } from '../import-file.ts';
import { traceFor } from '../model-veil.ts';
import { locate, rememberShares } from '../places.ts';
import { type Change, Project } from '../project.ts';
import { listCases, listRuns, nextRun } from '../queries.ts';
import { reviewsFor, veilConflicts } from '../reviews.ts';

type Params<N extends keyof ProjectMethods> = MethodParams<ProjectMethods, N>;
type Result<N extends keyof ProjectMethods> = MethodResult<ProjectMethods, N>;

/** What takes long and changes what is open, or needs it to stay as it is: one of them at a time. */
const alone: ReadonlySet<string> = new Set<keyof ProjectMethods>(['open', 'create', 'merge', 'archive']);

/** Progress is for eyes. */
const progressIntervalMs = 100;

interface Job {
  readonly signal: AbortSignal;
  readonly onProgress: Progress;
}

export class ProjectSession {
  readonly #emit: (event: ProjectEvent) => void;
  readonly #ending = new AbortController();
  /** Settled when what is done alone is over, however it went. */
  #job: Promise<void> | null = null;
  #open: { readonly project: Project; readonly library: boolean } | null = null;

  constructor(emit: (event: ProjectEvent) => void) {
    this.#emit = emit;
  }

  handlers(): MethodHandlers<ProjectMethods> {
    return {
      open: (params, signal) => this.#alone('Checking the project', signal, (job) => this.open(params, job)),
      create: (params, signal) => this.#alone('Making the project', signal, () => this.create(params)),
      addRun: (params) => this.addRun(params),
      case: ({ caseId }) => this.case(caseId),
      locate: ({ caseId, folder }, signal) => this.locate(caseId, folder, signal),
      merge: ({ path }, signal) => this.#alone('Merging', signal, (job) => this.merge(path, job)),
      archive: ({ path, pixels }, signal) =>
        this.#alone('Writing the archive', signal, (job) =>
          writeArchive(this.#project, path, { pixels, ...job }),
        ),
      view: () => this.#view(),
      cases: (params) => listCases(this.#project.db, this.#project.reader, params),
      runs: ({ caseId }) => ({ runs: listRuns(this.#project.db, this.#project.reader, caseId) }),
      trace: ({ runId }) => traceFor(this.#project, runId),
      log: (params) => logPage(this.#project.db, this.#project.reader, params),
      addReader: (params) => {
        this.#project.addReader(params);
        return this.#changed();
      },
      chooseReader: ({ readerId }) => {
        this.#project.chooseReader(readerId);
        this.#emit({ type: 'list-changed' });
        return this.#changed();
      },
      reviews: ({ runId }) => {
        this.#project.caseIdOf(runId);
        return reviewsFor(this.#project.db, runId, this.#project.reader);
      },
      edit: ({ edits }) => {
        this.#tell(this.#project.edit(edits));
        return {};
      },
      undo: () => this.#tookBack(this.#project.undo()),
      redo: () => this.#tookBack(this.#project.redo()),
      agreement: ({ filter }) => agreementIn(this.#project, filter),
      disagreements: ({ filter }) => ({ rows: disagreementsIn(this.#project, filter) }),
      compare: ({ a, b }) => compareIn(this.#project, a, b),
      consistency: ({ runId }) => consistencyIn(this.#project, runId),
      next: (params) => nextRun(this.#project.db, this.#project.reader, params),
      ...figureHandlers(() => this.#project),
    };
  }

  /** What is open stays open, and in use, until the other one is checked. */
  async open({ path, library, trusted, reader }: Params<'open'>, job: Job): Promise<Result<'open'>> {
    const { onProgress, signal } = job;
    const project = library
      ? await Project.openLibrary(path, reader, onProgress, signal)
      : await Project.openInTurns(path, { reader, trusted, onProgress }, signal);
    this.#replace(project, library);
    return this.#view();
  }

  async create({ path, title, reader }: Params<'create'>): Promise<Result<'create'>> {
    this.#replace(await Project.create(path, title, reader), false);
    return this.#view();
  }

  addRun({ trace, title }: Params<'addRun'>): Result<'addRun'> {
    const added = this.#project.addRun(trace, title || undefined);
    if (added.added) {
      rememberShares(this.#project.db, trace.sources);
      this.#emit({ type: 'list-changed' });
      this.#changed();
    }
    return added;
  }

  async merge(path: string, job: Job): Promise<Result<'merge'>> {
    const { report, change } = await importFile(this.#project, path, job);
    if (report.entries > 0) this.#tell(change);
    const { db, reader } = this.#project;
    return { ...report, conflicts: veilConflicts(db, report.conflicts, reader) };
  }

  case(caseId: string): Result<'case'> {
    const { title, synthetic, series, sources } = this.#project.case(caseId);
    return { title, synthetic, seriesId: series?.id ?? null, files: sources.length };
  }

  locate(caseId: string, folder: string | null, signal: AbortSignal): Promise<Result<'locate'>> {
    const { db } = this.#project;
    const { sources } = this.#project.case(caseId);
    const what = folder === null ? 'Checking the images' : 'Searching for the images';
    return this.#shown(what, (onProgress) => locate(db, sources, folder, onProgress, signal));
  }

  /**
   * While a merge writes, in one transaction that may yet be taken back, everyone waits: who reads would see half of it,
   * and what someone writes would be answered as saved before it is. What is done alone is refused meanwhile.
   */
  gate(method: keyof ProjectMethods): Promise<void> | null {
    return this.#open?.project.db.paused && !alone.has(method) ? this.#job : null;
  }

  /** Stops what is under way, waits until it has cleared up, and closes. */
  async end(): Promise<void> {
    this.#ending.abort();
    await this.#job;
    this.close();
  }

  close(): void {
    this.#open?.project.close();
    this.#open = null;
  }

  get #project(): Project {
    if (this.#open) return this.#open.project;
    throw new ReadroomError('input-invalid', 'No project is open.', { remedy: 'Open or create one.' });
  }

  #replace(project: Project, library: boolean): void {
    this.close();
    this.#open = { project, library };
    this.#changed();
    this.#emit({ type: 'list-changed' });
  }

  #view(): Result<'view'> {
    const project = this.#project;
    return project.view(this.#open?.library === true);
  }

  #changed(): Result<'view'> {
    const view = this.#view();
    this.#emit({ type: 'changed', view });
    return view;
  }

  #tell({ runs }: Change): void {
    for (const runId of runs) this.#emit({ type: 'review-changed', runId });
    this.#emit({ type: 'list-changed' });
    this.#changed();
  }

  #tookBack(change: Change | null): Result<'undo'> {
    if (!change) return null;
    this.#tell(change);
    const [runId] = change.runs;
    if (runId !== undefined) return { runId, caseId: this.#project.caseIdOf(runId) };
    const [caseId] = change.cases;
    return { runId: null, caseId: caseId ?? null };
  }

  async #alone<T>(what: string, signal: AbortSignal, work: (job: Job) => Promise<T>): Promise<T> {
    if (this.#job) {
      throw new ReadroomError('input-invalid', 'Something else is being done with the project.', {
        remedy: 'Wait until it has ended, or stop it.',
      });
    }
    const either = AbortSignal.any([signal, this.#ending.signal]);
    const working = this.#shown(what, (onProgress) => work({ signal: either, onProgress }));
    const job = working.then(
      () => undefined,
      () => undefined,
    );
    this.#job = job.then(() => {
      this.#job = null;
    });
    return working;
  }

  /** With progress, which is over when the work is, however it went. */
  async #shown<T>(what: string, work: (onProgress: Progress) => Promise<T>): Promise<T> {
    try {
      return await work(this.#progress(what));
    } finally {
      this.#emit({ type: 'progress', what, done: 1, total: 1 });
    }
  }

  #progress(what: string): Progress {
    let last = 0;
    return (done, total) => {
      const now = performance.now();
      if (done < total && now - last < progressIntervalMs) return;
      last = now;
      this.#emit({ type: 'progress', what, done, total });
    };
  }
}
