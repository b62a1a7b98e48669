import { expect, test } from 'vitest';
import { toValues } from './pixels.ts';
import { saysSynthetic } from './reader.ts';
import { decodeElements } from './readers/elements.ts';
import { storedStatistics } from './statistics.ts';

test('values take the smallest type that holds them', () => {
  const hu = toValues(Uint16Array.of(0, 1024, 4095), { slope: 1, intercept: -1024 });
  expect(hu).toEqual(Int16Array.of(-1024, 0, 3071));
  expect(toValues(Int16Array.of(-5, 5), { slope: 0.5, intercept: 0 })).toEqual(Float32Array.of(-2.5, 2.5));
  expect(toValues(Uint8Array.of(0, 255), { slope: -1, intercept: 255 })).toEqual(Uint8Array.of(255, 0));
  expect(toValues(Uint32Array.of(0, 4294967295), { slope: 1, intercept: 0 })).toBeInstanceOf(Float32Array);
  const same = Int16Array.of(1, 2);
  expect(toValues(same, { slope: 1, intercept: 0 })).toBe(same);
});

test('sums of integers are exact beyond the range of a float32 or a 32-bit sum', () => {
  const data = new Uint32Array(3_000_001).fill(4294967295);
  expect(storedStatistics(data)).toEqual({ min: 4294967295, max: 4294967295, sum: 3_000_001 * 4294967295 });
  expect(storedStatistics(Float64Array.of(1e16, 1, -1e16, 1)).sum).toBe(2);
});

test('elements of every width, both byte orders', () => {
  const bytes = () => Uint8Array.of(0x01, 0x02, 0x03, 0x04, 0xff, 0xfe, 0xfd, 0xfc);
  expect(decodeElements(bytes(), 'int16', false)).toEqual(Int16Array.of(0x0102, 0x0304, -2, -516));
  expect(decodeElements(bytes(), 'uint32', true)).toEqual(Uint32Array.of(0x04030201, 0xfcfdfeff));
  expect(decodeElements(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255), 'int64', true)).toEqual(
    Int32Array.of(-1),
  );
  expect(decodeElements(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0), 'uint64', true)).toEqual(
    Float64Array.of(2 ** 32),
  );
  expect(decodeElements(Uint8Array.of(0x00, 0x3c, 0x01, 0x00, 0x00, 0xfc), 'float16', true)).toEqual(
    Float32Array.of(1, 2 ** -24, -Infinity),
  );
});

test('what a header calls synthetic', () => {
  expect(saysSynthetic('Comment = Synthetic lesion inserted')).toBe(true);
  expect(saysSynthetic('Synthetic = True')).toBe(true);
  expect(saysSynthetic('Synthetic = False')).toBe(false);
  expect(saysSynthetic('non-synthetic data')).toBe(false);
  expect(saysSynthetic('', 'photosynthetic')).toBe(false);
});
