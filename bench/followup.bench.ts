/**
 * `followup`: time to first token of the first question on a study over that of the second, which finds the KV cache of
 * "system + images" and the slices' vision tokens.
 */
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

async function measure(container: string, repeats: number, log: Log) {
  const model = await openModel(container, { providers: ['cpu'] });
  const forcedTokens = model.tokenizer.encode('No.');
  const first: number[] = [];
  const second: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const images = syntheticSlices(32, 500 + repeat);
    const ask = (question: string) => timedRun(model, request3d(model, images, question, { forcedTokens }));
    first.push((await ask('Is there a lesion?')).firstTokenMs);
    second.push((await ask('On which side is it?')).firstTokenMs);
    log(`  first ${first.at(-1)?.toFixed(0)} ms, second ${second.at(-1)?.toFixed(0)} ms`);
  }
  await model.release();
  // The first study also warms the sessions up: it is not counted.
  const counted = { first: median(first.slice(1)), second: median(second.slice(1)) };
  return {
    ratio: counted.first / counted.second,
    firstMs: rounded(counted.first, 0),
    secondMs: rounded(counted.second, 0),
  };
}

export async function bench(log: Log): Promise<BenchResult> {
  log('252 M random parameters, fp32, cpu:');
  const large = await measure(await containerOf(await largeCheckpoint(log), 'fp32'), 4, log);
  log('readroom-mini, fp32, cpu:');
  const mini = await measure(await containerOf(miniFolder(), 'fp32'), 5, log);
  return { ratio: rounded(large.ratio), detail: { bar: '>= 15', random252M: large, readroomMini: mini } };
}
