/**
 * `followup`: time to first token of the first question on a study over that of the second, which finds the KV cache of
 * "system + images" and the slices' vision tokens.
 */
import { openModel } from '../src-main/engine/model/open-model.ts';
import {
  type BenchResult,
  benchThreads,
  containerOf,
  type Log,
  largeCheckpoint,
  machine,
  median,
  miniFolder,
  repeatsOf,
  request3d,
  rounded,
  studySlices,
  syntheticSlices,
  type TimedRun,
  timedRun,
} from './bench.ts';

async function measure(container: string, repeats: number, log: Log) {
  const model = await openModel(container, { providers: ['cpu'], threads: benchThreads() });
  // One token, which is not decoded further: the run is its first token and nothing else.
  const forcedTokens = model.tokenizer.encode('A').slice(0, 1);
  const ask = (images: ReturnType<typeof syntheticSlices>, question: string) =>
    timedRun(model, request3d(model, images, question, { forcedTokens, maxNewTokens: 1 }));
  await ask(syntheticSlices(32, 1, 64), 'Is there a lesion?');
  const first: TimedRun[] = [];
  const second: TimedRun[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const images = syntheticSlices(studySlices(), 500 + repeat);
    first.push(await ask(images, 'Is there a lesion?'));
    second.push(await ask(images, 'On which side is the lesion?'));
    log(
      `  first ${first.at(-1)?.firstTokenMs.toFixed(0)} ms, second ${second.at(-1)?.firstTokenMs.toFixed(0)} ms`,
    );
  }
  const contextTokens = model.context.length;
  await model.release();
  const wall = (runs: TimedRun[]) => median(runs.map(({ firstTokenMs }) => firstTokenMs));
  const cpu = (runs: TimedRun[]) => median(runs.map(({ cpuMs }) => cpuMs));
  return {
    ratio: rounded(wall(first) / wall(second)),
    ratioOfProcessorTime: rounded(cpu(first) / cpu(second)),
    firstMs: rounded(wall(first), 0),
    secondMs: rounded(wall(second), 0),
    repeats,
    contextTokens,
  };
}

export async function bench(log: Log): Promise<BenchResult> {
  const before = machine();
  log('270 M random parameters, fp32, cpu:');
  const large = await measure(await containerOf(await largeCheckpoint(log), 'fp32'), repeatsOf(3), log);
  log('readroom-mini, fp32, cpu:');
  const mini = await measure(await containerOf(miniFolder(), 'fp32'), repeatsOf(5), log);
  return {
    ratio: large.ratio,
    detail: {
      bar: '>= 15',
      study: `${studySlices()} slices of 256 x 256`,
      random270M: { imageSize: "252 x 252, by the 7B's own pixel bounds", ...large },
      readroomMini: { imageSize: "112 x 112, by that checkpoint's pixel bounds", ...mini },
      machine: before,
    },
  };
}
