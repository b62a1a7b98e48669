/** The checkpoints that the window can choose from: the bundled one and folders that the person added. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import type { InstalledModel, Settings } from '../../../src-contract/channels.ts';
import { type ErrorPayload, ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { Precision } from '../../../src-contract/run-events.ts';
import { bundledModels, choosePrecision, type ModelFolder } from '../../runs/model-folders.ts';
import { JsonStore } from '../json-store.ts';
import type { Emit } from '../studies/studies.ts';
import type { ModelDescription } from './model-job.ts';
import type { ModelJobs } from './model-jobs.ts';

const addedSchema = z.array(z.object({ folder: z.string() }));

interface Conversion {
  readonly controller: AbortController;
  readonly precision: Precision;
  readonly done: Promise<string>;
}

type Looked = { model: ModelDescription; problem: null } | { model: null; problem: ErrorPayload };

/** Checkpoint bytes converted a second: measured on two cores of a desktop; the progress bar tells the truth soon. */
const bytesPerSecond: Readonly<Record<Precision, number>> = { fp32: 120e6, fp16: 110e6, int4: 60e6 };

export class Models {
  readonly #added: JsonStore<typeof addedSchema>;
  readonly #jobs: ModelJobs;
  readonly #emit: Emit;
  /** What a folder holds: looked at once, and again after a conversion. */
  readonly #looked = new Map<string, Promise<Looked>>();
  readonly #conversions = new Map<string, Conversion>();
  /** Containers that were found or made in this session, by folder and precision. */
  readonly #containers = new Map<string, string>();

  constructor(file: string, jobs: ModelJobs, emit: Emit) {
    this.#added = new JsonStore(file, addedSchema, []);
    this.#jobs = jobs;
    this.#emit = emit;
  }

  async list(): Promise<InstalledModel[]> {
    return Promise.all(this.#folders().map((model) => this.#describe(model)));
  }

  /** @throws ReadroomError 'checkpoint-…' when the folder is no model that Readroom can run; it is not added then. */
  async add(folder: string): Promise<InstalledModel> {
    const model: ModelFolder = { name: basename(folder), folder, bundled: false };
    this.#looked.delete(folder);
    const looked = await this.#look(model);
    if (looked.problem) {
      this.#looked.delete(folder);
      throw ReadroomError.fromPayload(looked.problem);
    }
    if (!this.#folders().some((one) => one.folder === folder)) {
      await this.#added.set([...this.#added.value, { folder }]);
    }
    await this.#changed();
    return this.#describe(model);
  }

  /** Takes it off the list; its files, and what was converted, stay. */
  async remove(modelId: string): Promise<void> {
    const { folder, bundled } = this.find(modelId);
    if (bundled) throw new ReadroomError('input-invalid', 'The bundled model belongs to the program.');
    this.cancelConvert(modelId);
    await this.#added.set(this.#added.value.filter((one) => one.folder !== folder));
    this.#looked.delete(folder);
    await this.#changed();
  }

  /** By id; null is the bundled one. @throws ReadroomError 'checkpoint-missing-file' */
  find(modelId: string | null): ModelFolder {
    const folders = this.#folders();
    const found = modelId === null ? folders[0] : folders.find((model) => idOf(model) === modelId);
    if (found) return found;
    throw new ReadroomError('checkpoint-missing-file', 'The chosen model is not there any more.', {
      remedy: 'Choose another one in the Models panel, or add its folder again.',
    });
  }

  /** The precision that a run will use. */
  async precisionFor(model: ModelFolder, { precision }: Pick<Settings, 'precision'>): Promise<Precision> {
    const looked = await this.#look(model);
    const only = looked.model?.precisions.length === 1 ? looked.model.precisions[0].precision : undefined;
    // A folder that is a container already comes in one precision.
    return only ?? choosePrecision(model, precision);
  }

  /** Starts a conversion; events tell the rest. */
  convert(modelId: string, precision: Precision): void {
    const model = this.find(modelId);
    this.container(model, precision).catch((thrown: unknown) => {
      this.#emit('models.failed', { modelId, precision, error: toReadroomError(thrown).toPayload() });
    });
  }

  cancelConvert(modelId: string): void {
    for (const [key, { controller }] of this.#conversions) {
      if (key.startsWith(`${modelId} `)) controller.abort();
    }
  }

  /**
   * The container of a model, converted now if need be. Callers that ask for the same one share the work; `signal` ends
   * the caller's waiting and, when nobody else asked, the work.
   */
  async container(model: ModelFolder, precision: Precision, signal?: AbortSignal): Promise<string> {
    const modelId = idOf(model);
    const key = `${modelId} ${precision}`;
    const known = this.#containers.get(key);
    if (known && existsSync(known)) return known;
    let conversion = this.#conversions.get(key);
    if (!conversion) {
      const controller = new AbortController();
      const done = this.#convert(model, precision, controller.signal).finally(() => {
        this.#conversions.delete(key);
        void this.#changed();
      });
      done.catch(() => undefined);
      conversion = { controller, precision, done };
      this.#conversions.set(key, conversion);
      signal?.addEventListener('abort', () => controller.abort(), { once: true });
    }
    const containerDir = await conversion.done;
    this.#containers.set(key, containerDir);
    return containerDir;
  }

  async #convert(model: ModelFolder, precision: Precision, signal: AbortSignal): Promise<string> {
    const modelId = idOf(model);
    try {
      return await this.#jobs.convert(model.folder, precision, {
        signal,
        onProgress: ({ phase, done, total }) =>
          this.#emit('models.progress', { modelId, precision, phase, done, total }),
      });
    } finally {
      this.#looked.delete(model.folder);
    }
  }

  #folders(): ModelFolder[] {
    const added = this.#added.value.map(({ folder }) => ({ name: basename(folder), folder, bundled: false }));
    return [...bundledModels(), ...added];
  }

  async #describe(model: ModelFolder): Promise<InstalledModel> {
    const { model: description, problem } = await this.#look(model);
    const precisions = description?.precisions ?? [];
    const withState = (state: (typeof precisions)[number]['state']) =>
      precisions.filter((one) => one.state === state).map(({ precision }) => precision);
    const sourceBytes = description?.sourceBytes ?? 0;
    return {
      id: idOf(model),
      name: model.name,
      demonstration: model.bundled,
      sourceBytes,
      parameters: description?.parameters ?? 0,
      ready: withState('ready'),
      unfinished: withState('unfinished'),
      estimates: precisions.map(({ precision, bytes, memoryBytes, state }) => ({
        precision,
        bytes,
        memoryBytes,
        seconds: state === 'ready' ? 0 : Math.ceil(1 + sourceBytes / bytesPerSecond[precision]),
      })),
      problem,
    };
  }

  #look({ folder }: ModelFolder): Promise<Looked> {
    let looked = this.#looked.get(folder);
    if (!looked) {
      looked = this.#jobs.describe(folder).then(
        (model): Looked => ({ model, problem: null }),
        (thrown: unknown): Looked => {
          // Not kept: the person may put it right.
          this.#looked.delete(folder);
          return { model: null, problem: toReadroomError(thrown).toPayload() };
        },
      );
      this.#looked.set(folder, looked);
    }
    return looked;
  }

  async #changed(): Promise<void> {
    this.#emit('models.changed', { models: await this.list() });
  }
}

/** From the folder alone: the same after a restart, and it tells the window no path. */
function idOf({ folder, bundled, name }: ModelFolder): string {
  if (bundled) return `bundled-${name}`;
  return createHash('sha256').update(folder).digest('hex').slice(0, 16);
}
