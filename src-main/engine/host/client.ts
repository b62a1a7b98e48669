/**
 * The application's side of the engine protocol (rules in src-contract/engine-protocol.ts): starts the engine process
 * when it is first needed, and again after it died; every call ends, whatever becomes of the process.
 */
import {
  type ChildMessage,
  childMessageSchema,
  type EngineMethod,
  type EngineParams,
  type EngineResult,
  engineMethods,
  engineProtocolVersion,
  type ParentMessage,
} from '../../../src-contract/engine-protocol.ts';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { RunEvent } from '../../../src-contract/run-events.ts';
import { deathOf, oomKills } from './memory-failure.ts';
import type { ChildConnection, ChildExit, Transport } from './transport.ts';

export interface EngineHostOptions {
  readonly transport: Transport;
  /**
   * Milliseconds a cancelled call may go on before the process is killed. A prefill chunk or a batch of slices of a 7B
   * model on a CPU takes up to half a minute, and killing costs a reload.
   */
  readonly cancelGraceMs?: number;
}

export interface CallOptions {
  /** Aborting cancels the call: a run under way resolves with stop reason 'cancelled', others reject with 'cancelled'. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

const defaultGraceMs = 60_000;
/** How long a process that was told to end may take before it is killed. */
const disposeGraceMs = 2_000;
/** Characters of stderr kept for error details. */
const keptStderr = 4_096;

interface PendingCall {
  readonly method: EngineMethod;
  readonly onEvent?: (event: RunEvent) => void;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ReadroomError) => void;
}

export class EngineHost {
  readonly #transport: Transport;
  readonly #graceMs: number;
  #child: EngineChild | null = null;
  /** The model that should be there: loaded again, unasked, when the process had to be started again. */
  #model: EngineParams<'load'> | null = null;
  #disposed = false;

  constructor({ transport, cancelGraceMs = defaultGraceMs }: EngineHostOptions) {
    this.#transport = transport;
    this.#graceMs = cancelGraceMs;
  }

