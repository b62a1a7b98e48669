/**
 * The random numbers of runs, of sampling as of random crops: xoshiro128** (Blackman and Vigna), seeded by splitmix32.
 * Written out here so that a seed in a trace gives the same run on every machine and in every version.
 */
import type { Random } from '../../slices/random-box.ts';

/**
 * Uniform numbers in [0, 1) with 53 random bits, the same for the same seed: a non-negative safe integer, of which both
 * 32-bit halves count.
 */
export function seededRandom(seed: number): Random {
  const mix = splitMix32((seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32) >>> 0, 0x9e3779b1));
  const state = Uint32Array.from([mix(), mix(), mix(), mix()]);
  if (state.every((word) => word === 0)) state[0] = 1;
  const word = (): number => {
    const result = Math.imul(rotate(Math.imul(state[1]!, 5), 7), 9) >>> 0;
    const shifted = state[1]! << 9;
    state[2]! ^= state[0]!;
    state[3]! ^= state[1]!;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= shifted;
    state[3] = rotate(state[3]!, 11);
    return result;
  };
  return () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
