/** Bringing a checkpoint into the engine: converted once, loaded. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelFacts, Precision, Provider } from '../../src-contract/run-events.ts';
import { ensureContainer } from '../checkpoint/container-cache.ts';
import type { ConversionProgress } from '../checkpoint/convert.ts';
import { manifestFileName } from '../checkpoint/manifest.ts';
import { readManifest } from '../checkpoint/verify.ts';
import type { EngineHost } from '../engine/host/client.ts';
import { containersFolder } from '../storage/locations.ts';
import { choosePrecision, type ModelFolder } from './model-folders.ts';

export interface LoadHooks {
  readonly signal?: AbortSignal;
  readonly onConvert?: (progress: ConversionProgress) => void;
  readonly onLoad?: (done: number, total: number) => void;
}

/** Converts the checkpoint if that has not been done yet, and loads it. */
export async function loadModel(
  engine: EngineHost,
  model: ModelFolder,
  wish: { precision: Precision | 'auto'; provider: Provider | 'auto'; threads?: number },
  { signal, onConvert, onLoad }: LoadHooks = {},
): Promise<ModelFacts> {
  // A container has the precision it was made with: 'auto' takes it as it is.
  const isContainer = existsSync(join(model.folder, manifestFileName));
  const precision =
    isContainer && wish.precision === 'auto'
      ? (await readManifest(model.folder)).precision
      : choosePrecision(model, wish.precision);
  const containerDir = await ensureContainer({
    model: model.folder,
    precision,
    cacheRoot: containersFolder(),
    signal,
    onProgress: onConvert,
  });
  return engine.call(
    'load',
    { containerDir, provider: wish.provider, threads: wish.threads },
    {
      signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.phase === 'load') onLoad?.(event.done, event.total);
      },
    },
  );
}
