import { expect, test } from 'vitest';
import type { RunEvent } from '../../src-contract/run-events.ts';
import { type Piece, ReasoningText } from './reasoning-text.ts';

const token = (text: string, logprob = -0.1): RunEvent => ({
  type: 'token',
  at: 0,
  round: 0,
  index: 0,
  id: 0,
  logprob,
  text,
});

const box = (step: number): RunEvent => ({
  type: 'box',
  at: 0,
  round: step,
  step,
  raw: [1, 2, 3, 4],
  clamped: { x1: 1, y1: 2, z1: 0, x2: 5, y2: 6, z2: 1 },
  located: { sourceVoxel: { min: [0, 0, 0], max: [1, 1, 1] }, patientCorners: null },
  sliceZeroOnly: false,
});

const roundFinished: RunEvent = {
  type: 'round-finished',
  at: 0,
  round: 0,
  tokens: 1,
  reason: 'invalid-box',
  retokenised: false,
};

function read(...events: RunEvent[]): Piece[] {
  const text = new ReasoningText();
  return events.flatMap((event) => text.push(event));
}

/** What a reader sees: sections in brackets, boxes as #n. */
function shown(pieces: readonly Piece[]): string {
  return pieces
    .map((piece) => {
      switch (piece.kind) {
        case 'text':
          return piece.text;
        case 'section':
          return `[${piece.section}]`;
        case 'box':
          return `#${piece.step}`;
        case 'box-text':
          return `(${piece.text})`;
        case 'reclaim':
          return '[all above was thinking]';
        default:
          return '';
      }
    })
    .join('');
}

test('a tag spread over tokens is never shown', () => {
  const pieces = read(
    token('<th'),
    token('ink>'),
    token('\nLook'),
    token(' here.</'),
    token('think>B. ring'),
  );
  expect(shown(pieces)).toBe('[thinking]Look here.[answer]B. ring');
});

test('text that only begins like a tag comes out once that is certain', () => {
  const text = new ReasoningText();
  expect(text.push(token('a <'))).toEqual([{ kind: 'text', text: 'a ', logprob: -0.1 }]);
  expect(shown(text.push(token(' 3 mm')))).toBe('< 3 mm');
  expect(shown([...text.push(token('end <thi')), ...text.end()])).toBe('end <thi');
});

test('a box becomes a chip where it was written', () => {
  const events = [token('In <|box_start|>'), token('[1,2,'), token('3,4]'), token('<|box_end|>'), box(0)];
  const pieces = read(...events, token(' a ring.'));
  expect(shown(pieces)).toBe('In #0 a ring.');
  expect(pieces.filter(({ kind }) => kind === 'box-open')).toHaveLength(1);
});

test('a box that is none is shown as it was written', () => {
  expect(shown(read(token('<|box_start|>[a,b]<|box_end|>'), roundFinished))).toBe('([a,b])');
});

test('a box cut off by a limit is shown as far as it came', () => {
  const text = new ReasoningText();
  text.push(token('<|box_start|>[12,'));
  expect(text.end()).toEqual([{ kind: 'box-text', text: '[12,' }]);
});

test('reasoning that was closed but never opened is claimed back', () => {
  expect(shown(read(token('Hm.</think>\n\nA.')))).toBe('Hm.[all above was thinking][answer]A.');
});

test('end of turn and other special tokens leave nothing', () => {
  expect(shown(read(token('A. yes<|im_end|>')))).toBe('A. yes');
});

test('every piece keeps the probability of its own token', () => {
  const pieces = read(token('ab', -1), token('<', -2), token('c', -3));
  expect(pieces).toEqual([
    { kind: 'text', text: 'ab', logprob: -1 },
    { kind: 'text', text: '<', logprob: -2 },
    { kind: 'text', text: 'c', logprob: -3 },
  ]);
});
