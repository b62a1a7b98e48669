/**
 * Separable resampling of 8-bit images in integers: the engine that Pillow's and torch's arithmetic share. They differ
 * in how the weights are made (pil-resample.ts, torch-resample.ts), not in how they are applied: one axis
 * after the other, an 8-bit image between the two, sums rounded half up and clipped.
 */
import type { ImagePixels } from '../engine/language-model.ts';

/** Weights of one axis, in units of 2^-precision. */
export interface FixedPointKernel {
  readonly length: number;
  readonly precision: number;
  /** Distance between the weights of neighbouring outputs. */
  readonly stride: number;
  /** First input of each output. */
  readonly starts: Int32Array;
  /** How many inputs each output has. */
  readonly counts: Int32Array;
  readonly weights: Int32Array;
}

export type ResampleFilter = 'bilinear' | 'bicubic';

export type MakeKernel = (inLength: number, outLength: number, filter: ResampleFilter) => FixedPointKernel;

/** Kernels kept by `remembered`: a study's slices need one or two, its crops a few more. */
const keptKernels = 16;

/** The same kernels, the latest of them made once: slices of a study are all of one size. */
export function remembered(make: MakeKernel): MakeKernel {
  const kept = new Map<string, FixedPointKernel>();
  return (inLength, outLength, filter) => {
    const key = `${inLength} ${outLength} ${filter}`;
    const kernel = kept.get(key) ?? make(inLength, outLength, filter);
    kept.delete(key);
    kept.set(key, kernel);
    if (kept.size > keptKernels) kept.delete(kept.keys().next().value!);
    return kernel;
  };
}

interface FilterShape {
  /** Half width in input pixels at scale 1. */
  readonly support: number;
  at(x: number): number;
}

/** Keys' cubic, a = -0.5: what Pillow always uses and torch uses when it antialiases. */
const CUBIC = -0.5;

export const filterShapes: Readonly<Record<ResampleFilter, FilterShape>> = {
  bilinear: {
    support: 1,
    at(x) {
      const distance = Math.abs(x);
      return distance < 1 ? 1 - distance : 0;
    },
  },
  bicubic: {
    support: 2,
    // The order of operations is Pillow's and torch's: another order moves last bits.
    at(x) {
      const distance = Math.abs(x);
      if (distance < 1) return ((CUBIC + 2) * distance - (CUBIC + 3)) * distance * distance + 1;
      if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * CUBIC;
      return 0;
    },
  },
};

/** Half away from zero, then towards zero: C's `(int)(v < 0 ? v - 0.5 : v + 0.5)`. */
export function roundHalfAway(value: number): number {
  return Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
}

function clip8(value: number): number {
  return Math.max(0, Math.min(255, value));
}

function resampleRows(image: ImagePixels, kernel: FixedPointKernel): ImagePixels {
  const { data, width, height, channels } = image;
  const { starts, counts, weights, stride, precision, length } = kernel;
  const out = new Uint8Array(length * height * channels);
  const half = 1 << (precision - 1);
  for (let y = 0; y < height; y++) {
    let at = y * length * channels;
    for (let x = 0; x < length; x++) {
      const taps = x * stride;
      const count = counts[x];
      for (let c = 0; c < channels; c++) {
        let from = (y * width + starts[x]) * channels + c;
        let sum = half;
        for (let k = 0; k < count; k++) {
          sum = (sum + Math.imul(data[from], weights[taps + k])) | 0;
          from += channels;
        }
        out[at++] = clip8(sum >> precision);
      }
    }
  }
  return { width: length, height, channels, data: out };
}

function resampleColumns(image: ImagePixels, kernel: FixedPointKernel): ImagePixels {
  const { data, channels } = image;
  const { starts, counts, weights, stride, precision, length } = kernel;
  const rowBytes = image.width * channels;
  const out = new Uint8Array(length * rowBytes);
  const sums = new Int32Array(rowBytes);
  const half = 1 << (precision - 1);
  for (let y = 0; y < length; y++) {
    sums.fill(half);
    for (let k = 0; k < counts[y]; k++) {
      const weight = weights[y * stride + k];
      const from = (starts[y] + k) * rowBytes;
      for (let i = 0; i < rowBytes; i++) sums[i] += Math.imul(data[from + i], weight);
    }
    const at = y * rowBytes;
    for (let i = 0; i < rowBytes; i++) out[at + i] = clip8(sums[i] >> precision);
  }
  return { width: image.width, height: length, channels, data: out };
}

/** One axis of a resize and the order of the two: the image between them is 8-bit, so the order shows. */
export interface Passes {
  readonly horizontal: FixedPointKernel | null;
  readonly vertical: FixedPointKernel | null;
  readonly first: 'horizontal' | 'vertical';
}

/** Applies the kernels; null leaves that axis alone. Returns the same object when both are null. */
export function resampleFixedPoint(image: ImagePixels, passes: Passes): ImagePixels {
  const { horizontal, vertical, first } = passes;
  if (first === 'vertical' && horizontal && vertical) {
    return resampleRows(resampleColumns(image, vertical), horizontal);
  }
  const wide = horizontal ? resampleRows(image, horizontal) : image;
  return vertical ? resampleColumns(wide, vertical) : wide;
}

/** @throws RangeError unless both sides are whole and at least 1. */
export function assertSize(width: number, height: number): void {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new RangeError(`cannot resize to ${width}x${height}`);
  }
}
