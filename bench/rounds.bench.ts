/**
 * `rounds`: a 3D answer with three boxes, incremental against the reference's own algorithm (every image encoded and
 * everything prefilled again each round), on the same graphs, with the same forced tokens. Ratio = reference / ours.
 */
import type { VisionLanguageModel } from '../src-main/engine/language-model.ts';
import { openModel } from '../src-main/engine/model/open-model.ts';
import {
  type BenchResult,
  containerOf,
  type Log,
  largeCheckpoint,
  median,
  miniFolder,
  request3d,
  rounded,
  syntheticSlices,
  timedRun,
} from './bench.ts';

const answer = [
  '<think>I look at the first place <|box_start|>[10,12,3,40,44,6]<|box_end|>',
  ' and at a second one <|box_start|>[60,50,14,90,84,17]<|box_end|>',
  ' and at a third <|box_start|>[20,70,25,50,100,28]<|box_end|>',
  ' Nothing else is seen.</think>A. yes<|im_end|>',
].join('');

/** Keeps a copy of the logits of every decoded position, so that both arms can be compared number by number. */
function recordLogits(model: VisionLanguageModel, into: Float32Array[]): VisionLanguageModel {
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

interface Arms {
  readonly ratio: number;
  readonly referenceMs: number;
  readonly incrementalMs: number;
  readonly largestLogitDifference: number;
  readonly comparedLogits: number;
}

async function compare(container: string, repeats: number, log: Log): Promise<Arms> {
  const model = await openModel(container, { providers: ['cpu'] });
  const forcedTokens = model.tokenizer.encode(answer);
  const times = { reference: [] as number[], incremental: [] as number[] };
  const logits = { reference: [] as Float32Array[], incremental: [] as Float32Array[] };
  for (let repeat = 0; repeat < repeats; repeat++) {
    // Fresh slices each time: neither arm may profit from the vision cache of the run before.
    for (const arm of repeat % 2
      ? (['incremental', 'reference'] as const)
      : (['reference', 'incremental'] as const)) {
      const images = syntheticSlices(32, 100 + repeat * 2 + (arm === 'reference' ? 0 : 1));
      const sink: Float32Array[] = [];
      const same = repeat === 0 ? syntheticSlices(32, 7) : images;
      const request = request3d(model, same, 'Is there a lesion?', {
        forcedTokens,
        reencode: arm === 'reference',
      });
      const timed = await timedRun(repeat === 0 ? recordLogits(model, sink) : model, request);
      const boxes = timed.events.filter(({ type }) => type === 'crop').length;
      if (boxes !== 3) throw new Error(`${boxes} crops instead of 3`);
      if (repeat === 0) logits[arm] = sink;
      else times[arm].push(timed.totalMs);
      log(
        `  ${arm}: ${(timed.totalMs / 1000).toFixed(1)} s${repeat === 0 ? ' (first, compares logits, not counted)' : ''}`,
      );
    }
  }
  await model.release();
  if (logits.reference.length !== logits.incremental.length) throw new Error('the arms took different steps');
  let largest = 0;
  logits.reference.forEach((row, index) => {
    const other = logits.incremental[index];
    for (let i = 0; i < row.length; i++) largest = Math.max(largest, Math.abs(row[i] - other[i]));
  });
  return {
    ratio: median(times.reference) / median(times.incremental),
    referenceMs: rounded(median(times.reference), 0),
    incrementalMs: rounded(median(times.incremental), 0),
    largestLogitDifference: largest,
    comparedLogits: logits.reference.length,
  };
}

export async function bench(log: Log): Promise<BenchResult> {
  log('252 M random parameters, fp32, cpu:');
  const large = await compare(await containerOf(await largeCheckpoint(log), 'fp32'), 3, log);
  log('readroom-mini, fp32, cpu:');
  const mini = await compare(await containerOf(miniFolder(), 'fp32'), 4, log);
  return { ratio: rounded(large.ratio), detail: { bar: '>= 3', random252M: large, readroomMini: mini } };
}
