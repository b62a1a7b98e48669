/** The open project and what can be asked of it: the work behind the project protocol. */
import { ReadroomError } from '../../../../src-contract/errors.ts';
import type { MethodParams, MethodResult } from '../../../../src-contract/method-channel.ts';
import type { ProjectEvent, ProjectMethods } from '../../../../src-contract/project-protocol.ts';
import type { MethodHandlers } from '../../../channel/server.ts';
import { agreementIn, compareIn, consistencyIn, disagreementsIn } from '../analysis.ts';
import { writeArchive } from '../archive/write-archive.ts';
import { logPage } from '../audit.ts';
import { figureHandlers } from '../figures.ts';
import { importFile } from '../import-file.ts';
import { traceFor } from '../model-veil.ts';
import { locate, rememberShares } from '../places.ts';
import { type Change, Project } from '../project.ts';
import { listCases, listRuns, nextRun } from '../queries.ts';
import { reviewsFor, veilConflicts } from '../reviews.ts';

type Params<N extends keyof ProjectMethods> = MethodParams<ProjectMethods, N>;
type Result<N extends keyof ProjectMethods> = MethodResult<ProjectMethods, N>;

/** Progress is for eyes. */
const progressIntervalMs = 100;

export class ProjectSession {
  readonly #emit: (event: ProjectEvent) => void;
  #open: { readonly project: Project; readonly library: boolean } | null = null;

  constructor(emit: (event: ProjectEvent) => void) {
    this.#emit = emit;
  }

  handlers(): MethodHandlers<ProjectMethods> {
    return {
      open: (params) => this.open(params),
      create: (params) => this.create(params),
      addRun: (params) => this.addRun(params),
      case: ({ caseId }) => this.case(caseId),
      locate: ({ caseId, folder }, signal) => this.locate(caseId, folder, signal),
      merge: ({ path }, signal) => this.merge(path, signal),
      archive: ({ path, pixels }, signal) =>
        writeArchive(this.#project, path, {
          pixels,
          signal,
          onProgress: this.#progress('Writing the archive'),
        }),
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

  async open({ path, library, trusted, reader }: Params<'open'>): Promise<Result<'open'>> {
    const onProgress = this.#progress('Checking the project');
    const project = library
      ? await Project.openLibrary(path, reader, onProgress)
      : Project.open(path, { reader, trusted, onProgress });
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

  async merge(path: string, signal: AbortSignal): Promise<Result<'merge'>> {
    const { report, change } = await importFile(this.#project, path, {
      signal,
      onProgress: this.#progress('Merging'),
    });
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
    const what = folder === null ? 'Checking the images' : 'Searching for the images';
    return locate(db, this.#project.case(caseId).sources, folder, this.#progress(what), signal);
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

  #progress(what: string): (done: number, total: number) => void {
    let last = 0;
    return (done, total) => {
      const now = performance.now();
      if (done < total && now - last < progressIntervalMs) return;
      last = now;
      this.#emit({ type: 'progress', what, done, total });
    };
  }
}
