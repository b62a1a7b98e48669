import { describe, expect, test } from 'vitest';
import { stopReasons } from '../../src-contract/run-events.ts';
import type { Run } from '../state/run-store.ts';
import { answered, box, finished, started, token } from '../testing/run-events.ts';
import { describeAnswer, headlineLetter, rulesDisagree } from './answer-text.ts';
import { askedOptions, draftProblem } from './composer-store.ts';
import { bandOf, percent } from './confidence.ts';
import { stripOf } from './crop-images.ts';
import { parseChoices } from './parse-choices.ts';
import { schedule } from './replay.ts';
import { shortened } from './shortened.ts';
import { chipLabel, chipTitle, cropNote, describeProgress, describeStop } from './wording.ts';

const run = (part: Partial<Run>): Run => ({
  runId: 'run',
  ask: {
    studyId: 's',
    seriesId: 's',
    target: { kind: 'volume' },
    question: 'What?',
    options: { A: 'solid lesion', B: 'ring lesion' },
    preset: 'grounded',
  },
  askedAt: 0,
  phase: 'ended',
  stopping: false,
  progress: null,
  started,
  answer: null,
  finished: null,
  error: null,
  rounds: 1,
  steps: 0,
  boxesShown: true,
  recorded: false,
  ...part,
});
const answer = (...letters: [string | null, string | null, string | null]) => {
  const event = answered(letters);
  return event.type === 'answer' ? event : null;
};

describe('boxes', () => {
  test('slices are named as the viewer numbers them, those whose centres are inside', () => {
    expect(chipLabel(box(0), '3d')).toBe('box 1 · slices 5–7');
    expect(
      chipLabel(
        { ...box(1), located: { ...box(1).located, sourceVoxel: { min: [0, 0, 3.6], max: [9, 9, 4.2] } } },
        '3d',
      ),
    ).toBe('box 2 · slice 5');
    expect(chipLabel(box(0), '2d')).toBe('box 1');
  });

  test('the long form tells what was written and, where it differs, what was cut', () => {
    expect(chipTitle(box(0), '3d')).toBe("The model wrote [1, 2, 4, 20, 30, 7] · the model's own slices 5–7");
    expect(chipTitle({ ...box(0), raw: [-5, 2, 900, 30] }, '2d')).toContain('cropped at [1, 2, 20, 30]');
    expect(chipTitle({ ...box(0), raw: [1, 2, 20, 30], sliceZeroOnly: true }, '3d')).toContain(
      'first slice only',
    );
  });

  test('crops that were not what was pointed at are marked', () => {
    expect(cropNote({ injected: 'predicted' }, 'grounded')).toBeNull();
    expect(cropNote({ injected: 'random' }, 'random-crop')).toContain('random');
    expect(cropNote({ injected: 'none' }, 'no-injection')).toContain('without crops');
    expect(cropNote({ injected: 'none' }, 'grounded')).toContain('nothing could follow');
  });

  test('a strip shows the first and the last slice', () => {
    const slices = Array.from({ length: 30 }, (_, n) => n);
    const strip = stripOf(slices);
    expect([strip.length, strip[0], strip.at(-1)]).toEqual([6, 0, 29]);
    expect(stripOf([1, 2])).toEqual([1, 2]);
  });
});

