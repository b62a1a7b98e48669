/** The engine as the window knows it: which model is in it, what it does now, what it takes, and why it is gone. */
import type { EngineState } from '../../../src-contract/channels.ts';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { ModelFacts, Precision, Provider } from '../../../src-contract/run-events.ts';
import { EngineHost } from '../../engine/host/client.ts';
import type { ChildExit, Transport } from '../../engine/host/transport.ts';

export interface LoadWish {
  readonly containerDir: string;
  readonly precision: Precision;
  readonly provider: Provider | 'auto';
}

export interface EngineServiceOptions {
  /** Makes the transport; its exits are told to `childExited`. */
  readonly transport: (onExit: (exit: ChildExit) => void) => Transport;
  readonly onChange: (state: EngineState) => void;
  /** Resident memory of a process of ours, in bytes. */
  readonly memoryOf: (pid: number) => number | null;
}

const memoryInterval = 2_000;
/** Changes of memory below this share are not worth an event. */
const memoryNoise = 0.02;

export class EngineService {
  readonly #options: EngineServiceOptions;
  readonly host: EngineHost;
  #state: EngineState = { status: 'stopped', model: null, rssBytes: null, error: null };
  #loaded: string | null = null;
  #expectExit = false;
  readonly #timer: NodeJS.Timeout;

  constructor(options: EngineServiceOptions) {
    this.#options = options;
    this.host = new EngineHost({ transport: options.transport((exit) => this.#childExited(exit)) });
    this.#timer = setInterval(() => this.#measure(), memoryInterval);
    this.#timer.unref();
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Loads a container unless it is the one that is loaded. */
  async load(wish: LoadWish, signal?: AbortSignal): Promise<ModelFacts> {
    const key = `${wish.containerDir}\0${wish.provider}`;
    const { model } = this.#state;
    if (this.#loaded === key && model) {
      // After a death the host loads the model again by itself; the window should see why it takes a while.
      if (this.#state.status === 'died') this.#change({ status: 'loading', error: null });
      return model;
    }
    this.#loaded = null;
    this.#change({ status: this.host.pid === undefined ? 'starting' : 'loading', model: null, error: null });
    try {
      const { containerDir, provider } = wish;
      const facts = await this.host.call(
        'load',
        { containerDir, provider },
        { signal, onEvent: () => this.#change({ status: 'loading' }) },
      );
      this.#loaded = key;
      this.#change({ status: 'ready', model: facts });
      return facts;
    } catch (thrown) {
      if (this.#state.status !== 'died') this.#change({ status: 'stopped' });
      if (thrown instanceof ReadroomError && thrown.code !== 'cancelled') {
        this.#change({ error: thrown.toPayload() });
      }
      throw thrown;
    }
  }

  /** Marks the time during which a run is under way. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#change({ status: 'running', error: null });
    try {
      return await work();
    } catch (thrown) {
      // The exit was seen already; what the engine itself says of it (out of memory) is better.
      if (thrown instanceof ReadroomError && this.#state.status === 'died') {
        this.#change({ error: thrown.toPayload() });
      }
      throw thrown;
    } finally {
      if (this.#state.status === 'running') this.#change({ status: 'ready' });
    }
  }

  /** Gives the memory back: a model that is not used is worth nothing. */
  async unload(): Promise<void> {
    this.#loaded = null;
    if (this.#state.status === 'stopped' || this.#state.status === 'died') return;
    await this.host.call('unload', {});
    this.#change({ status: 'stopped', model: null, error: null });
  }

  async dispose(): Promise<void> {
    clearInterval(this.#timer);
    this.#expectExit = true;
    await this.host.dispose();
  }

  #childExited(exit: ChildExit): void {
    if (this.#expectExit) return;
    const how = exit.signal ? `by signal ${exit.signal}` : `with exit code ${exit.code ?? 'unknown'}`;
    const error = new ReadroomError('engine-died', `The engine process ended ${how}.`, {
      remedy: 'Ask again: the engine starts anew with the next question.',
    });
    this.#change({ status: 'died', rssBytes: null, error: error.toPayload() });
  }

  #measure(): void {
    const { pid } = this.host;
    const { status, rssBytes } = this.#state;
    if (pid === undefined || status === 'died') return;
    const now = this.#options.memoryOf(pid);
    if (now === null || Math.abs(now - (rssBytes ?? 0)) < memoryNoise * now) return;
    this.#change({ rssBytes: now });
  }

  #change(part: Partial<EngineState>): void {
    const next = { ...this.#state, ...part };
    const same = (Object.keys(next) as (keyof EngineState)[]).every((key) => next[key] === this.#state[key]);
    if (same) return;
    this.#state = next;
    this.#options.onChange(next);
  }
}
