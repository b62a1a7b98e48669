/** ONNX Runtime sessions of a container's graphs. */
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import type { Provider } from '../../../src-contract/run-events.ts';
import type { Manifest } from '../../checkpoint/manifest.ts';
import { kvNames } from '../decode/kv-cache.ts';
import { engineError } from './session-run.ts';

/** A folder whose files have been checked. */
export interface Container {
  readonly folder: string;
  readonly manifest: Manifest;
}

export type GraphName = 'vision' | 'embed' | 'decoder';

type Options = InferenceSession.SessionOptions;

/**
 * Loads one graph; `create` blocks its thread until it is done.
 * Throws 'engine-out-of-memory', or 'engine-failed' with what the provider said as detail.
 */
export async function createSession(
  container: Container,
  graph: GraphName,
  provider: Provider,
  threads: number,
): Promise<InferenceSession> {
  const { graphs, architecture } = container.manifest;
  // Trusted where it was tried: the others copy the cache to a device at every run, whatever the graph does.
  const { file } = (graph === 'decoder' && provider === 'cpu' && graphs.decoderHost) || graphs[graph];
  const path = join(container.folder, file);
  const options: Options = {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Shapes change with every chunk: a remembered pattern would only hold memory.
    enableMemPattern: false,
    // Errors come as exceptions; said twice they would end up on the terminal of a command-line user.
    logSeverityLevel: 4,
    ...(graph === 'decoder' ? keepOnDevice(provider, architecture.text.layers) : {}),
  };
  try {
    return await InferenceSession.create(path, options);
  } catch (thrown) {
    throw engineError(thrown, `ONNX Runtime can not load ${file}.`);
  }
}

/** webgpu alone can leave outputs where they are. */
function keepOnDevice(provider: Provider, layers: number): Options {
  if (provider !== 'webgpu') return {};
  const places: [string, 'cpu' | 'gpu-buffer'][] = [['logits', 'cpu']];
  for (const { present, fresh } of kvNames(layers)) places.push([present, 'gpu-buffer'], [fresh, 'cpu']);
  return { preferredOutputLocation: Object.fromEntries(places) };
}
