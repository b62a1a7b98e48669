/**
 * Cuts what the model asked to see. Crops come from the source image resized to the processor's size with PIL's
 * bilinear filter, not from the (bicubic) pixels the model was shown: that is how the reference does it.
 */
import { createHash } from 'node:crypto';
import { encode } from 'fast-png';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { AffineChain, ProcessorBox } from '../../../src-contract/geometry.ts';
import type { RunEventOf } from '../../../src-contract/run-events.ts';
import { clampBox2d, clampBox3d, cropImage } from '../../slices/crop.ts';
import { pilResize } from '../../slices/pil-resample.ts';
import type { ImagePixels } from '../language-model.ts';

export interface Crop {
  /** Index of the slice it was cut from; 0 for an image. */
  readonly slice: number;
  readonly image: ImagePixels;
}

/** Processor pixels across and down, and how many slices. */
export interface CropSpace {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
}

/** @throws ReadroomError 'input-invalid' when boxes of this space would be carried back to the wrong place. */
export function checkChain(chain: AffineChain, space: CropSpace): void {
  const [width, height, depth] = chain.processorSize;
  if (width === space.width && height === space.height && depth === space.depth) return;
  throw new ReadroomError(
    'input-invalid',
    `The affine chain ends in ${width}x${height}x${depth} processor pixels, but the model sees ${space.width}x${space.height}x${space.depth}.`,
    {
      field: 'chain.processorSize',
      remedy: 'Ask the engine for the processed size when building the chain.',
    },
  );
}

export class Cropper {
  readonly space: CropSpace;
  readonly #images: readonly ImagePixels[];
  readonly #aligned = new Map<number, ImagePixels>();

  /** @param images of one size, before the model's own resize */
  constructor(images: readonly ImagePixels[], size: { readonly width: number; readonly height: number }) {
    this.#images = images;
    this.space = { ...size, depth: images.length };
  }

  /**
   * What is cut for the numbers a model wrote. Six numbers address the slices, in 2D the only one; four numbers are
   * cut from slice 0, in 3D too.
   * @throws ReadroomError 'input-invalid' when a number is NaN or infinite; `detail` has Python's exception.
   */
  clamp(raw: readonly number[]): ProcessorBox {
    const { width, height, depth } = this.space;
    return raw.length === 6 ? clampBox3d(raw, width, height, depth) : clampBox2d(raw, width, height);
  }

  /** One crop a slice of the box. */
  cut(box: ProcessorBox): Crop[] {
    const crops: Crop[] = [];
    for (let slice = box.z1; slice < box.z2; slice++) {
      crops.push({ slice, image: cropImage(this.#align(slice), box) });
    }
    return crops;
  }

  #align(slice: number): ImagePixels {
    let aligned = this.#aligned.get(slice);
    if (!aligned) {
      aligned = pilResize(this.#images[slice], this.space.width, this.space.height, 'bilinear');
      this.#aligned.set(slice, aligned);
    }
    return aligned;
  }
}

/** A crop as events carry it. */
export function describeCrop({ slice, image }: Crop): RunEventOf<'crop'>['images'][number] {
  const { width, height, channels, data } = image;
  return {
    slice,
    width,
    height,
    sha256: createHash('sha256').update(toRgb(image)).digest('hex'),
    png: Buffer.from(encode({ width, height, channels, depth: 8, data })).toString('base64'),
  };
}

function toRgb(image: ImagePixels): Uint8Array {
  if (image.channels === 3) return image.data;
  const rgb = new Uint8Array(image.data.length * 3);
  for (let i = 0; i < image.data.length; i++) rgb.fill(image.data[i], i * 3, i * 3 + 3);
  return rgb;
}
