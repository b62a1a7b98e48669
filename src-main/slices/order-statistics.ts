/**
 * The k-th smallest value of a volume, exactly and without sorting or copying it: counting for 8- and 16-bit integers,
 * a two-step radix selection on the ordered bits of float32 for everything else. Values are float32, as the reference
 * reads every volume.
 */
import { forEachRun, type VolumeView } from './volume-view.ts';

export interface OrderedValues {
  /** How many values there are (finite ones only, where that was asked for). */
  readonly count: number;
  /** True when a NaN was met and not left out. */
  readonly hasNaN: boolean;
  /** The values at some ranks (0 is the smallest), in the order asked. */
  at(ranks: readonly number[]): number[];
}

const HALF_RANGE = 1 << 16;

const floatCell = new Float32Array(1);
const bitsCell = new Uint32Array(floatCell.buffer);

/** Bits of a float32 such that larger values have larger keys. */
function orderedKey(value: number): number {
  floatCell[0] = value;
  const bits = bitsCell[0];
  return (bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 0;
}

function fromOrderedKey(key: number): number {
  bitsCell[0] = key & 0x80000000 ? key & 0x7fffffff : ~key;
  return floatCell[0];
}

/** The index of the counter that holds `rank`, and the rank within it. */
function findRank(counts: Float64Array, rank: number): { index: number; rest: number } {
  let rest = rank;
  for (let index = 0; index < counts.length; index++) {
    if (rest < counts[index]) return { index, rest };
    rest -= counts[index];
  }
  throw new RangeError(`rank ${rank} is beyond the values`);
}

function isSmallInteger(data: VolumeView['data']): boolean {
  return (
    data instanceof Int8Array ||
    data instanceof Uint8Array ||
    data instanceof Int16Array ||
    data instanceof Uint16Array
  );
}

function countIntegers(view: VolumeView): OrderedValues {
  const { data } = view;
  const { slope, intercept } = view.rescale ?? { slope: 1, intercept: 0 };
  const lowest = data instanceof Int16Array || data instanceof Int8Array ? -32768 : 0;
  const counts = new Uint32Array(HALF_RANGE);
  forEachRun(view, (start, step, count) => {
    for (let i = 0, at = start; i < count; i++, at += step) counts[data[at] - lowest]++;
  });
  const ascending = Float64Array.from(slope < 0 ? counts.toReversed() : counts);
  return {
    count: view.size[0] * view.size[1] * view.size[2],
    hasNaN: false,
    at: (ranks) =>
      ranks.map((rank) => {
        const { index } = findRank(ascending, rank);
        const stored = lowest + (slope < 0 ? HALF_RANGE - 1 - index : index);
        return Math.fround(stored * slope + intercept);
      }),
  };
}

function selectFloats(view: VolumeView, finiteOnly: boolean): OrderedValues {
  const { data } = view;
  const { slope, intercept } = view.rescale ?? { slope: 1, intercept: 0 };
  const upper = new Float64Array(HALF_RANGE);
  let count = 0;
  let hasNaN = false;
  forEachRun(view, (start, step, length) => {
    for (let i = 0, at = start; i < length; i++, at += step) {
      const value = Math.fround(data[at] * slope + intercept);
      if (finiteOnly && !Number.isFinite(value)) continue;
      if (Number.isNaN(value)) hasNaN = true;
      else upper[orderedKey(value) >>> 16]++;
      count++;
    }
  });
  const at = (ranks: readonly number[]): number[] => {
    const places = ranks.map((rank) => findRank(upper, rank));
    const lower = new Map(places.map(({ index }) => [index, new Float64Array(HALF_RANGE)]));
    // A table instead of the map: the loop below runs over every voxel.
    const wanted = new Uint8Array(HALF_RANGE);
    for (const index of lower.keys()) wanted[index] = 1;
    forEachRun(view, (start, step, length) => {
      for (let i = 0, from = start; i < length; i++, from += step) {
        const key = orderedKey(data[from] * slope + intercept);
        if (wanted[key >>> 16]) lower.get(key >>> 16)![key & 0xffff]++;
      }
    });
    return places.map(({ index, rest }) => {
      const low = findRank(lower.get(index)!, rest).index;
      return fromOrderedKey(((index << 16) | low) >>> 0);
    });
  };
  return { count, hasNaN, at };
}

/**
 * Prepares order statistics of a view's values (rescaled, rounded to float32).
 * @param finiteOnly leave out NaN and infinities instead of counting them.
 */
export function orderValues(view: VolumeView, finiteOnly = false): OrderedValues {
  return isSmallInteger(view.data) ? countIntegers(view) : selectFloats(view, finiteOnly);
}
