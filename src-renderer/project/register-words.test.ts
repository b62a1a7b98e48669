import { expect, test } from 'vitest';
import { registerKey } from '../../src-contract/review.ts';
import { describeRegister, describeValue } from './register-words.ts';

test('a register is named by what it holds, and whose it is', () => {
  const box = { min: [0, 0, 0] as [number, number, number], max: [1, 1, 1] as [number, number, number] };
  const key = registerKey({
    kind: 'box',
    runId: 'a&b=c',
    readerId: 'ada',
    step: 1,
    before: null,
    after: box,
  });
  expect(describeRegister(key)).toEqual({ what: 'Box of step 2', readerId: 'ada' });
  expect(describeRegister('kind=blinding')).toEqual({ what: 'Blinding', readerId: null });
  expect(describeRegister('kind=something-newer').what).toBe('something-newer');
});

test('values in words', () => {
  expect(describeValue('null')).toBe('taken away');
  expect(describeValue('{"decision":"reject","reasons":[],"comment":""}')).toBe('Rejected');
  expect(describeValue('"a note"')).toBe('a note');
  expect(describeValue('abc123')).toBe('abc123');
});