describe('answers', () => {
  test('the large letter is the reference’s reading', () => {
    expect(headlineLetter(run({ answer: answer('B', 'A', null) }))).toBe('B');
    expect(headlineLetter(run({ answer: answer(null, 'A', null) }))).toBe('A');
    const free = run({ answer: answer('B', 'B', 'B') });
    expect(headlineLetter({ ...free, ask: { ...free.ask, options: {} } })).toBeNull();
  });

  test('rules that differ are noticed, a rule that finds nothing included', () => {
    const letters = { inference: 'B', reward: 'B', strict: 'B', formatReward: 1 };
    expect(rulesDisagree(letters)).toBe(false);
    expect(rulesDisagree({ ...letters, strict: null })).toBe(true);
  });

  test('a screen reader hears the answer, and how it ended where that matters', () => {
    const whole = run({ answer: answer('B', 'B', 'B'), finished: finished('end-of-turn') });
    expect(describeAnswer(whole)).toBe('Answer: B. ring lesion.');
    expect(describeAnswer({ ...whole, finished: finished('token-limit') })).toContain('limit of new tokens');
    expect(describeAnswer(run({ finished: finished('cancelled') }))).toBe('The question was stopped.');
    const error = { code: 'engine-died', message: 'The engine ended.', remedy: 'Ask again.' } as const;
    expect(describeAnswer(run({ error }))).toBe('The question failed. The engine ended. Ask again.');
  });

  test('every stop reason has words', () => {
    expect(new Set(stopReasons.map(describeStop)).size).toBe(stopReasons.length);
  });
});

test('progress is told in the terms of what was asked', () => {
  const at = { type: 'progress', at: 0 } as const;
  expect(describeProgress({ ...at, phase: 'vision', done: 12, total: 32 }, '3d')).toBe(
    'Reading 32 slices 12/32',
  );
  expect(describeProgress({ ...at, phase: 'vision', done: 0, total: 1 }, '2d')).toBe('Reading the image');
  expect(describeProgress({ ...at, phase: 'vision', done: 32, total: 32, cached: true }, '3d')).toContain(
    'known',
  );
  expect(describeProgress({ ...at, phase: 'prefill', done: 1, total: 4 }, '3d')).toBe(
    'Taking in the question 25 %',
  );
});

describe('drafts', () => {
  const draft = { question: 'What?', choices: true, options: {}, target: 'volume' } as const;

  test('empty choices are left out; a free question has none', () => {
    expect(askedOptions({ choices: true, options: { A: ' x ', B: '', C: 'y' } })).toEqual({ A: 'x', C: 'y' });
    expect(askedOptions({ choices: false, options: { A: 'x' } })).toEqual({});
  });

  test('what can’t be asked says why', () => {
    expect(draftProblem({ ...draft, question: ' ' })).toContain('question');
    expect(draftProblem({ ...draft, options: { A: 'x' } })).toContain('two');
    expect(draftProblem({ ...draft, options: { A: 'x', C: 'y' } })).toContain('gap');
    expect(draftProblem({ ...draft, options: { A: 'x', B: 'y' } })).toBeNull();
    expect(draftProblem({ ...draft, choices: false })).toBeNull();
  });

  test('a pasted list fills the choices', () => {
    expect(parseChoices('A. solid\nB) ring\n\n(C) stippled')).toEqual({
      A: 'solid',
      B: 'ring',
      C: 'stippled',
    });
    expect(parseChoices('solid\nring')).toEqual({ A: 'solid', B: 'ring' });
    expect(parseChoices('B. ring\nA. solid')).toEqual({ A: 'B. ring', B: 'A. solid' });
    expect(parseChoices('one line')).toBeNull();
    expect(parseChoices('1\n2\n3\n4\n5')).toBeNull();
  });
});

test('confidence bands', () => {
  expect([0, Math.log(0.6), Math.log(0.3), Math.log(0.01)].map((value) => bandOf(value).name)).toEqual([
    'high',
    'fair',
    'low',
    'guess',
  ]);
  expect([0, Math.log(0.5), Math.log(0.034)].map(percent)).toEqual(['100 %', '50 %', '3.4 %']);
});

test('a replay leaves out the waiting before the first token', () => {
  expect(schedule([started, token('a', 500), token('b', 600), finished('end-of-turn')])).toEqual([
    0, 0, 100, 0,
  ]);
});

test('image placeholders of a response are counted, not shown', () => {
  expect(shortened('a<|image_pad|><|image_pad|><|image_pad|>b<|image_pad|>')).toBe(
    'a<|image_pad|> × 3b<|image_pad|>',
  );
});
