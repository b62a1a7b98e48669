/**
 * Pixels of a series: what a reader hands over (stored values) and what the rest of Readroom works on (values).
 *
 * Stored values are the numbers in the file. Values are what they mean: stored * slope + intercept (HU for CT).
 */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Series } from '../../src-contract/study.ts';

export type StoredArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Values use fewer types than files do, so that slicing and display have fewer cases. */
export type ValueArray = Uint8Array | Int16Array | Uint16Array | Int32Array | Float32Array;

/** Stored values of one file. Index: ((frame * rows + row) * columns + column) * channels + channel. */
export interface FrameSet {
  columns: number;
  rows: number;
  frames: number;
  /** 1 scalar, 3 RGB interleaved. */
  channels: 1 | 3;
  data: StoredArray;
}

/** A decoded series. `data` is indexed as in FrameSet, frame = slice k, with the rescale already applied. */
export interface SeriesPixels {
  series: Series;
  columns: number;
  rows: number;
  slices: number;
  channels: 1 | 3;
  data: ValueArray;
}

/** A stored value v means v * slope + intercept. */
export interface Rescale {
  slope: number;
  intercept: number;
}

export const identityRescale: Rescale = { slope: 1, intercept: 0 };

/**
 * The smallest value array that holds every whole number in [lowest, highest]; Float32 for fractions.
 * Integers beyond 32 bits become Float32 too: they exceed what any scanner stores.
 */
export function allocateValues(length: number, lowest: number, highest: number, whole: boolean): ValueArray {
  if (whole && lowest >= 0 && highest <= 255) return new Uint8Array(length);
  if (whole && lowest >= -32768 && highest <= 32767) return new Int16Array(length);
  if (whole && lowest >= 0 && highest <= 65535) return new Uint16Array(length);
  if (whole && lowest >= -2147483648 && highest <= 2147483647) return new Int32Array(length);
  return new Float32Array(length);
}

/** Smallest and largest finite element; [0, 0] when there is none. NaN and infinities are ignored. */
export function extent(data: StoredArray): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (v < low && v !== -Infinity) low = v;
    if (v > high && v !== Infinity) high = v;
  }
  return low <= high ? [low, high] : [0, 0];
}

/**
 * Stored values -> values. Returns the same array where nothing changes; non-finite stored values of float files are
 * kept (slicing decides what to do with them).
 */
export function toValues(data: StoredArray, rescale: Rescale): ValueArray {
  const { slope, intercept } = rescale;
  const unchanged = slope === 1 && intercept === 0;
  if (unchanged && isValueArray(data)) return data;
  const isFloat = data instanceof Float32Array || data instanceof Float64Array;
  const whole = !isFloat && Number.isInteger(slope) && Number.isInteger(intercept);
  const [low, high] = whole ? extent(data) : [0, 0];
  const a = low * slope + intercept;
  const b = high * slope + intercept;
  const out = allocateValues(data.length, Math.min(a, b), Math.max(a, b), whole);
  for (let i = 0; i < data.length; i++) out[i] = data[i] * slope + intercept;
  return out;
}

function isValueArray(data: StoredArray): data is ValueArray {
  return (
    data instanceof Uint8Array ||
    data instanceof Int16Array ||
    data instanceof Uint16Array ||
    data instanceof Int32Array ||
    data instanceof Float32Array
  );
}

/** Throws `internal` when a reader hands over an array whose length contradicts its own description. */
export function checkFrameSet(frames: FrameSet, name: string): FrameSet {
  const expected = frames.columns * frames.rows * frames.frames * frames.channels;
  if (frames.data.length !== expected) {
    throw new ReadroomError(
      'internal',
      `${name}: the reader returned ${frames.data.length} values where ${expected} were expected.`,
      { file: name },
    );
  }
  return frames;
}
