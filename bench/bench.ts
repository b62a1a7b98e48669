/** What benchmarks share: their form, medians, and the models that they are measured on. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { RunRequest } from '../src-contract/engine-protocol.ts';
import { runRequestSchema } from '../src-contract/engine-protocol.ts';
import type { RunEvent } from '../src-contract/run-events.ts';
import { ensureContainer } from '../src-main/checkpoint/container-cache.ts';
import { writeRandomCheckpoint } from '../src-main/checkpoint/random-checkpoint.ts';
import { seededRandom } from '../src-main/engine/decode/random.ts';
import { runGrounded } from '../src-main/engine/grounding/loop.ts';
import { formatPrompt } from '../src-main/engine/grounding/prompts.ts';
import type { ImagePixels, VisionLanguageModel } from '../src-main/engine/language-model.ts';
import { physicalCores } from '../src-main/engine/model/threads.ts';
import { buildChain, storedOrientation } from '../src-main/slices/affine-chain.ts';
import { withProcessor } from '../src-main/slices/serialise.ts';
import { bundledModelsFolder, cacheFolder, containersFolder } from '../src-main/storage/locations.ts';

export interface BenchResult {
  /** The figure that the issue sets a bar for. */
  readonly ratio: number;
  readonly detail: Record<string, unknown>;
}
export type Log = (text: string) => void;

/** The embedded model; READROOM_BENCH_MINI names another small checkpoint in its place. */
export const miniFolder = (): string =>
  process.env.READROOM_BENCH_MINI || join(bundledModelsFolder(), 'readroom-mini');

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** Slices of the 3D study that is asked about: the reference's 32, or fewer for a quick look. */
export const studySlices = (): number => Number(process.env.READROOM_BENCH_SLICES || 32);

/** How often a measurement is repeated: as the bench says, or less for a quick look. */
export const repeatsOf = (usual: number): number => Number(process.env.READROOM_BENCH_REPEATS || usual);

/**
 * Threads of both arms: as many as the engine would take, or READROOM_BENCH_THREADS. With one, no thread ever waits for
 * another, and processor time is work: the figure to take on a machine that others use too.
 */
export const benchThreads = (): number => Number(process.env.READROOM_BENCH_THREADS || physicalCores());

/** Bounds on the pixels of an image as Qwen2.5-VL-7B's own preprocessor_config.json has them. */
const boundsOf7B = { min_pixels: 3136, max_pixels: 12_845_056 };

/** As in the 7B, 8 % of all weights: a study's slices cost a third of what its prefill costs. */
const visionOf7B = {
  depth: 7,
  hidden_size: 448,
  intermediate_size: 1200,
  num_heads: 7,
  fullatt_block_indexes: [6],
};

/**
 * A random checkpoint of 270 M parameters with the 7B's proportions; made once and kept in the cache. Images are resized
 * as the 7B resizes them (a 256 x 256 slice is 252 x 252, 81 tokens), not to the embedded model's 112 x 112: what a study
 * costs is mostly its number of tokens.
 */
export async function largeCheckpoint(log: Log): Promise<string> {
  const tokenizerFrom = miniFolder();
  const tokenizer = createHash('sha256').update(readFileSync(join(tokenizerFrom, 'tokenizer.json')));
  const name = `random-270m-${tokenizer.digest('hex').slice(0, 8)}`;
  const folder = join(cacheFolder(), 'bench', name);
  const whole = join(folder, 'whole');
  if (!existsSync(whole)) {
    log('Writing a random checkpoint of 270 M parameters …');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await writeRandomCheckpoint({ out: folder, tokenizerFrom, vision: visionOf7B });
    writeBoundsOf7B(folder);
    mkdirSync(whole);
  }
  return folder;
}

/** Gives a checkpoint made from another's files the 7B's bounds on pixels. */
export function writeBoundsOf7B(folder: string): void {
  const processor = join(folder, 'preprocessor_config.json');
  const config = JSON.parse(readFileSync(processor, 'utf8')) as Record<string, unknown>;
  // The other spelling of the bounds, which newer files have.
  const size = { shortest_edge: boundsOf7B.min_pixels, longest_edge: boundsOf7B.max_pixels };
  writeFileSync(processor, JSON.stringify({ ...config, ...boundsOf7B, size }));
}

export const containerOf = (model: string, precision: 'fp32' | 'int4'): Promise<string> =>
  ensureContainer({ model, precision, cacheRoot: containersFolder() });

