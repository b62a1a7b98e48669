/** The application's side of a method channel (rules in src-contract/method-channel.ts): one child process. */
import type { z } from 'zod';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import {
  childMessageSchema,
  type MethodName,
  type MethodParams,
  type MethodResult,
  type Methods,
  type ParentMessage,
} from '../../src-contract/method-channel.ts';
import type { ChildConnection, ChildExit, Transport } from '../engine/host/transport.ts';

/** What is said of a kind of process. */
export interface ChannelDefinition<M extends Methods, E extends z.ZodType> {
  readonly methods: M;
  readonly event: E;
  /** Why a call fails after `dispose`. */
  readonly closed: string;
  /** What calls under way fail with when the process ended by itself. `how`: 'by signal SIGKILL'. */
  readonly death: (how: string, detail: string | undefined) => ReadroomError;
}

export interface ChannelHooks<Event> {
  readonly onEvent: (event: Event) => void;
  /** The process ended by itself; not called after `dispose`. */
  readonly onDeath: (error: ReadroomError) => void;
}

interface PendingCall {
  readonly method: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ReadroomError) => void;
}

/** How long a process that was told to end may take before it is killed. */
const disposeGraceMs = 1_500;
/** Characters of stderr kept for error details. */
const keptStderr = 4_096;

export class MethodProcess<M extends Methods, E extends z.ZodType> {
  readonly #definition: ChannelDefinition<M, E>;
  readonly #connection: ChildConnection;
  readonly #hooks: ChannelHooks<z.output<E>>;
  readonly #pending = new Map<number, PendingCall>();
  readonly #gone: Promise<void>;
  /** Held back until the child listens. */
  #unsent: ParentMessage[] | null = [];
  #lastId = 0;
  #stderr = '';
  #alive = true;
  #disposed = false;

  constructor(definition: ChannelDefinition<M, E>, transport: Transport, hooks: ChannelHooks<z.output<E>>) {
    this.#definition = definition;
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

  /** @throws ReadroomError what the method throws, 'cancelled', or the definition's `death` when the process ended. */
  call<N extends MethodName<M>>(
    method: N,
    params: MethodParams<M, N>,
    signal?: AbortSignal,
  ): Promise<MethodResult<M, N>> {
    if (!this.#alive || this.#disposed) {
      return Promise.reject(new ReadroomError('cancelled', this.#definition.closed));
    }
    if (signal?.aborted) return Promise.reject(new ReadroomError('cancelled', 'Cancelled.'));
    const id = ++this.#lastId;
    return new Promise<MethodResult<M, N>>((resolve, reject) => {
      const onAbort = (): void => this.#send({ kind: 'cancel', id });
      const settled = (): void => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, {
        method,
        resolve: (value) => {
          settled();
          resolve(value as MethodResult<M, N>);
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
    this.#rejectAll(new ReadroomError('cancelled', this.#definition.closed));
    if (!this.#alive) return;
    this.#connection.close();
    const timer = setTimeout(() => this.#connection.kill(), disposeGraceMs);
    await this.#gone;
    clearTimeout(timer);
  }

  #send(message: ParentMessage): void {
    if (this.#unsent) this.#unsent.push(message);
    else this.#connection.send(message);
  }

  #receive(raw: unknown): void {
    const message = childMessageSchema.safeParse(raw).data;
    if (!message || this.#disposed) return;
    if (message.kind === 'ready') {
      const held = this.#unsent ?? [];
      this.#unsent = null;
      for (const one of held) this.#connection.send(one);
      return;
    }
    if (message.kind === 'event') {
      const event = this.#definition.event.safeParse(message.event);
      if (event.success) this.#hooks.onEvent(event.data);
      return;
    }
    const call = this.#pending.get(message.id);
    if (!call) return;
    this.#pending.delete(message.id);
    if (message.kind === 'error') {
      call.reject(ReadroomError.fromPayload(message.error));
      return;
    }
    const result = this.#definition.methods[call.method].result.safeParse(message.value);
    if (result.success) call.resolve(result.data);
    else call.reject(toReadroomError(result.error));
  }

  #buried(exit: ChildExit, error?: Error): void {
    this.#alive = false;
    if (this.#disposed) return;
    const how = exit.signal ? `by signal ${exit.signal}` : `with exit code ${exit.code ?? 'unknown'}`;
    const detail = [error?.message, this.#stderr.trim()].filter(Boolean).join('\n') || undefined;
    const verdict = this.#definition.death(how, detail);
    this.#rejectAll(verdict);
    this.#hooks.onDeath(verdict);
  }

  #rejectAll(error: ReadroomError): void {
    for (const call of this.#pending.values()) call.reject(error);
    this.#pending.clear();
  }
}
