import { expect, test } from 'vitest';
import { parseNumber } from './parse-number.ts';

test('only numbers in the range hold', () => {
  expect(parseNumber('0.7', 0, 2, false)).toBe(0.7);
  expect(parseNumber(' 12 ', 1, 100, true)).toBe(12);
  expect(['', '-', 'NaN', '1e999', '3'].map((text) => parseNumber(text, 0, 2, false))).toEqual([
    null,
    null,
    null,
    null,
    null,
  ]);
  expect(parseNumber('1.5', 1, 100, true)).toBeNull();
});
