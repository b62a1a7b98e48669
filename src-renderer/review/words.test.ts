import { expect, test } from 'vitest';
import type { TraceSummary } from '../../src-contract/trace.ts';
import { testChain } from '../testing/run-events.ts';
import { clock, closingParts, describeSize, plainWords, slicesOf } from './words.ts';

test('boxes and special tokens are not for readers', () => {
  expect(plainWords('<think>A mass at <|box_start|>[1,2,3,4,5,6]<|box_end|>')).toBe('A mass at');
  expect(plainWords('broken <|box_start|>[1,2')).toBe('broken');
  expect(plainWords(' and <b> stays')).toBe('and <b> stays');
});

test('the closing words are reasoning up to the end of thinking, then the answer', () => {
  const closing = (closingText: string, before = '<think>It is at') =>
    closingParts({ closingText, steps: [{ text: before }] as unknown as TraceSummary['steps'] });
  expect(closing(' so it is.</think>\n\nA. left<|im_end|>')).toEqual({
    reasoning: 'so it is.',
    answer: 'A. left',
  });
  // Cut before the end of thinking: no answer. Without thinking aloud: nothing but the answer.
  expect(closing(' so it may')).toEqual({ reasoning: 'so it may', answer: '' });
  expect(closing('A. left', 'It is at')).toEqual({ reasoning: '', answer: 'A. left' });
});

test('slices are numbered from 1 and hold a centre each', () => {
  expect(slicesOf(testChain, { min: [0, 0, 3.5], max: [1, 1, 6.5] })).toEqual([5, 7]);
  expect(slicesOf(testChain, { min: [0, 0, 3.6], max: [1, 1, 3.9] })).toEqual([5, 5]);
});

test('sizes and times as people read them', () => {
  const box = { min: [0, 0, 0], max: [10, 4, 2] } as const;
  const source = { min: [...box.min], max: [...box.max] } as {
    min: [number, number, number];
    max: [number, number, number];
  };
  expect(describeSize(source, [2, 2, 2.5], true)).toBe('20 × 8.0 × 5.0 mm');
  expect(describeSize(source, null, false)).toBe('10 × 4.0 px');
  expect(clock(65_400)).toBe('1:05');
  expect(clock(3_725_000)).toBe('1:02:05');
});
