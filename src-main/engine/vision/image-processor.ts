/**
 * From 8-bit images to what the vision graph takes, as the checkpoint's own image processor does it: the model's
 * resize (bicubic), rescale and normalise, cut into patches. Also the reference's second image: the source resized
 * bilinearly to the same size, which crops are cut from.
 *
 * Source of behaviour: transformers models/qwen2_vl/image_processing_{pil_,}qwen2_vl.py (4.49..5.23),
 * image_transforms.py (rescale, normalize), image_processing_backends.py (rescale_and_normalize), and
 * IQuestLab/unireason-med unireason_med_infer.py (resize_pil_to_processor).
 * Fixtures: fixtures/reference/processor.
 */
import { pilResize } from '../../slices/pil-resample.ts';
import { torchResize } from '../../slices/torch-resample.ts';
import type { ImagePixels, ImageProcessor } from '../language-model.ts';
import { type ImageProcessorConfig, readImageProcessorConfig } from './image-processor-config.ts';
import { referenceSmartResize, type Size, smartResize } from './smart-resize.ts';

const CHANNELS = 3;
const LEVELS = 256;

/**
 * What each of the 256 grey levels becomes, [channel][level], rounded to float32 wherever the original rounds:
 * Pillow's path multiplies in float64, rounds, then subtracts and divides in float32; torchvision's folds the rescale
 * into mean and deviation, in float32.
 */
function levelTables(config: ImageProcessorConfig): Float32Array[] {
  const { mean, std, rescaleFactor } = config;
  const unscale = Math.fround(1 / rescaleFactor);
  return Array.from({ length: CHANNELS }, (_, channel) => {
    const table = new Float32Array(LEVELS);
    const fused = config.backend === 'torchvision';
    const centre = fused ? Math.fround(Math.fround(mean[channel]) * unscale) : Math.fround(mean[channel]);
    const spread = fused ? Math.fround(Math.fround(std[channel]) * unscale) : Math.fround(std[channel]);
    for (let level = 0; level < LEVELS; level++) {
      const value = fused ? level : Math.fround(level * rescaleFactor);
      table[level] = Math.fround(value - centre) / spread;
    }
    return table;
  });
}

/** The image processor of one checkpoint. Stateless: one instance serves every image. */
export class QwenImageProcessor implements ImageProcessor {
  readonly config: ImageProcessorConfig;
  readonly #tables: readonly Float32Array[];

  constructor(config: ImageProcessorConfig) {
    this.config = config;
    this.#tables = levelTables(config);
  }

  /** @throws ReadroomError as `readImageProcessorConfig`. */
  static async load(folder: string): Promise<QwenImageProcessor> {
    return new QwenImageProcessor(await readImageProcessorConfig(folder));
  }

  /** image_processor_type, with the arithmetic in brackets where the name alone does not tell it. */
  get type(): string {
    const { type, backend } = this.config;
    const expected = type.endsWith('Fast') ? 'torchvision' : 'pil';
    return backend === expected ? type : `${type} (${backend})`;
  }

  /** Pixels that every side is a multiple of. */
  get factor(): number {
    return this.config.patchSize * this.config.mergeSize;
  }

  /** Numbers in one patch: 3 channels, temporal repeats, patch height and width (1176 for Qwen2.5-VL). */
  get patchLength(): number {
    return CHANNELS * this.config.temporalPatchSize * this.config.patchSize ** 2;
  }

  /**
   * The model's own resize; sides are multiples of `factor`.
   * @throws ReadroomError 'input-invalid' for images thinner than 1 : 200.
   */
  processedSize(width: number, height: number): Size {
    return smartResize(width, height, this.factor, this.config);
  }

  /** The reference's own rule for the image that crops are cut from: the same but for thin images. */
  referenceAlignedSize(width: number, height: number): Size {
    return referenceSmartResize(width, height, this.factor, this.config);
  }

  /** What the model is shown, as 8-bit pixels. */
  processedImage(image: ImagePixels): ImagePixels {
    const { width, height } = this.processedSize(image.width, image.height);
    const resize = this.config.backend === 'pil' ? pilResize : torchResize;
    return resize(image, width, height, this.config.filter);
  }

  /** What crops are cut from: Pillow's bilinear resize, whatever the processor's own arithmetic is. */
  alignedImage(image: ImagePixels): ImagePixels {
    const { width, height } = this.referenceAlignedSize(image.width, image.height);
    return pilResize(image, width, height, 'bilinear');
  }

  /**
   * `pixel_values` of some images, one after the other: [sum of patches, patchLength] row-major. Patches run merge
   * block by merge block (row-major), inside a block row by row; a patch holds channel, temporal repeat, row, column.
   * Grey images are taken as R = G = B.
   * @throws ReadroomError 'input-invalid' for images thinner than 1 : 200.
   */
  toPixelValues(images: readonly ImagePixels[]): Float32Array {
    const processed = images.map((image) => this.processedImage(image));
    return this.patchify(processed);
  }

  /**
   * The second half of `toPixelValues`, for images that are processed already.
   * @throws RangeError when a side is not a multiple of `factor`.
   */
  patchify(processed: readonly ImagePixels[]): Float32Array {
    const { patchSize } = this.config;
    const patches = processed.reduce((sum, { width, height }) => {
      if (width % this.factor !== 0 || height % this.factor !== 0) {
        throw new RangeError(`${width}x${height} is not a multiple of ${this.factor}`);
      }
      return sum + (width / patchSize) * (height / patchSize);
    }, 0);
    const out = new Float32Array(patches * this.patchLength);
    let at = 0;
    for (const image of processed) at = this.#writePatches(image, out, at);
    return out;
  }

  #writePatches(image: ImagePixels, out: Float32Array, start: number): number {
    const { patchSize, mergeSize } = this.config;
    const block = patchSize * mergeSize;
    let at = start;
    for (let top = 0; top < image.height; top += block) {
      for (let left = 0; left < image.width; left += block) {
        for (let row = 0; row < mergeSize; row++) {
          for (let column = 0; column < mergeSize; column++) {
            at = this.#writePatch(image, left + column * patchSize, top + row * patchSize, out, at);
          }
        }
      }
    }
    return at;
  }

  #writePatch(image: ImagePixels, left: number, top: number, out: Float32Array, start: number): number {
    const { patchSize, temporalPatchSize } = this.config;
    const { data, width, channels } = image;
    const area = patchSize * patchSize;
    let at = start;
    for (let channel = 0; channel < CHANNELS; channel++) {
      const table = this.#tables[channel];
      const plane = channels === 1 ? 0 : channel;
      const first = at;
      for (let y = 0; y < patchSize; y++) {
        let from = ((top + y) * width + left) * channels + plane;
        for (let x = 0; x < patchSize; x++, from += channels) out[at++] = table[data[from]];
      }
      for (let repeat = 1; repeat < temporalPatchSize; repeat++, at += area) {
        out.copyWithin(at, first, first + area);
      }
    }
    return at;
  }
}
