import { describe, expect, it } from 'vitest';
import { type QuantisedRows, quantiseInt4, quantiseInt8 } from './quantise.ts';

/** What MatMulNBits makes of int4 blocks. */
function decodeInt4({ packed, scales, zeros }: QuantisedRows, rows: number, columns: number): Float32Array {
  const blocks = Math.ceil(columns / 32);
  const zeroBytes = Math.ceil(blocks / 2);
  return Float32Array.from({ length: rows * columns }, (_, index) => {
    const row = Math.floor(index / columns);
    const column = index % columns;
    const block = Math.floor(column / 32);
    const byte = packed[(row * blocks + block) * 16 + ((column % 32) >> 1)]!;
    const level = column % 2 === 0 ? byte & 15 : byte >> 4;
    const zeroByte = zeros[row * zeroBytes + (block >> 1)]!;
    const zero = block % 2 === 0 ? zeroByte & 15 : zeroByte >> 4;
    return (level - zero) * scales[row * blocks + block]!;
  });
}

function decodeInt8({ packed, scales }: QuantisedRows, rows: number, columns: number): Float32Array {
  const blocks = Math.ceil(columns / 32);
  return Float32Array.from({ length: rows * columns }, (_, index) => {
    const block = Math.floor(index / columns) * blocks + Math.floor((index % columns) / 32);
    return (packed[block * 32 + ((index % columns) % 32)]! - 128) * scales[block]!;
  });
}

function bell(count: number): Float32Array {
  let state = 7;
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => 0.02 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

function relativeError(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let size = 0;
  b.forEach((value, i) => {
    difference += (a[i]! - value) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(difference / size);
}

describe('quantiseInt4', () => {
  it('keeps normally distributed weights to 8 %', () => {
    const values = bell(64 * 256);
    expect(relativeError(decodeInt4(quantiseInt4(values, 64, 256), 64, 256), values)).toBeLessThan(0.08);
  });

  it('represents 16 even levels exactly, and zero always', () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => ((i % 16) - 5) * 0.25);
    expect(relativeError(decodeInt4(quantiseInt4(values, 1, 32), 1, 32), values)).toBeLessThan(1e-6);
    const onlyOne = new Float32Array(32);
    onlyOne[3] = -0.7;
    const decoded = decodeInt4(quantiseInt4(onlyOne, 1, 32), 1, 32);
    expect(decoded[3]).toBeCloseTo(-0.7, 6);
    expect(decoded.filter((value) => value !== 0)).toHaveLength(1);
  });

  it.each([1, 31, 33, 70])('lays out rows of %i columns', (columns) => {
    const values = bell(5 * columns);
    expect(relativeError(decodeInt4(quantiseInt4(values, 5, columns), 5, columns), values)).toBeLessThan(
      0.12,
    );
  });

  it('takes rows of zeros, and of one sign', () => {
    expect(decodeInt4(quantiseInt4(new Float32Array(32), 1, 32), 1, 32).every((value) => value === 0)).toBe(
      true,
    );
    const positive = bell(32).map(Math.abs);
    expect(relativeError(decodeInt4(quantiseInt4(positive, 1, 32), 1, 32), positive)).toBeLessThan(0.1);
    const negative = positive.map((value) => -value);
    expect(relativeError(decodeInt4(quantiseInt4(negative, 1, 32), 1, 32), negative)).toBeLessThan(0.1);
  });
});

describe('quantiseInt8', () => {
  it.each([32, 33, 95])('keeps rows of %i columns to half a percent', (columns) => {
    const values = bell(9 * columns);
    expect(relativeError(decodeInt8(quantiseInt8(values, 9, columns), 9, columns), values)).toBeLessThan(
      0.006,
    );
  });
});
