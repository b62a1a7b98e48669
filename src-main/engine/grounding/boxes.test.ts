import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lastBox, parseBoxes } from './boxes.ts';
import { pythonFloat } from './python-text.ts';

type Written = number | 'inf' | '-inf' | 'nan';
const folder = new URL('../../../fixtures/reference/answers/', import.meta.url);
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as T;
const value = (written: Written): number => (typeof written === 'number' ? written : pythonFloat(written)!);

/** float.hex() */
function fromHex(text: string): number {
  const match = /^(-?)0x([01])\.([0-9a-f]+)p([+-]\d+)$/.exec(text);
  if (!match) return value(text as Written);
  const mantissa = Number.parseInt(match[2], 16) + Number.parseInt(match[3], 16) / 16 ** match[3].length;
  return (match[1] ? -1 : 1) * mantissa * 2 ** Number(match[4]);
}

describe('boxes as the reference reads them', () => {
  const cases = read<{ text: string; boxes: Written[][]; truncated?: number[] }[]>('boxes.json');
  test.each(cases.map((each) => [each.text, each] as const))('%j', (text, expected) => {
    expect(parseBoxes(text)).toEqual(expected.boxes.map((box) => box.map(value)));
    const last = lastBox(text);
    if (expected.truncated) expect(last?.map((each) => Math.trunc(each) + 0)).toEqual(expected.truncated);
    if (expected.boxes.length === 0) expect(last).toBeNull();
  });
});

describe("numbers as Python's float() reads them", () => {
  const cases = read<{ text: string; float?: string; error?: string }[]>('numbers.json');
  test.each(cases.map((each) => [each.text, each] as const))('%j', (text, expected) => {
    expect(pythonFloat(text)).toEqual(expected.float === undefined ? null : fromHex(expected.float));
  });
});
