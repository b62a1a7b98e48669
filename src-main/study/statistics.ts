/** Smallest, largest and exact sum of stored values, for `inspect`. */
import type { StoredArray } from './pixels.ts';

export interface StoredStatistics {
  min: number;
  max: number;
  sum: number;
}

/** 2^20 integers of 32 bits add up to less than 2^53, so that a block is summed without rounding. */
const blockLength = 2 ** 20;

/**
 * Integers are summed exactly and rounded once at the end, where the sum exceeds 2^53. Floats are summed with
 * Neumaier's compensation. NaN is passed over for min and max, and makes the sum NaN, as numpy does.
 */
export function storedStatistics(data: StoredArray): StoredStatistics {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const floats = data instanceof Float32Array || data instanceof Float64Array;
  return { min, max, sum: floats ? compensatedSum(data) : exactSum(data) };
}

function exactSum(data: StoredArray): number {
  let total = 0n;
  for (let start = 0; start < data.length; start += blockLength) {
    const end = Math.min(start + blockLength, data.length);
    let block = 0;
    for (let i = start; i < end; i++) block += data[i];
    total += BigInt(block);
  }
  return Number(total);
}

function compensatedSum(data: Float32Array | Float64Array): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return Number.isFinite(sum) ? sum + lost : sum;
}
