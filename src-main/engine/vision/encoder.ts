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
import type { Size } from './smart-resize.ts';
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

/** An image waiting to be encoded, not resized yet: one that is in the cache never will be. */
interface Pending {
  readonly key: string;
  readonly image: ImagePixels;
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
    const pending = images.map((image) => ({ key: keyOf(image), image }));
    const found = new Map<string, ImageFeatures>();
    const missing = new Map<string, Pending>();
    for (const each of pending) {
      const known = hooks.fresh ? undefined : this.#cache.get(each.key);
      if (known) found.set(each.key, known);
      else missing.set(each.key, each);
    }
    const cached = pending.filter(({ key }) => found.has(key)).length;
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
    return { features: pending.map(({ key }) => found.get(key)!), cached };
  }

  release(): void {
    this.#cache.clear();
  }

  #processedSize({ image }: Pending): Size {
    return this.#options.processor.processedSize(image.width, image.height);
  }

  /** Groups of one processed size, in order of first appearance, none above the limit of patches. */
  #batches(images: readonly Pending[]): Pending[][] {
    const bySize = new Map<string, Pending[]>();
    for (const each of images) {
      const { width, height } = this.#processedSize(each);
      const size = `${width}x${height}`;
      const group = bySize.get(size);
      if (group) group.push(each);
      else bySize.set(size, [each]);
    }
    const batches: Pending[][] = [];
    for (const group of bySize.values()) {
      const { width, height } = this.#processedSize(group[0]!);
      const patches = (width * height) / this.#options.vision.patchSize ** 2;
      const size = Math.max(1, Math.floor(patchesPerBatch / patches));
      for (let at = 0; at < group.length; at += size) batches.push(group.slice(at, at + size));
    }
    return batches;
  }

  async #run(batch: readonly Pending[]): Promise<ImageFeatures[]> {
    const { session, processor, vision, activation } = this.#options;
    const { width, height } = this.#processedSize(batch[0]!);
    const gridHeight = height / vision.patchSize;
    const gridWidth = width / vision.patchSize;
    const layout = visionLayout(vision, gridHeight, gridWidth);
    const half = vision.headDim / 2;
    const floats = (data: Float32Array, dims: number[]) =>
      floatTensor(activation, encodeFloats(activation, data), dims);
    const { patches, windows, windowSlots } = layout;
    const pixels = processor.toPixelValues(batch.map(({ image }) => image));
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

/** Of the image as it came: equal images have equal features. */
function keyOf({ width, height, channels, data }: ImagePixels): string {
  return createHash('sha256').update(`${width}x${height}x${channels}\n`).update(data).digest('hex');
}
