/** What benchmarks share: their form, medians, and the models that they are measured on. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRequest } from '../src-contract/engine-protocol.ts';
import { runRequestSchema } from '../src-contract/engine-protocol.ts';
import type { RunEvent } from '../src-contract/run-events.ts';
import { ensureContainer } from '../src-main/checkpoint/container-cache.ts';
import { writeRandomCheckpoint } from '../src-main/checkpoint/random-checkpoint.ts';
import { runGrounded } from '../src-main/engine/grounding/loop.ts';
import { formatPrompt } from '../src-main/engine/grounding/prompts.ts';
import type { ImagePixels, VisionLanguageModel } from '../src-main/engine/language-model.ts';
import { buildChain, storedOrientation } from '../src-main/slices/affine-chain.ts';
import { seededRandom } from '../src-main/slices/random-box.ts';
import { withProcessor } from '../src-main/slices/serialise.ts';
import { bundledModelsFolder, cacheFolder, containersFolder } from '../src-main/storage/locations.ts';

export interface BenchResult {
  /** The figure that the issue sets a bar for. */
  readonly ratio: number;
  readonly detail: Record<string, unknown>;
}
export type Log = (text: string) => void;

export const miniFolder = (): string => join(bundledModelsFolder(), 'readroom-mini');

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** A random checkpoint of 252 M parameters with the 7B's proportions; made once and kept in the cache. */
export async function largeCheckpoint(log: Log): Promise<string> {
  const folder = join(cacheFolder(), 'bench', 'random-252m');
  const done = join(folder, 'config.json');
  if (!existsSync(join(folder, 'whole'))) {
    log('Writing a random checkpoint of 252 M parameters …');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await writeRandomCheckpoint({ out: folder, tokenizerFrom: miniFolder() });
    mkdirSync(join(folder, 'whole'));
  }
  if (!existsSync(done)) throw new Error(`${folder} is damaged: delete it`);
  return folder;
}

export const containerOf = (model: string, precision: 'fp32' | 'int4'): Promise<string> =>
  ensureContainer({ model, precision, cacheRoot: containersFolder() });

/** 32 slices of noise with structure, so that no two are equal: what a cache can't help with. */
export function syntheticSlices(count: number, seed: number, size = 256): ImagePixels[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const data = new Uint8Array(size * size);
    const [fx, fy, phase] = [random() * 0.1, random() * 0.1, random() * 6];
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        data[y * size + x] = 110 + 70 * Math.sin(fx * x + fy * y + phase) + 40 * random();
      }
    }
    return { width: size, height: size, channels: 1 as const, data };
  });
}

export function request3d(
  model: VisionLanguageModel,
  images: ImagePixels[],
  question: string,
  change: { forcedTokens?: number[]; reencode?: boolean; maxNewTokens?: number },
): RunRequest {
  const { width, height } = images[0];
  const processed = model.imageProcessor.processedSize(width, height);
  const size: [number, number, number] = [width, height, images.length];
  const chain = buildChain({
    sourceToPatient: null,
    sourceSize: size,
    orientation: storedOrientation,
    gridSize: size,
    serialization: 'reference',
  });
  return runRequestSchema.parse({
    runId: 'bench',
    mode: '3d',
    images,
    promptText: formatPrompt('3d', question, { A: 'yes', B: 'no' }),
    limits: { maxNewTokens: change.maxNewTokens ?? 512, maxRounds: 10, tokensPerRound: 128 },
    chain: withProcessor(chain, processed.width, processed.height),
    forcedTokens: change.forcedTokens,
    reencode: change.reencode,
  });
}

export interface TimedRun {
  readonly totalMs: number;
  readonly firstTokenMs: number;
  readonly events: RunEvent[];
}

/** Runs and times one request; a run that did not end as forced is an error, so that no bench measures a failure. */
export async function timedRun(model: VisionLanguageModel, request: RunRequest): Promise<TimedRun> {
  const events: RunEvent[] = [];
  const started = performance.now();
  let firstTokenMs = Number.NaN;
  const outcome = await runGrounded(model, request, (event) => {
    if (event.type === 'token' && Number.isNaN(firstTokenMs)) firstTokenMs = performance.now() - started;
    events.push(event);
  });
  const totalMs = performance.now() - started;
  if (outcome.stopReason === 'failed') throw new Error(outcome.error?.message ?? 'the run failed');
  return { totalMs, firstTokenMs, events };
}
