/** The application's side of the study protocol (rules in src-contract/study-protocol.ts): one process, one study. */
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import {
  type StudyEvent,
  type StudyMethod,
  type StudyParams,
  type StudyParentMessage,
  type StudyResult,
  studyChildMessageSchema,
  studyMethods,
} from '../../../src-contract/study-protocol.ts';
import type { ChildConnection, ChildExit, Transport } from '../../engine/host/transport.ts';

export interface StudyHooks {
  readonly onEvent: (event: StudyEvent) => void;
  /** The process ended by itself; not called after `dispose`. */
  readonly onDeath: (error: ReadroomError) => void;
}

interface PendingCall {
  readonly method: StudyMethod;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ReadroomError) => void;
}

/** How long a process that was told to end may take before it is killed. */
const disposeGraceMs = 1_500;
/** Characters of stderr kept for error details. */
const keptStderr = 4_096;

export class StudyProcess {
  readonly #connection: ChildConnection;
  readonly #hooks: StudyHooks;
  readonly #pending = new Map<number, PendingCall>();
  readonly #gone: Promise<void>;
  /** Held back until the child listens. */
  #unsent: StudyParentMessage[] | null = [];
  #lastId = 0;
  #stderr = '';
  #alive = true;
  #disposed = false;

  constructor(transport: Transport, hooks: StudyHooks) {
    this.#hooks = hooks;
    this.#connection = transport.start();
    this.#connection.onMessage((message) => this.#receive(message));
    this.#connection.onStderr((text) => {
      this.#stderr = (this.#stderr + text).slice(-keptStderr);
    });
    this.#gone = new Promise((resolve) => {
      this.#connection.onExit((exit, error) => {
        this.#buried(exit, error);
        resolve();
      });
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  get pid(): number | undefined {
    return this.#connection.pid;
  }

  /** @throws ReadroomError what the method throws, 'cancelled', or 'file-unreadable' when the process ended. */
  call<M extends StudyMethod>(
    method: M,
    params: StudyParams<M>,
    signal?: AbortSignal,
  ): Promise<StudyResult<M>> {
    if (!this.#alive || this.#disposed) {
      return Promise.reject(new ReadroomError('cancelled', 'The study was closed.'));
    }
    if (signal?.aborted) return Promise.reject(new ReadroomError('cancelled', 'Cancelled.'));
    const id = ++this.#lastId;
    return new Promise<StudyResult<M>>((resolve, reject) => {
      const onAbort = (): void => this.#send({ kind: 'cancel', id });
      const settled = (): void => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, {
        method,
        resolve: (value) => {
          settled();
          resolve(value as StudyResult<M>);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#send({ kind: 'call', id, method, params });
    });
  }

  /** Ends the process. Calls under way reject with 'cancelled'. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#rejectAll(new ReadroomError('cancelled', 'The study was closed.'));
    if (!this.#alive) return;
    this.#connection.close();
    const timer = setTimeout(() => this.#connection.kill(), disposeGraceMs);
    await this.#gone;
    clearTimeout(timer);
  }

  #send(message: StudyParentMessage): void {
    if (this.#unsent) this.#unsent.push(message);
    else this.#connection.send(message);
  }

  #receive(raw: unknown): void {
    const message = studyChildMessageSchema.safeParse(raw).data;
    if (!message || this.#disposed) return;
    if (message.kind === 'ready') {
      const held = this.#unsent ?? [];
      this.#unsent = null;
      for (const one of held) this.#connection.send(one);
      return;
    }
    if (message.kind === 'event') {
      this.#hooks.onEvent(message.event);
      return;
    }
    const call = this.#pending.get(message.id);
    if (!call) return;
    this.#pending.delete(message.id);
    if (message.kind === 'error') {
      call.reject(ReadroomError.fromPayload(message.error));
      return;
    }
    const result = studyMethods[call.method].result.safeParse(message.value);
    if (result.success) call.resolve(result.data);
    else call.reject(toReadroomError(result.error));
  }

  #buried(exit: ChildExit, error?: Error): void {
    this.#alive = false;
    if (this.#disposed) return;
    const how = exit.signal ? `by signal ${exit.signal}` : `with exit code ${exit.code ?? 'unknown'}`;
    const verdict = new ReadroomError('file-unreadable', `The process that reads the study ended ${how}.`, {
      remedy: 'Open the study again. If it is very large, close other programs first.',
      detail: [error?.message, this.#stderr.trim()].filter(Boolean).join('\n') || undefined,
    });
    this.#rejectAll(verdict);
    this.#hooks.onDeath(verdict);
  }

  #rejectAll(error: ReadroomError): void {
    for (const call of this.#pending.values()) call.reject(error);
    this.#pending.clear();
  }
}