  /** The engine's process id, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Calls a method. Calls may be made in parallel: the engine takes one after the other.
   * @throws ReadroomError 'engine-died' or 'engine-out-of-memory' when the process ended, 'cancelled', 'input-invalid',
   * and what the method itself throws
   */
  async call<M extends EngineMethod>(
    method: M,
    params: EngineParams<M>,
    options: CallOptions = {},
  ): Promise<EngineResult<M>> {
    if (this.#disposed) throw new ReadroomError('cancelled', 'The engine is being shut down.');
    const child = this.#liveChild();
    if (method === 'load') {
      const load = params as EngineParams<'load'>;
      this.#model = null;
      child.restored = Promise.resolve();
      const facts = await child.call(method, params, options);
      this.#model = load;
      return facts;
    }
    if (method === 'unload') this.#model = null;
    else if (method !== 'info') await unlessAborted(this.#restoreModel(child), options.signal);
    return child.call(method, params, options);
  }

  /** Ends the process. Calls under way reject with 'cancelled'. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#child?.dispose();
    this.#child = null;
  }

  #liveChild(): EngineChild {
    if (this.#child?.alive) return this.#child;
    this.#child = new EngineChild(this.#transport.start(), this.#graceMs);
    return this.#child;
  }

  #restoreModel(child: EngineChild): Promise<unknown> {
    if (!child.restored) {
      const restored: Promise<unknown> = this.#model
        ? child.call('load', this.#model, {})
        : Promise.resolve();
      child.restored = restored;
      // What made it fail may pass (a disk that was away): the next call tries again.
      restored.catch(() => {
        child.restored = null;
      });
    }
    return child.restored;
  }
}

/** One process, from its start to its end. */
class EngineChild {
  alive = true;
  /** Settled once this process has the model of its predecessor. */
  restored: Promise<unknown> | null = null;

  readonly #connection: ChildConnection;
  readonly #graceMs: number;
  readonly #killsBefore = oomKills();
  readonly #pending = new Map<number, PendingCall>();
  /** Held back until the child says 'ready'. */
  #unsent: ParentMessage[] | null = [];
  #lastId = 0;
  #stderr = '';
  /** Why we killed it, when we did: takes the place of 'engine-died'. */
  #verdict: ReadroomError | null = null;
  readonly #gone: Promise<void>;

  constructor(connection: ChildConnection, graceMs: number) {
    this.#connection = connection;
    this.#graceMs = graceMs;
    connection.onMessage((message) => this.#receive(message));
    connection.onStderr((text) => {
      this.#stderr = (this.#stderr + text).slice(-keptStderr);
    });
    this.#gone = new Promise((resolve) => {
      connection.onExit((exit, error) => {
        this.#buried(exit, error);
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#connection.pid;
  }

  call<M extends EngineMethod>(
    method: M,
    params: EngineParams<M>,
    { signal, onEvent }: CallOptions,
  ): Promise<EngineResult<M>> {
    if (signal?.aborted) return Promise.reject(new ReadroomError('cancelled', 'Cancelled.'));
    const id = ++this.#lastId;
    return new Promise<EngineResult<M>>((resolve, reject) => {
      let grace: NodeJS.Timeout | undefined;
      const onAbort = (): void => {
        this.#send({ kind: 'cancel', id });
        grace = setTimeout(() => this.#killFor(id), this.#graceMs);
      };
      const settled = (): void => {
        clearTimeout(grace);
        signal?.removeEventListener('abort', onAbort);
      };
      this.#pending.set(id, {
        method,
        onEvent,
        resolve: (value) => {
          settled();
          resolve(value as EngineResult<M>);
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

  async dispose(): Promise<void> {
    this.#verdict ??= new ReadroomError('cancelled', 'The engine was shut down.');
    this.#connection.close();
    const timer = setTimeout(() => this.#connection.kill(), disposeGraceMs);
    await this.#gone;
    clearTimeout(timer);
  }

  /** A cancelled call that would not end: it alone counts as cancelled, the others lost their engine. */
  #killFor(id: number): void {
    const call = this.#pending.get(id);
    if (!call) return;
    this.#pending.delete(id);
    this.alive = false;
    this.#connection.kill();
    const seconds = Math.round(this.#graceMs / 1000);
    call.reject(
      new ReadroomError('cancelled', 'Cancelled.', {
        detail: `The engine did not stop within ${seconds} s and was ended.`,
      }),
    );
  }

  #send(message: ParentMessage): void {
    if (this.#unsent) this.#unsent.push(message);
    else this.#connection.send(message);
  }

  #receive(raw: unknown): void {
    const parsed = childMessageSchema.safeParse(raw);
    if (!parsed.success) {
      this.#refuse(raw, parsed.error.issues[0].message);
      return;
    }
    const message = parsed.data;
    if (message.kind === 'ready') this.#ready(message.protocol);
    else this.#deliver(message);
  }

  #ready(protocol: number): void {
    if (protocol !== engineProtocolVersion) {
      this.#verdict = new ReadroomError(
        'internal',
        `The engine process speaks protocol ${protocol}, not ${engineProtocolVersion}.`,
        { remedy: 'Build or install Readroom again.' },
      );
      this.#connection.kill();
      return;
    }
    const held = this.#unsent ?? [];
    this.#unsent = null;
    for (const message of held) this.#connection.send(message);
  }

  #deliver(message: Exclude<ChildMessage, { kind: 'ready' }>): void {
    const { id } = message;
    const call = this.#pending.get(id);
    if (!call) return;
    if (message.kind === 'event') {
      try {
        call.onEvent?.(message.event);
      } catch (thrown) {
        // The listener's failure is the caller's to see; the run has lost its audience.
        this.#giveUp(id, toReadroomError(thrown));
      }
      return;
    }
    if (message.kind === 'error') {
      this.#pending.delete(id);
      call.reject(ReadroomError.fromPayload(message.error));
      return;
    }
    const result = engineMethods[call.method].result.safeParse(message.value);
    if (!result.success) {
      this.#giveUp(id, wrongShape(`result of ${call.method}`, result.error.issues[0].message));
      return;
    }
    this.#pending.delete(id);
    call.resolve(result.data);
  }

  /** Something that isn't of the protocol: dropped, or, where it names a call, that call's failure. */
  #refuse(raw: unknown, issue: string): void {
    const id = typeof raw === 'object' && raw !== null && 'id' in raw ? raw.id : undefined;
    if (typeof id === 'number') this.#giveUp(id, wrongShape('message', issue));
  }

  #giveUp(id: number, error: ReadroomError): void {
    const call = this.#pending.get(id);
    if (!call) return;
    this.#pending.delete(id);
    this.#send({ kind: 'cancel', id });
    call.reject(error);
  }

  #buried(exit: ChildExit, error?: Error): void {
    this.alive = false;
    const words = error ? `${error.message}\n${this.#stderr}` : this.#stderr;
    const verdict = this.#verdict ?? deathOf(exit, words, this.#killsBefore);
    for (const call of this.#pending.values()) call.reject(verdict);
    this.#pending.clear();
  }
}

function wrongShape(what: string, issue: string): ReadroomError {
  return new ReadroomError('internal', `The engine sent a ${what} of the wrong shape.`, { detail: issue });
}

/** Waits for work that others wait for too, so that an abort ends the waiting only. */
async function unlessAborted(work: Promise<unknown>, signal?: AbortSignal): Promise<void> {
  if (!signal) {
    await work;
    return;
  }
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new ReadroomError('cancelled', 'Cancelled.'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
