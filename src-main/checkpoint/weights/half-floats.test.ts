import { describe, expect, it } from 'vitest';
import { fromBfloat16Array, fromFloat16Bits, toFloat16Array, toFloat16Bits } from './half-floats.ts';

describe('float16', () => {
  it('gives back every one of the 65,536 patterns', () => {
    for (let bits = 0; bits < 65_536; bits++) {
      const value = fromFloat16Bits(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(fromFloat16Bits(toFloat16Bits(value)))).toBe(true);
      else if (toFloat16Bits(value) !== bits) expect.unreachable(`${bits} became ${toFloat16Bits(value)}`);
    }
  });

  it('rounds to the nearest, ties to even', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = fromFloat16Bits(bits);
      const high = fromFloat16Bits(bits + 1);
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (toFloat16Bits(middle) !== even) expect.unreachable(`tie after ${low}`);
      const nudge = (high - low) / 64;
      if (toFloat16Bits(middle - nudge) !== bits) expect.unreachable(`below the tie after ${low}`);
      if (toFloat16Bits(-middle - nudge) !== (0x8000 | (bits + 1)))
        expect.unreachable(`above, negative, ${low}`);
    }
  });

  it('overflows to infinity at 65520 and not before', () => {
    expect(toFloat16Bits(65_519)).toBe(0x7bff);
    expect(toFloat16Bits(65_520)).toBe(0x7c00);
    expect(toFloat16Bits(-1e30)).toBe(0xfc00);
    expect([...toFloat16Array(Float32Array.of(1, -2, 0.1))]).toEqual([0x3c00, 0xc000, 0x2e66]);
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32', () => {
    expect([...fromBfloat16Array(Uint16Array.of(0x3f80, 0xc000, 0x0000, 0x7f80))]).toEqual([
      1,
      -2,
      0,
      Infinity,
    ]);
  });
});
