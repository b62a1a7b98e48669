/**
 * The k-th smallest value of a volume, exactly and without sorting or copying it: counting for 8- and 16-bit integers,
 * a two-step radix selection on the ordered bits of float32 for everything else. Values are float32, as the reference
 * reads every volume.
 */
import { coversData, forEachRun, type VolumeView } from './volume-view.ts';

export interface OrderedValues {
  /** How many values there are (finite ones only, where that was asked for). */
  readonly count: number;
  /** True when a NaN was met and not left out. */
  readonly hasNaN: boolean;
  /** The values at some ranks (0 is the smallest), in the order asked. */
  at(ranks: readonly number[]): number[];
}

const HALF_RANGE = 1 << 16;

/** Upper halves of float32 bits with this exponent are infinities and NaN. */
const SPECIAL = 0x7f80;
const CHUNK = 1 << 16;

/** Makes keys such that larger values have larger ones, of the bits of a float32. */
function orderedKey(bits: number): number {
  return (bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 0;
}

/** The same of an upper half alone. */
function orderedHalf(half: number): number {
  return half & 0x8000 ? ~half & 0xffff : half | 0x8000;
}

function fromOrderedKey(key: number): number {
  const bits = Uint32Array.of(key & 0x80000000 ? key & 0x7fffffff : ~key);
  return new Float32Array(bits.buffer)[0];
}

/** Calls `visit` with the float32 bits of every value, some thousands at a time; the array is reused. */
function forEachBits(view: VolumeView, visit: (bits: Uint32Array) => void): void {
  const { data, rescale } = view;
  if (data instanceof Float32Array && !rescale && coversData(view)) {
    visit(new Uint32Array(data.buffer, data.byteOffset, data.length));
    return;
  }
  const { slope, intercept } = rescale ?? { slope: 1, intercept: 0 };
  const floats = new Float32Array(CHUNK);
  const bits = new Uint32Array(floats.buffer);
  forEachRun(view, (start, step, count) => {
    for (let done = 0; done < count; done += CHUNK) {
      const length = Math.min(CHUNK, count - done);
      for (let i = 0, at = start + done * step; i < length; i++, at += step) {
        floats[i] = data[at] * slope + intercept;
      }
      visit(bits.subarray(0, length));
    }
  });
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

/** How many values have each upper half of their bits. */
function countUpperHalves(view: VolumeView): Float64Array {
  const counts = new Float64Array(HALF_RANGE);
  forEachBits(view, (bits) => {
    for (let i = 0; i < bits.length; i++) counts[bits[i] >>> 16]++;
  });
  return counts;
}

/** Infinities and NaN share upper halves: a second look tells them apart. */
function countNaN(view: VolumeView): number {
  let found = 0;
  forEachBits(view, (bits) => {
    for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7fffffff) > SPECIAL << 16) found++;
  });
  return found;
}

function selectFloats(view: VolumeView, finiteOnly: boolean): OrderedValues {
  const byUpperHalf = countUpperHalves(view);
  const upper = new Float64Array(HALF_RANGE);
  let count = 0;
  let special = 0;
  byUpperHalf.forEach((found, half) => {
    const isSpecial = (half & SPECIAL) === SPECIAL;
    if (isSpecial) special += found;
    if (isSpecial && finiteOnly) return;
    upper[orderedHalf(half)] = found;
    count += found;
  });
  const hasNaN = !finiteOnly && special > 0 && countNaN(view) > 0;
  const at = (ranks: readonly number[]): number[] => {
    const places = ranks.map((rank) => findRank(upper, rank));
    const lower = new Map(places.map(({ index }) => [index, new Float64Array(HALF_RANGE)]));
    // A table instead of the map: the loop below runs over every voxel.
    const wanted = new Uint8Array(HALF_RANGE);
    for (const index of lower.keys()) wanted[index] = 1;
    forEachBits(view, (bits) => {
      for (let i = 0; i < bits.length; i++) {
        const key = orderedKey(bits[i]);
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
