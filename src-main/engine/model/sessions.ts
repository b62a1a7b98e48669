/** The three ONNX Runtime sessions of a container on one provider. */
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Provider } from '../../../src-contract/run-events.ts';
import type { Manifest } from '../../checkpoint/manifest.ts';
import { kvNames } from '../decode/kv-cache.ts';
import { engineError } from './session-run.ts';

/** A folder whose files have been checked. */
export interface Container {
  readonly folder: string;
  readonly manifest: Manifest;
}

export interface Sessions {
  readonly vision: InferenceSession;
  readonly embed: InferenceSession;
  readonly decoder: InferenceSession;
}

export interface SessionSettings {
  readonly provider: Provider;
  readonly threads: number;
  readonly signal?: AbortSignal;
  /** Graphs loaded so far, of 3. */
  readonly onProgress?: (done: number, total: number) => void;
}

type Options = InferenceSession.SessionOptions;

/**
 * Loads embed, decoder and vision, in this order. `create` blocks its thread, so a cancel is heeded between graphs.
 * The embedding table is always read on the cpu: its rows meet the image features in this process's memory.
 * Throws what the provider says, unless memory ran out ('engine-out-of-memory').
 */
export async function createSessions(container: Container, settings: SessionSettings): Promise<Sessions> {
  const { graphs, architecture } = container.manifest;
  const base: Options = {
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Shapes change with every chunk: a remembered pattern would only hold memory.
    enableMemPattern: false,
    enableCpuMemArena: true,
    // Errors come as exceptions; warnings would end up on the terminal of a command-line user.
    logSeverityLevel: 3,
  };
  const onDevice: Options = { ...base, executionProviders: [settings.provider] };
  const plan: [keyof Sessions, Options][] = [
    ['embed', { ...base, executionProviders: ['cpu'] }],
    ['decoder', { ...onDevice, ...keepOnDevice(settings.provider, architecture.text.layers) }],
    ['vision', onDevice],
  ];
  const made: Partial<Record<keyof Sessions, InferenceSession>> = {};
  try {
    for (const [index, [name, options]] of plan.entries()) {
      if (settings.signal?.aborted) throw new ReadroomError('cancelled', 'Cancelled.');
      made[name] = await create(join(container.folder, graphs[name].file), options);
      settings.onProgress?.(index + 1, plan.length);
    }
  } catch (thrown) {
    await releaseSessions(made);
    throw thrown;
  }
  return made as Sessions;
}

export async function releaseSessions(sessions: Partial<Sessions>): Promise<void> {
  for (const session of Object.values(sessions)) await session.release();
}

/** webgpu alone can leave outputs where they are. */
function keepOnDevice(provider: Provider, layers: number): Options {
  if (provider !== 'webgpu') return {};
  const places: [string, 'cpu' | 'gpu-buffer'][] = [['logits', 'cpu']];
  for (const { present, fresh } of kvNames(layers)) places.push([present, 'gpu-buffer'], [fresh, 'cpu']);
  return { preferredOutputLocation: Object.fromEntries(places) };
}

async function create(path: string, options: Options): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(path, options);
  } catch (thrown) {
    throw engineError(thrown, `ONNX Runtime can not load ${path}.`);
  }
}
