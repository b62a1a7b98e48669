/**
 * The project that is open: keeps its process alive and its file open, and remembers on this machine who reads in which
 * project. A process that died is started again by the next call; the file holds all that was answered.
 */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { MethodParams, MethodResult } from '../../../src-contract/method-channel.ts';
import { type ProjectView, projectSuffix, type Reader, readerSchema } from '../../../src-contract/project.ts';
import type { ProjectEvent, ProjectMethods } from '../../../src-contract/project-protocol.ts';
import type { Trace } from '../../../src-contract/trace.ts';
import type { Transport } from '../../engine/host/transport.ts';
import { ProjectProcess } from '../../storage/project/host/client.ts';
import { JsonStore } from '../json-store.ts';
import type { Emit } from '../studies/studies.ts';

const stateSchema = z.object({
  /** Who works on this machine: the first reader of every project that it makes. */
  me: readerSchema,
  /** The file to open at the next start; null for the library. */
  last: z.string().nullable(),
  /** Files that this machine has written, with the reader chosen in each. The newest first. */
  known: z.array(z.object({ path: z.string(), projectId: z.string(), reader: readerSchema })),
});
type State = z.infer<typeof stateSchema>;

/** Calls that show progress, and can be stopped. */
const stoppable: ReadonlySet<keyof ProjectMethods> = new Set<keyof ProjectMethods>([
  'open',
  'merge',
  'archive',
  'locate',
]);

/** Projects that are remembered. */
const kept = 100;

export interface ProjectsOptions {
  readonly transport: Transport;
  /** Of settings and of the library. */
  readonly userData: string;
  readonly emit: Emit;
}

interface Current {
  readonly path: string;
  readonly library: boolean;
}

export class Projects {
  readonly #options: ProjectsOptions;
  readonly #state: JsonStore<typeof stateSchema>;
  #current: Current;
  #process: ProjectProcess | null = null;
  /** Settled once the process has the file open. */
  #opened: Promise<ProjectView> | null = null;
  #closed = false;
  readonly #underWay = new Set<AbortController>();

  constructor(options: ProjectsOptions) {
    this.#options = options;
    this.#state = new JsonStore(join(options.userData, 'projects.json'), stateSchema, firstState());
    const { last } = this.#state.value;
    this.#current = last === null ? this.#library : { path: last, library: false };
  }

