/**
 * `peer`: our engine against @huggingface/transformers (its Qwen2_5_VLForConditionalGeneration) in Node on the CPU: the
 * same weights, from the same files, the same question on a 3D study, the same forced tokens; the arms take turns.
 * Ratio = the smaller of decode and prefill speed, ours over the peer's, in fp32.
 */
import { basename, dirname, join } from 'node:path';
import {
  BaseStreamer,
  env,
  LogitsProcessor,
  LogitsProcessorList,
  type PreTrainedModel,
  Qwen2_5_VLForConditionalGeneration,
  Tensor,
  type TextStreamer,
} from '@huggingface/transformers';
import { readManifest } from '../src-main/checkpoint/verify.ts';
import type { ImagePixels, VisionLanguageModel } from '../src-main/engine/language-model.ts';
import { openModel } from '../src-main/engine/model/open-model.ts';
import { QwenImageProcessor } from '../src-main/engine/vision/image-processor.ts';
import { cacheFolder } from '../src-main/storage/locations.ts';
import {
  type BenchResult,
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
  timedRun,
} from './bench.ts';
import { writePeerModel } from './peer-graphs.ts';

const newTokens = 32;

/** What one run of one arm says. Milliseconds. */
interface Sample {
  readonly vision: number;
  readonly prefill: number;
  /** Of one token. */
  readonly decode: number;
}

interface OwnRun extends Sample {
  readonly promptIds: readonly number[];
}

async function runOurs(
  model: VisionLanguageModel,
  images: ImagePixels[],
  forcedTokens: number[],
  logits: Float32Array[],
): Promise<OwnRun> {
  model.context.rewind(0);
  const change = { forcedTokens, maxNewTokens: forcedTokens.length };
  const request = request3d(model, images, 'Is there a lesion?', change);
  const run = await timedRun(recordLogits(model, logits), request);
  const finished = run.events.find((event) => event.type === 'run-finished');
  if (!finished) throw new Error('the run did not finish');
  const { visionMs, prefillMs } = finished.timings;
  // At the limit the last token is not fed: nothing asks what follows it.
  const steps = forcedTokens.length - 1;
  return {
    vision: visionMs,
    prefill: prefillMs,
    decode: (run.totalMs - run.firstTokenMs) / steps,
    promptIds: model.context.ids.slice(0, model.context.length - steps),
  };
}

/** Makes every token the next of a list; keeps the logits as they were. */
class Forced extends LogitsProcessor {
  readonly #ids: readonly number[];
  readonly #logits: Float32Array[];
  #used = 0;

  constructor(ids: readonly number[], logits: Float32Array[]) {
    super();
    this.#ids = ids;
    this.#logits = logits;
  }

  override _call(_ids: bigint[][], logits: Tensor): Tensor {
    const data = logits.data as Float32Array;
    this.#logits.push(data.slice());
    data.fill(Number.NEGATIVE_INFINITY);
    data[this.#ids[this.#used++]] = 0;
    return logits;
  }
}

/** Notes when each token came. The first note is made before any work, when the library hands over the prompt. */
class Clock extends BaseStreamer {
  readonly notes: number[] = [];

  override put(): void {
    this.notes.push(performance.now());
  }

  override end(): void {}
}

/** The library's model with its vision tower timed. */
class Peer {
  readonly #model: PreTrainedModel;
  #visionMs = 0;

  constructor(model: PreTrainedModel) {
    this.#model = model;
    const inner = (model as unknown as { encode_image: (inputs: unknown) => Promise<Tensor> }).encode_image;
    Object.assign(model, {
      encode_image: async (inputs: unknown) => {
        const started = performance.now();
        const features = await inner.call(model, inputs);
        this.#visionMs = performance.now() - started;
        return features;
      },
    });
  }

  async run(input: PeerInput, forcedTokens: readonly number[], logits: Float32Array[]): Promise<Sample> {
    const clock = new Clock();
    const processors = new LogitsProcessorList();
    processors.push(new Forced(forcedTokens, logits));
    await this.#model.generate({
      ...input,
      max_new_tokens: forcedTokens.length,
      do_sample: false,
      logits_processor: processors,
      // The declared type asks for a text streamer; what is called is the base's.
      streamer: clock as unknown as TextStreamer,
    });
    const [start, first] = clock.notes;
    const last = clock.notes.at(-1) ?? Number.NaN;
    return {
      vision: this.#visionMs,
      prefill: first - start - this.#visionMs,
      decode: (last - first) / (forcedTokens.length - 1),
    };
  }

  async release(): Promise<void> {
    await this.#model.dispose();
  }
}

type PeerInput = Record<'input_ids' | 'attention_mask' | 'pixel_values' | 'image_grid_thw', Tensor>;

