/**
 * `rounds`: a 3D answer with three boxes, incremental against the reference's own algorithm (every image encoded and
 * everything prefilled again each round), on the same graphs, with the same forced tokens. Ratio = reference / ours.
 */
import { openModel } from '../src-main/engine/model/open-model.ts';
import {
  type BenchResult,
  benchThreads,
  containerOf,
  type Log,
  largeCheckpoint,
  largestDifference,
  machine,
  median,
  miniFolder,
  recordLogits,
  repeatsOf,
  request3d,
  rounded,
  studySlices,
  syntheticSlices,
  type TimedRun,
  timedRun,
} from './bench.ts';

/** Terse: on a model this small a token costs ten times as much of a prefill as on the 7B. */
const answer = [
  '<think><|box_start|>[10,12,3,40,44,6]<|box_end|>',
  ' and <|box_start|>[60,50,14,90,84,17]<|box_end|>',
  ' and <|box_start|>[20,70,25,50,100,28]<|box_end|>',
  '</think>A. yes<|im_end|>',
].join('');

const arms = ['reference', 'incremental'] as const;
type Arm = (typeof arms)[number];

async function compare(container: string, repeats: number, log: Log) {
  // Without a memory of earlier images, and from an empty KV cache, every run of either arm starts cold.
  const model = await openModel(container, {
    providers: ['cpu'],
    threads: benchThreads(),
    featureCacheBytes: 0,
  });
  const forcedTokens = model.tokenizer.encode(answer);
  const ask = (images: ReturnType<typeof syntheticSlices>, arm: Arm) =>
    request3d(model, images, 'Is there a lesion?', { forcedTokens, reencode: arm === 'reference' });
  await timedRun(model, ask(syntheticSlices(32, 1, 64), 'incremental'));
  const runs: Record<Arm, TimedRun[]> = { reference: [], incremental: [] };
  let logitDifference = 0;
  let comparedLogits = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const images = syntheticSlices(studySlices(), 100 + repeat);
    const logits: Record<Arm, Float32Array[]> = { reference: [], incremental: [] };
    for (const arm of repeat % 2 ? arms.toReversed() : arms) {
      model.context.rewind(0);
      const run = await timedRun(recordLogits(model, logits[arm]), ask(images, arm));
      const crops = run.events.filter(({ type }) => type === 'crop').length;
      if (crops !== 3) throw new Error(`${crops} crops instead of 3`);
      runs[arm].push(run);
      log(`  ${arm}: ${(run.totalMs / 1000).toFixed(1)} s`);
    }
    logitDifference = Math.max(logitDifference, largestDifference(logits.reference, logits.incremental));
    comparedLogits += logits.reference.length;
  }
  const contextTokens = model.context.length;
  await model.release();
  const wall = (arm: Arm) => median(runs[arm].map(({ totalMs }) => totalMs));
  const cpu = (arm: Arm) => median(runs[arm].map(({ cpuMs }) => cpuMs));
  return {
    ratio: rounded(wall('reference') / wall('incremental')),
    ratioOfProcessorTime: rounded(cpu('reference') / cpu('incremental')),
    referenceMs: rounded(wall('reference'), 0),
    incrementalMs: rounded(wall('incremental'), 0),
    repeats,
    contextTokens,
    forcedTokens: forcedTokens.length,
    largestLogitDifference: logitDifference,
    comparedLogits,
  };
}

export async function bench(log: Log): Promise<BenchResult> {
  const before = machine();
  log('270 M random parameters, fp32, cpu:');
  const source = await largeCheckpoint(log);
  const large = await compare(await containerOf(source, 'fp32'), repeatsOf(3), log);
  log('270 M random parameters, int4, cpu:');
  const int4 = await compare(await containerOf(source, 'int4'), repeatsOf(1), log);
  log('readroom-mini, fp32, cpu:');
  const mini = await compare(await containerOf(miniFolder(), 'fp32'), repeatsOf(5), log);
  return {
    ratio: large.ratio,
    detail: {
      bar: '>= 3, logits equal to 1e-3',
      study: `${studySlices()} slices of 256 x 256, 3 boxes of 3 slices each`,
      random270M: { imageSize: "252 x 252, by the 7B's own pixel bounds", ...large },
      // How the 7B runs on a CPU. Activations are rounded to 8 bits there, so equal sums in another order differ more.
      random270MInInt4: int4,
      readroomMini: { imageSize: "112 x 112, by that checkpoint's pixel bounds", ...mini },
      machine: before,
    },
  };
}
