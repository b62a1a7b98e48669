import { expect, it } from 'vitest';
import { cuboidIou, score } from './score-predictions.mjs';

it('compares boxes of 4 and 6 numbers, upper bounds exclusive', () => {
  expect(cuboidIou([0, 0, 0, 10, 10, 1], [0, 0, 0, 10, 10, 1])).toBe(1);
  expect(cuboidIou([0, 0, 0, 10, 10, 4], [0, 0, 2, 10, 10, 6])).toBeCloseTo(1 / 3);
  expect(cuboidIou([0, 0, 0, 10, 10, 1], [10, 0, 0, 20, 10, 1])).toBe(0);
});

it('counts a missing box as 0, and a box without a truth as a false alarm', () => {
  const box = '<|box_start|>[0,0,10,10]<|box_end|>';
  const report = score([
    { kind: 'type', answer: 'A', prediction: 'A', boxes: [[0, 0, 10, 10]], response: box },
    { kind: 'type', answer: 'A', prediction: 'B', boxes: [[0, 0, 10, 10]], response: 'nothing' },
    { Kind: 'existence', Answer: 'B', prediction: 'B', Boxes: '[]', response: box },
  ]);
  expect(report).toEqual({
    all: { count: 3, answers: 0.6667, boxes: 2, meanIoU: 0.5, falseAlarms: 1 },
    existence: { count: 1, answers: 1, boxes: 0, meanIoU: null, falseAlarms: 1 },
    type: { count: 2, answers: 0.5, boxes: 2, meanIoU: 0.5, falseAlarms: 0 },
  });
});