  get #library(): Current {
    return { path: join(this.#options.userData, `library.${projectSuffix}`), library: true };
  }

  /** Opens what was open last, so that it is there when the window asks. A failure is told, and the library opened. */
  async start(): Promise<void> {
    try {
      await this.#ensure();
    } catch (thrown) {
      if (this.#closed) return;
      this.#options.emit('project.failed', { error: toReadroomError(thrown).toPayload() });
      if (!this.#current.library) await this.openLibrary().catch(() => undefined);
    }
  }

  /** @throws ReadroomError what the method throws, 'project-died' where the process ended meanwhile */
  async call<N extends keyof ProjectMethods>(
    method: N,
    params: MethodParams<ProjectMethods, N>,
  ): Promise<MethodResult<ProjectMethods, N>> {
    return this.#ask(await this.#ensure(), method, params);
  }

  /** Stops what shows progress: the project is as it was before, and no file is left of it. */
  cancelTransfer(): void {
    for (const stop of this.#underWay) stop.abort();
  }

  async #ask<N extends keyof ProjectMethods>(
    process: ProjectProcess,
    method: N,
    params: MethodParams<ProjectMethods, N>,
  ): Promise<MethodResult<ProjectMethods, N>> {
    if (!stoppable.has(method)) return process.call(method, params);
    const stop = new AbortController();
    this.#underWay.add(stop);
    try {
      return await process.call(method, params, stop.signal);
    } finally {
      this.#underWay.delete(stop);
    }
  }

  openLibrary(): Promise<ProjectView> {
    return this.#switch(this.#library);
  }

  /** @throws ReadroomError what is wrong with the file; the project that was open stays */
  open(path: string): Promise<ProjectView> {
    const library = path === this.#library.path;
    return this.#switch({ path, library });
  }

  async create(path: string): Promise<ProjectView> {
    const title = basename(path).replace(new RegExp(`\\.${projectSuffix}$`), '') || 'Project';
    const process = await this.#start();
    const view = await process.call('create', { path, title, reader: this.#state.value.me });
    await this.#settle({ path, library: false }, view);
    return view;
  }

  /** From now on this reader reads here, on this machine. */
  async choose(readerId: string): Promise<ProjectView> {
    const view = await this.call('chooseReader', { readerId });
    await this.#remember(this.#current, view);
    return view;
  }

  /** The open file and who reads it: for work on it that another process does. */
  async place(): Promise<{ readonly path: string; readonly reader: Reader }> {
    const { readers, readerId } = await this.call('view', {});
    const { path } = this.#current;
    const reader = readers.find((one) => one.readerId === readerId) ?? this.#readerOf(this.#current).reader;
    return { path, reader };
  }

  /** Keeps a run that has ended. A failure is told to the window: the run itself is shown all the same. */
  async keep(trace: Trace, title: string): Promise<void> {
    const { emit } = this.#options;
    try {
      const { runId, caseId, added } = await this.call('addRun', { trace, title });
      if (added) emit('project.runAdded', { runId, caseId });
    } catch (thrown) {
      emit('project.failed', { error: toReadroomError(thrown).toPayload() });
    }
  }

  async dispose(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#process?.dispose(), this.#state.flush()]);
  }

  async #switch(next: Current): Promise<ProjectView> {
    const process = await this.#start();
    const view = await this.#ask(process, 'open', { ...next, ...this.#readerOf(next) });
    await this.#settle(next, view);
    return view;
  }

  async #settle(next: Current, view: ProjectView): Promise<void> {
    this.#current = next;
    this.#opened = Promise.resolve(view);
    await this.#remember(next, view);
  }

  #readerOf({ path, library }: Current): { reader: Reader; trusted: boolean } {
    const known = this.#state.value.known.find((one) => one.path === path);
    return { reader: known?.reader ?? this.#state.value.me, trusted: library || known !== undefined };
  }

  async #remember({ path, library }: Current, { projectId, readerId, readers }: ProjectView): Promise<void> {
    const { value } = this.#state;
    const reader = readers.find((one) => one.readerId === readerId) ?? value.me;
    const others = value.known.filter((one) => one.path !== path);
    const next: State = {
      ...value,
      last: library ? null : path,
      known: [{ path, projectId, reader }, ...others].slice(0, kept),
    };
    if (JSON.stringify(next) === JSON.stringify(value)) return;
    // Not worth an error: at worst the file is checked again, and the reader chosen again.
    await this.#state.set(next).catch(() => undefined);
  }

  /** The process with the current file open. */
  async #ensure(): Promise<ProjectProcess> {
    const process = await this.#start();
    if (!this.#opened) {
      const current = this.#current;
      const opened = this.#ask(process, 'open', { ...current, ...this.#readerOf(current) });
      this.#opened = opened;
      try {
        await this.#remember(current, await opened);
      } catch (thrown) {
        if (this.#opened === opened) this.#opened = null;
        throw thrown;
      }
    }
    await this.#opened;
    return process;
  }

  async #start(): Promise<ProjectProcess> {
    if (this.#closed) throw new ReadroomError('cancelled', 'The program is ending.');
    if (this.#process?.alive) return this.#process;
    this.#opened = null;
    this.#process = new ProjectProcess(this.#options.transport, {
      onEvent: (event) => this.#tell(event),
      onDeath: () => {
        this.#opened = null;
      },
    });
    return this.#process;
  }

  #tell(event: ProjectEvent): void {
    const { emit } = this.#options;
    switch (event.type) {
      case 'changed':
        emit('project.changed', event.view);
        break;
      case 'list-changed':
        emit('project.listChanged', {});
        break;
      case 'review-changed':
        emit('review.changed', { runId: event.runId });
        break;
      case 'progress':
        emit('project.progress', { what: event.what, done: event.done, total: event.total });
        break;
    }
  }
}

/** The name that the system knows; it can be changed by adding a reader. */
function firstState(): State {
  let name = 'Reader 1';
  try {
    name = userInfo().username || name;
  } catch {
    // No account of that number (some containers).
  }
  return { me: { readerId: randomUUID(), name, role: 'reader' }, last: null, known: [] };
}
