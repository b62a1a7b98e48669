/**
 * What the model is told. Both system prompts and the way choices are joined are the reference's, to the letter: a
 * trained model answers to these words.
 * Source: IQuestLab/unireason-med code/inference/unireason_med_infer.py (SYSTEM_PROMPT_2D/3D, format_choices) at
 * 77f447b.
 */
import { type Options, optionLetters } from '../../../src-contract/run-events.ts';
import type { ChatContent, ChatMessage } from '../language-model.ts';

export type Mode = '2d' | '3d';

function reasoningPrompt(kind: '2D' | '3D', box: string): string {
  return [
    `You are a medical expert skilled in analyzing ${kind} medical images.`,
    'You are capable of interleaved image-text thinking. In the <think></think> tag,',
    `you can use <|box_start|>[${box}]<|box_end|> to focus on that region of the image.`,
    'You can inspect it once or multiple times and think in an interleaved manner to answer the question.',
  ].join(' ');
}

export const systemPrompts: Readonly<Record<Mode, string>> = {
  '2d': `${reasoningPrompt('2D', 'x1,y1,x2,y2')} You need to answer a single-choice question. You only need to reply with option_letter. option_content.`,
  '3d': reasoningPrompt('3D', 'x1,y1,z1,x2,y2,z2'),
};

/**
 * The user turn's text: the question, a blank line, the choices line by line; 3D adds an instruction. Empty and absent
 * choices are left out, and without choices there is no instruction either.
 */
export function formatPrompt(mode: Mode, question: string, options: Options): string {
  const choices = optionLetters
    .filter((letter) => options[letter])
    .map((letter) => `${letter}. ${options[letter]}`);
  if (choices.length === 0) return question;
  const parts = [question, choices.join('\n')];
  if (mode === '3d') parts.push('Please answer with A, B, C, or D.');
  return parts.join('\n\n');
}

/** System prompt and user turn: every image, in order, before the text. */
export function openingMessages(systemPrompt: string, images: number, promptText: string): ChatMessage[] {
  const content: ChatContent[] = Array.from({ length: images }, () => ({ type: 'image' as const }));
  return [
    { role: 'system', content: systemPrompt },
    { role: 'user', content: [...content, { type: 'text', text: promptText }] },
  ];
}
