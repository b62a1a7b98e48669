import { expect, test } from 'vitest';
import { formatPrompt, openingMessages, systemPrompts } from './prompts.ts';

test('system prompts, to the letter', () => {
  expect(systemPrompts['2d']).toBe(
    'You are a medical expert skilled in analyzing 2D medical images. You are capable of interleaved image-text thinking. In the <think></think> tag, you can use <|box_start|>[x1,y1,x2,y2]<|box_end|> to focus on that region of the image. You can inspect it once or multiple times and think in an interleaved manner to answer the question. You need to answer a single-choice question. You only need to reply with option_letter. option_content.',
  );
  expect(systemPrompts['3d']).toBe(
    'You are a medical expert skilled in analyzing 3D medical images. You are capable of interleaved image-text thinking. In the <think></think> tag, you can use <|box_start|>[x1,y1,z1,x2,y2,z2]<|box_end|> to focus on that region of the image. You can inspect it once or multiple times and think in an interleaved manner to answer the question.',
  );
});

test('choices', () => {
  const options = { A: 'left', B: '', D: 'right' };
  expect(formatPrompt('2d', 'Which side?', options)).toBe('Which side?\n\nA. left\nD. right');
  expect(formatPrompt('3d', 'Which side?', options)).toBe(
    'Which side?\n\nA. left\nD. right\n\nPlease answer with A, B, C, or D.',
  );
  expect(formatPrompt('3d', 'Which side?', {})).toBe('Which side?');
});

test('images stand before the question', () => {
  expect(openingMessages('S', 2, 'Q')).toEqual([
    { role: 'system', content: 'S' },
    { role: 'user', content: [{ type: 'image' }, { type: 'image' }, { type: 'text', text: 'Q' }] },
  ]);
});
