/** Images to vision tokens: the checkpoint's processor, the vision graph, and a cache of what was encoded before. */
import { createHash } from 'node:crypto';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Activation, VisionArchitecture } from '../../checkpoint/manifest.ts';
import type { ImageFeatures, ImagePixels, StepHooks } from '../language-model.ts';
import { decodeFloats, encodeFloats, floatTensor } from '../model/float-tensors.ts';
import { type Feeds, runSession } from '../model/session-run.ts';
import { FeatureCache } from './feature-cache.ts';
import type { QwenImageProcessor } from './image-processor.ts';
import { visionLayout } from './vision-layout.ts';

/**
 * Patches a run at most (one image always fits): 8 slices of 252 x 252. Larger batches are no faster on a CPU, and a
 * cancel waits for the batch that runs.
 */
const patchesPerBatch = 2592;

export interface EncoderOptions {
  readonly session: InferenceSession;
  readonly processor: QwenImageProcessor;
  readonly vision: VisionArchitecture;
  readonly activation: Activation;
  /** Bytes of features kept for later calls. */
  readonly cacheBytes: number;
}

/** An image after the model's own resize, waiting to be encoded. */
interface Pending {
  readonly key: string;
  readonly processed: ImagePixels;
}

export class VisionEncoder {
  readonly #options: EncoderOptions;
  readonly #cache: FeatureCache;

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#cache = new FeatureCache(options.cacheBytes);
  }

  /**
   * Features in the order of `images`. Images of one processed size run together; equal images are encoded once.
   * Throws 'cancelled' between batches; what was encoded until then stays in the cache.
   * With `fresh` every image is encoded anew, as the reference does.
   */
  async encode(
    images: readonly ImagePixels[],
    hooks: StepHooks & { readonly fresh?: boolean } = {},
  ): Promise<{ features: ImageFeatures[]; cached: number }> {
    const pending = images.map((image) => this.#prepare(image));
    const found = new Map<string, ImageFeatures>();
    const missing = new Map<string, Pending>();
    for (const image of pending) {
      const known = hooks.fresh ? undefined : this.#cache.get(image.key);
      if (known) found.set(image.key, known);
      else missing.set(image.key, image);
    }
    const cached = pending.filter((image) => found.has(image.key)).length;
    let done = 0;
    for (const batch of this.#batches([...missing.values()])) {
      if (hooks.signal?.aborted) throw new ReadroomError('cancelled', 'Cancelled.');
      for (const features of await this.#run(batch)) {
        found.set(features.key, features);
        this.#cache.set(features);
      }
      done += batch.length;
      hooks.onProgress?.(done, missing.size);
    }
    return { features: pending.map((image) => found.get(image.key)!), cached };
  }

  release(): void {
    this.#cache.clear();
  }

  #prepare(image: ImagePixels): Pending {
    const processed = this.#options.processor.processedImage(image);
    const { width, height, channels, data } = processed;
    const key = createHash('sha256').update(`${width}x${height}x${channels}\n`).update(data).digest('hex');
    return { key, processed };
  }

  /** Groups of one size, in order of first appearance, none above the limit of patches. */
  #batches(images: readonly Pending[]): Pending[][] {
    const bySize = new Map<string, Pending[]>();
    for (const image of images) {
      const size = `${image.processed.width}x${image.processed.height}`;
      const group = bySize.get(size);
      if (group) group.push(image);
      else bySize.set(size, [image]);
    }
    const batches: Pending[][] = [];
    for (const group of bySize.values()) {
      const { width, height } = group[0]!.processed;
      const patches = (width * height) / this.#options.vision.patchSize ** 2;
      const size = Math.max(1, Math.floor(patchesPerBatch / patches));
      for (let at = 0; at < group.length; at += size) batches.push(group.slice(at, at + size));
    }
    return batches;
  }

  async #run(batch: readonly Pending[]): Promise<ImageFeatures[]> {
    const { session, processor, vision, activation } = this.#options;
    const { width, height } = batch[0]!.processed;
    const gridHeight = height / vision.patchSize;
    const gridWidth = width / vision.patchSize;
    const layout = visionLayout(vision, gridHeight, gridWidth);
    const half = vision.headDim / 2;
    const floats = (data: Float32Array, dims: number[]) =>
      floatTensor(activation, encodeFloats(activation, data), dims);
    const { patches, windows, windowSlots } = layout;
    const pixels = processor.patchify(batch.map((image) => image.processed));
    const feeds: Feeds = {
      pixel_values: floats(pixels, [batch.length * patches, processor.patchLength]),
      rotary_cos: floats(layout.rotaryCos, [patches, half]),
      rotary_sin: floats(layout.rotarySin, [patches, half]),
      window_gather: new Tensor('int64', layout.windowGather, [layout.windowGather.length]),
      window_scatter: new Tensor('int64', layout.windowScatter, [patches]),
      window_bias: floats(layout.windowBias, [windows, 1, windowSlots, windowSlots]),
    };
    const { image_features } = await runSession(session, feeds, ['image_features']);
    const all = decodeFloats(image_features!);
    const tokens = patches / vision.mergeSize ** 2;
    const length = tokens * vision.outHidden;
    return batch.map(({ key }, index) => {
      // A copy each, so that one image kept does not keep its whole batch.
      const data = all.slice(index * length, (index + 1) * length);
      return { gridHeight, gridWidth, tokens, data, key };
    });
  }
}
