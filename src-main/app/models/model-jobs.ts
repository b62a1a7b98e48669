/** Runs model jobs: one process each, which ends when its work is done. */
import type { ErrorPayload } from '../../../src-contract/errors.ts';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Precision } from '../../../src-contract/run-events.ts';
import type { Transport } from '../../engine/host/transport.ts';
import {
  type ModelDescription,
  type ModelJobMessage,
  type ModelTask,
  modelJobMessageSchema,
  stopMessage,
} from './model-job.ts';

export interface JobHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { phase: string; done: number; total: number }) => void;
}

export class ModelJobs {
  readonly #transport: Transport;
  readonly #cacheRoot: string;

  constructor(transport: Transport, cacheRoot: string) {
    this.#transport = transport;
    this.#cacheRoot = cacheRoot;
  }

  /** @throws ReadroomError what is wrong with the folder */
  async describe(folder: string): Promise<ModelDescription> {
    const said = await this.#run({ task: 'describe', folder, cacheRoot: this.#cacheRoot }, {});
    if (said.kind === 'described') return said.model;
    throw unexpected(said);
  }

  /**
   * The container of a checkpoint, made where it is not there yet; a conversion that was stopped goes on where it was.
   * @throws ReadroomError what is wrong with the folder, 'cancelled', 'disk-full'
   */
  async convert(folder: string, precision: Precision, hooks: JobHooks): Promise<string> {
    const task: ModelTask = { task: 'convert', folder, precision, cacheRoot: this.#cacheRoot };
    const said = await this.#run(task, hooks);
    if (said.kind === 'converted') return said.containerDir;
    throw unexpected(said);
  }

  #run(task: ModelTask, { signal, onProgress }: JobHooks): Promise<ModelJobMessage> {
    if (signal?.aborted) return Promise.reject(new ReadroomError('cancelled', 'Cancelled.'));
    const connection = this.#transport.start();
    return new Promise<ModelJobMessage>((resolve, reject) => {
      const onAbort = (): void => connection.send(stopMessage);
      let failure: ErrorPayload | null = null;
      let result: ModelJobMessage | null = null;
      signal?.addEventListener('abort', onAbort, { once: true });
      connection.onStderr(() => undefined);
      connection.onMessage((raw) => {
        const message = modelJobMessageSchema.safeParse(raw).data;
        if (message?.kind === 'ready') {
          connection.send(task);
          if (signal?.aborted) onAbort();
        } else if (message?.kind === 'progress') onProgress?.(message);
        else if (message) {
          if (message.kind === 'failed') failure = message.error;
          else result = message;
          connection.close();
        }
      });
      connection.onExit(({ code, signal: killed }) => {
        signal?.removeEventListener('abort', onAbort);
        if (result) resolve(result);
        else if (failure) reject(ReadroomError.fromPayload(failure));
        else {
          reject(
            new ReadroomError('internal', 'The process that reads the model ended before it was done.', {
              detail: killed ? `signal ${killed}` : `exit code ${code ?? 'unknown'}`,
              remedy: 'Try again: a conversion goes on where it stopped.',
            }),
          );
        }
      });
    });
  }
}

function unexpected(message: ModelJobMessage): ReadroomError {
  return new ReadroomError('internal', `A model job answered with '${message.kind}'.`);
}
