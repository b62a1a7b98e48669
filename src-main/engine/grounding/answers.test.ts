import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  cleanText,
  extractAnswerChoice,
  finalText,
  readAnswers,
  rewardScore,
  strictAnswer,
} from './answers.ts';

interface RuleCase {
  response: string;
  inference: string | null;
  reward: string;
  format: number;
  scores: Record<string, number>;
}
const table = new URL('../../../fixtures/reference/answers/rules.json', import.meta.url);
const cases = JSON.parse(readFileSync(table, 'utf8')) as RuleCase[];

describe('the rules of the reference', () => {
  test.each(cases.map((each) => [each.response, each] as const))('%j', (response, expected) => {
    const answers = readAnswers(response);
    expect(answers.inference).toBe(expected.inference);
    expect(answers.reward ?? '').toBe(expected.reward);
    expect(answers.formatReward).toBe(expected.format);
    for (const [truth, score] of Object.entries(expected.scores)) {
      expect(rewardScore(response, truth)).toBeCloseTo(score, 12);
    }
  });

  test('letters that Python takes for i, s and k', () => {
    expect(extractAnswerChoice('Anſwer İſ b')).toBe('B');
    expect(extractAnswerChoice('<thin\u212a>answer is A</think> C')).toBe('C');
  });
});

describe('the strict rule', () => {
  const options = { A: 'Left upper lobe', B: 'Right lower lobe.', C: '', D: 'None' };
  test.each([
    ['B', 'B'],
    ['B.', 'B'],
    ['(B)', 'B'],
    ['B)', 'B'],
    ['<think>A</think>\nB. right  lower lobe', 'B'],
    ['<think>A</think> The lesion is right.\nB. Right lower lobe.<|im_end|>', 'B'],
    ['B. Left upper lobe', null],
    ['b', null],
    ['A lesion. B', null],
    ['C', null],
    ['E', null],
    ['<think>B', null],
    ['A</think>B', null],
    ['B\n\n', 'B'],
    ['', null],
    ['D None', 'D'],
    ['Does it?', null],
  ])('%j -> %s', (response, expected) => {
    expect(strictAnswer(response, options)).toBe(expected);
  });

  test('without options every letter is offered, and a text can not be checked', () => {
    expect(strictAnswer('C')).toBe('C');
    expect(strictAnswer('C. something')).toBeNull();
  });
});

test('clean text keeps words, think tags and coordinates, and drops vision tokens', () => {
  const pads = '<|image_pad|>'.repeat(3);
  const response = `<think>See <|box_start|>[1,2,3,4]<|box_end|><|vision_start|>${pads}<|vision_end|> a node.</think>\nB. Node`;
  expect(cleanText(response)).toBe('<think>See [1,2,3,4] a node.</think>\nB. Node');
  expect(finalText(response)).toBe('B. Node');
  expect(finalText('B')).toBe('B');
});
