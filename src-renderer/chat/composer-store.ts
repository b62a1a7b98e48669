/** The question that is being written. */
import { create } from 'zustand';
import { type OptionLetter, type Options, optionLetters } from '../../src-contract/run-events.ts';

export interface Draft {
  readonly question: string;
  readonly choices: boolean;
  readonly options: Options;
  readonly target: 'volume' | 'slice';
}

interface ComposerState extends Draft {
  /** Rises when the question should get the focus. */
  readonly focusRequest: number;
  edit(part: Partial<Draft>): void;
  setOption(letter: OptionLetter, text: string): void;
  /** Takes up a question, to be changed and asked again. */
  take(question: string, options: Options, target?: Draft['target']): void;
  focus(): void;
}

/** Choices as they will be asked: without empty ones; none at all where the question is free. */
export function askedOptions({ choices, options }: Pick<Draft, 'choices' | 'options'>): Options {
  if (!choices) return {};
  const filled = optionLetters.flatMap((letter) => {
    const text = options[letter]?.trim();
    return text ? [[letter, text] as const] : [];
  });
  return Object.fromEntries(filled);
}

/** Why the draft can't be asked as it stands, in words; null when it can. */
export function draftProblem(draft: Draft): string | null {
  if (draft.question.trim() === '') return 'Write a question first.';
  if (!draft.choices) return null;
  const filled = Object.keys(askedOptions(draft));
  if (filled.length < 2) return 'Multiple choice needs two choices at least.';
  // A gap would give the model letters that skip one.
  const expected = optionLetters.slice(0, filled.length);
  return filled.every((letter, n) => letter === expected[n])
    ? null
    : 'Fill the choices from A on, without a gap.';
}

export const hasOptions = (options: Options): boolean => Object.keys(options).length > 0;

export const useComposer = create<ComposerState>()((set) => ({
  question: '',
  choices: true,
  options: {},
  target: 'volume',
  focusRequest: 0,
  edit: (part) => set(part),
  setOption: (letter, text) => set(({ options }) => ({ options: { ...options, [letter]: text } })),
  take: (question, options, target) =>
    set((state) => ({
      question,
      options,
      choices: hasOptions(options),
      target: target ?? state.target,
      focusRequest: state.focusRequest + 1,
    })),
  focus: () => set(({ focusRequest }) => ({ focusRequest: focusRequest + 1 })),
}));