function peerInput(
  processor: QwenImageProcessor,
  images: readonly ImagePixels[],
  ids: readonly number[],
  grid: { readonly height: number; readonly width: number },
): PeerInput {
  const pixels = processor.toPixelValues(images);
  const int64 = (values: readonly number[], dims: number[]) =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  return {
    input_ids: int64(ids, [1, ids.length]),
    attention_mask: int64(new Array<number>(ids.length).fill(1), [1, ids.length]),
    pixel_values: new Tensor('float32', pixels, [
      pixels.length / processor.patchLength,
      processor.patchLength,
    ]),
    image_grid_thw: int64(
      images.flatMap(() => [1, grid.height, grid.width]),
      [images.length, 3],
    ),
  };
}

async function openPeer(folder: string): Promise<Peer> {
  // Nothing may come from anywhere but this machine.
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = dirname(folder);
  const model = await Qwen2_5_VLForConditionalGeneration.from_pretrained(basename(folder), {
    device: 'cpu',
    dtype: 'fp32',
    local_files_only: true,
  });
  return new Peer(model);
}

async function compare(source: string, precision: 'fp32' | 'int4', repeats: number, log: Log) {
  const container = await containerOf(source, precision);
  const processor = await QwenImageProcessor.load(container);
  const [sample] = syntheticSlices(1, 1);
  const { width, height } = processor.processedSize(sample.width, sample.height);
  const { patchSize } = (await readManifest(container)).architecture.vision;
  const grid = { height: height / patchSize, width: width / patchSize };
  const out = join(cacheFolder(), 'bench', `peer-${basename(source)}-${precision}`);
  await writePeerModel({ source, container, out, grid });
  const peer = await openPeer(out);
  const ours = await openModel(container, { providers: ['cpu'], featureCacheBytes: 0 });
  const forcedTokens = ours.tokenizer.encode('There is a lesion here. '.repeat(10)).slice(0, newTokens);
  const samples = { ours: [] as Sample[], peer: [] as Sample[] };
  let logitDifference = 0;
  let promptTokens = 0;
  // The first two slices warm both arms up and aren't counted.
  for (let repeat = -1; repeat < repeats; repeat++) {
    const images = syntheticSlices(repeat < 0 ? 2 : studySlices(), 900 + repeat);
    const logits = { ours: [] as Float32Array[], peer: [] as Float32Array[] };
    const own = await runOurs(ours, images, forcedTokens, logits.ours);
    const theirs = await peer.run(
      peerInput(processor, images, own.promptIds, grid),
      forcedTokens,
      logits.peer,
    );
    logitDifference = Math.max(logitDifference, largestDifference(logits.ours, logits.peer));
    if (repeat < 0) continue;
    promptTokens = own.promptIds.length;
    samples.ours.push(own);
    samples.peer.push(theirs);
    const say = (name: string, { vision, prefill, decode }: Sample) =>
      log(
        `  ${name}: vision ${vision.toFixed(0)} ms, prefill ${prefill.toFixed(0)} ms, ${decode.toFixed(1)} ms a token`,
      );
    say('ours', own);
    say('peer', theirs);
  }
  await peer.release();
  await ours.release();
  const middle = (arm: 'ours' | 'peer', what: keyof Sample) =>
    median(samples[arm].map((sample) => sample[what]));
  const ratio = (what: keyof Sample) => rounded(middle('peer', what) / middle('ours', what));
  const speeds = (arm: 'ours' | 'peer') => ({
    decodeTokensPerSecond: rounded(1000 / middle(arm, 'decode')),
    prefillTokensPerSecond: rounded((1000 * promptTokens) / middle(arm, 'prefill'), 1),
    visionMs: rounded(middle(arm, 'vision'), 0),
  });
  return {
    decodeRatio: ratio('decode'),
    prefillRatio: ratio('prefill'),
    visionRatio: ratio('vision'),
    ours: speeds('ours'),
    peer: speeds('peer'),
    promptTokens,
    newTokens,
    repeats,
    largestLogitDifference: logitDifference,
  };
}

export async function bench(log: Log): Promise<BenchResult> {
  const before = machine();
  const large = await largeCheckpoint(log);
  log('270 M random parameters, fp32, cpu:');
  const fp32 = await compare(large, 'fp32', repeatsOf(3), log);
  log('270 M random parameters, int4, cpu:');
  const int4 = await compare(large, 'int4', repeatsOf(3), log);
  log('readroom-mini, fp32, cpu:');
  const mini = await compare(miniFolder(), 'fp32', repeatsOf(5), log);
  return {
    ratio: Math.min(fp32.decodeRatio, fp32.prefillRatio),
    detail: {
      bar: '>= 1',
      peer: `@huggingface/transformers ${env.version}, Qwen2_5_VLForConditionalGeneration, onnxruntime-node`,
      study: `${studySlices()} slices`,
      graphs:
        "in the peer's layout, with the operators of ours and on the same weight files; its vision graph knows one " +
        'size of image, since the library leaves window tables to the graph',
      random270M: { imageSize: "252 x 252, by the 7B's own pixel bounds", fp32, int4 },
      readroomMini: { imageSize: "112 x 112, by that checkpoint's pixel bounds", fp32: mini },
      machine: before,
    },
  };
}