/** What a reader of a figure has to know of the machine, and of what else it was doing. */
export function machine(): Record<string, unknown> {
  const [{ model }] = cpus();
  return {
    cpu: `${model.trim()}, ${cpus().length} logical cores`,
    threads: benchThreads(),
    loadAverage: rounded(loadavg()[0]),
  };
}

/** Slices of noise with structure, so that no two are equal: what a cache can't help with. */
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

interface RequestChange {
  readonly forcedTokens?: number[];
  readonly reencode?: boolean;
  readonly maxNewTokens?: number;
}

type ForProcessor = Pick<VisionLanguageModel, 'imageProcessor'>;

export const request3d = (
  model: ForProcessor,
  images: ImagePixels[],
  question: string,
  change: RequestChange,
): RunRequest => request('3d', model, images, question, change);

export const request2d = (
  model: ForProcessor,
  image: ImagePixels,
  question: string,
  change: RequestChange,
): RunRequest => request('2d', model, [image], question, change);

function request(
  mode: '2d' | '3d',
  model: ForProcessor,
  images: ImagePixels[],
  question: string,
  change: RequestChange,
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
    mode,
    images,
    promptText: formatPrompt(mode, question, { A: 'yes', B: 'no' }),
    limits: { maxNewTokens: change.maxNewTokens ?? 512, maxRounds: 10, tokensPerRound: 128 },
    chain: withProcessor(chain, processed.width, processed.height),
    forcedTokens: change.forcedTokens,
    reencode: change.reencode,
  });
}

export function cpuMsSince(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

export interface TimedRun {
  readonly totalMs: number;
  readonly firstTokenMs: number;
  /** Processor time of all threads: what other programs on the machine change least. */
  readonly cpuMs: number;
  /** The same until the images were encoded, and until the first token. */
  readonly visionCpuMs: number;
  readonly firstTokenCpuMs: number;
  readonly events: RunEvent[];
}

/** Runs and times one request; a run that did not end as forced is an error, so that no bench measures a failure. */
export async function timedRun(model: VisionLanguageModel, request: RunRequest): Promise<TimedRun> {
  const events: RunEvent[] = [];
  const cpu = process.cpuUsage();
  const started = performance.now();
  let firstTokenMs = Number.NaN;
  let visionCpuMs = Number.NaN;
  let firstTokenCpuMs = Number.NaN;
  const outcome = await runGrounded(model, request, (event) => {
    if (event.type === 'token' && Number.isNaN(firstTokenMs)) {
      firstTokenMs = performance.now() - started;
      firstTokenCpuMs = cpuMsSince(cpu);
    } else if (event.type === 'progress' && event.phase === 'vision' && event.done === event.total) {
      visionCpuMs = cpuMsSince(cpu);
    }
    events.push(event);
  });
  const totalMs = performance.now() - started;
  const cpuMs = cpuMsSince(cpu);
  if (outcome.stopReason === 'failed') throw new Error(outcome.error?.message ?? 'the run failed');
  return { totalMs, firstTokenMs, cpuMs, visionCpuMs, firstTokenCpuMs, events };
}

/** Keeps a copy of the logits of every decoded position, so that both arms can be compared number by number. */
export function recordLogits(model: VisionLanguageModel, into: Float32Array[]): VisionLanguageModel {
  const { context } = model;
  const recording = Object.create(context, {
    append: {
      value: async (...args: Parameters<typeof context.append>) => {
        const logits = await context.append(...args);
        into.push(logits.slice());
        return logits;
      },
    },
    setPrompt: {
      value: async (...args: Parameters<typeof context.setPrompt>) => {
        const result = await context.setPrompt(...args);
        into.push(result.logits.slice());
        return result;
      },
    },
    rewind: { value: (length: number) => context.rewind(length) },
    length: { get: () => context.length },
    ids: { get: () => context.ids },
  });
  return Object.create(model, { context: { value: recording } });
}

/** Over all positions and words; the arms must have taken the same steps. */
export function largestDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  if (a.length !== b.length) throw new Error(`the arms took different steps: ${a.length}, ${b.length}`);
  let largest = 0;
  a.forEach((row, index) => {
    const other = b[index];
    for (let i = 0; i < row.length; i++) largest = Math.max(largest, Math.abs(row[i] - other[i]));
  });
  return largest;
}
