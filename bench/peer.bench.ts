/**
 * `peer`: our engine against @huggingface/transformers (its Qwen2_5_VLForConditionalGeneration) in Node on the CPU: the
 * same weights, from the same files, the same question on a 3D study, the same forced tokens; the arms take turns.
 * Ratio = the smaller of decode and prefill speed, ours over the peer's, in fp32.
 */
import { basename, dirname, join } from 'node:path';
import {
  AutoImageProcessor,
  BaseStreamer,
  env,
  LogitsProcessor,
  LogitsProcessorList,
  type PreTrainedModel,
  Qwen2_5_VLForConditionalGeneration,
  RawImage,
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
  benchThreads,
  containerOf,
  cpuMsSince,
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

interface Times {
  /** From 8-bit slices to pixel_values, by each one's own processor. */
  readonly preparation: number;
  /** From pixel_values to vision tokens. */
  readonly tower: number;
  readonly prefill: number;
  /** Of one token. */
  readonly decode: number;
}

/** What one run of one arm says, in milliseconds of the clock and of all threads' processor time. */
interface Sample {
  readonly wall: Times;
  readonly cpu: Times;
}

interface OwnRun extends Sample {
  readonly promptIds: readonly number[];
}

async function runOurs(
  model: VisionLanguageModel,
  processor: QwenImageProcessor,
  images: ImagePixels[],
  forcedTokens: number[],
  logits: Float32Array[],
): Promise<OwnRun> {
  // The engine's vision time includes its preparation, which is timed by doing it once more.
  const preparing = process.cpuUsage();
  const started = performance.now();
  processor.toPixelValues(images);
  const preparation = { wall: performance.now() - started, cpu: cpuMsSince(preparing) };
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
    wall: {
      preparation: preparation.wall,
      tower: visionMs - preparation.wall,
      prefill: prefillMs,
      decode: (run.totalMs - run.firstTokenMs) / steps,
    },
    cpu: {
      preparation: preparation.cpu,
      tower: run.visionCpuMs - preparation.cpu,
      prefill: run.firstTokenCpuMs - run.visionCpuMs,
      decode: (run.cpuMs - run.firstTokenCpuMs) / steps,
    },
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
  readonly notes: { readonly wall: number; readonly cpu: number }[] = [];

  override put(): void {
    this.notes.push({ wall: performance.now(), cpu: cpuMsSince() });
  }

  override end(): void {}
}

/** The library's model with its vision tower timed. */
class Peer {
  readonly #model: PreTrainedModel;
  readonly #processor: ImageProcessor;
  #tower = { wall: 0, cpu: 0 };

  constructor(model: PreTrainedModel, processor: ImageProcessor) {
    this.#model = model;
    this.#processor = processor;
    const inner = (model as unknown as { encode_image: (inputs: unknown) => Promise<Tensor> }).encode_image;
    Object.assign(model, {
      encode_image: async (inputs: unknown) => {
        const cpu = process.cpuUsage();
        const started = performance.now();
        const features = await inner.call(model, inputs);
        this.#tower = { wall: performance.now() - started, cpu: cpuMsSince(cpu) };
        return features;
      },
    });
  }

  async run(
    images: readonly ImagePixels[],
    input: PeerInput,
    forcedTokens: readonly number[],
    logits: Float32Array[],
  ): Promise<Sample> {
    const preparation = await this.#prepare(images);
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
    const last = clock.notes.at(-1)!;
    const times = (of: 'wall' | 'cpu'): Times => ({
      preparation: preparation[of],
      tower: this.#tower[of],
      prefill: first[of] - start[of] - this.#tower[of],
      decode: (last[of] - first[of]) / (forcedTokens.length - 1),
    });
    return { wall: times('wall'), cpu: times('cpu') };
  }

  /**
   * What the library's own processor takes: image by image, since it makes frames of a video of several.
   * What comes out is not used: it resizes with another filter, and both arms are to see the same pixels.
   */
  async #prepare(images: readonly ImagePixels[]): Promise<{ wall: number; cpu: number }> {
    const raw = images.map(
      ({ data, width, height, channels }) => new RawImage(data, width, height, channels),
    );
    const cpu = process.cpuUsage();
    const started = performance.now();
    await Promise.all(raw.map((image) => this.#processor(image)));
    return { wall: performance.now() - started, cpu: cpuMsSince(cpu) };
  }

  async release(): Promise<void> {
    await this.#model.dispose();
  }
}

type ImageProcessor = Awaited<ReturnType<typeof AutoImageProcessor.from_pretrained>>;
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
    session_options: { intraOpNumThreads: benchThreads() },
  });
  return new Peer(
    model,
    await AutoImageProcessor.from_pretrained(basename(folder), { local_files_only: true }),
  );
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
  const ours = await openModel(container, {
    providers: ['cpu'],
    threads: benchThreads(),
    featureCacheBytes: 0,
  });
  const forcedTokens = ours.tokenizer.encode('There is a lesion here. '.repeat(10)).slice(0, newTokens);
  const samples = { ours: [] as Sample[], peer: [] as Sample[] };
  let promptIds: readonly number[] = [];
  let logitDifference = 0;
  // The first run of each warms up, tells the prompt's ids, and is not counted.
  for (let repeat = -1; repeat < repeats; repeat++) {
    const images = syntheticSlices(studySlices(), 900 + repeat);
    const logits = { ours: [] as Float32Array[], peer: [] as Float32Array[] };
    const arms = {
      async ours() {
        const own = await runOurs(ours, processor, images, forcedTokens, logits.ours);
        promptIds = own.promptIds;
        return own;
      },
      peer: () => peer.run(images, peerInput(processor, images, promptIds, grid), forcedTokens, logits.peer),
    };
    // Whoever goes second finds another machine: another clock speed, other neighbours.
    for (const arm of repeat % 2 === 0 ? (['peer', 'ours'] as const) : (['ours', 'peer'] as const)) {
      const sample = await arms[arm]();
      if (repeat < 0) continue;
      samples[arm].push(sample);
      const { preparation, tower, prefill, decode } = sample.wall;
      const whole = [preparation, tower, prefill].map((time) => time.toFixed(0));
      log(`  ${arm}: preparation, tower, prefill ${whole.join(', ')} ms, ${decode.toFixed(1)} ms a token`);
    }
    logitDifference = Math.max(logitDifference, largestDifference(logits.ours, logits.peer));
  }
  await peer.release();
  await ours.release();
  const middle = (arm: 'ours' | 'peer', of: (times: Times) => number, clock: 'wall' | 'cpu' = 'wall') =>
    median(samples[arm].map((sample) => of(sample[clock])));
  const ratios = (clock: 'wall' | 'cpu') => {
    const ratio = (of: (times: Times) => number) =>
      rounded(middle('peer', of, clock) / middle('ours', of, clock));
    return {
      decode: ratio(({ decode }) => decode),
      prefill: ratio(({ prefill }) => prefill),
      vision: ratio(({ preparation, tower }) => preparation + tower),
      towerAlone: ratio(({ tower }) => tower),
    };
  };
  const speeds = (arm: 'ours' | 'peer') => ({
    decodeTokensPerSecond: rounded(1000 / middle(arm, ({ decode }) => decode)),
    prefillTokensPerSecond: rounded((1000 * promptIds.length) / middle(arm, ({ prefill }) => prefill), 1),
    preparationMs: rounded(
      middle(arm, ({ preparation }) => preparation),
      1,
    ),
    towerMs: rounded(
      middle(arm, ({ tower }) => tower),
      1,
    ),
  });
  return {
    ratios: ratios('wall'),
    ratiosOfProcessorTime: ratios('cpu'),
    ours: speeds('ours'),
    peer: speeds('peer'),
    promptTokens: promptIds.length,
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
    ratio: Math.min(fp32.ratios.decode, fp32.ratios.prefill),
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
