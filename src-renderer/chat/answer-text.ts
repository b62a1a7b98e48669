/** What a run came to, in words. */
import type { Answers, OptionLetter, Options } from '../../src-contract/run-events.ts';
import type { Run } from '../state/run-store.ts';
import { hasOptions } from './composer-store.ts';
import { describeStop } from './wording.ts';

export interface Rule {
  readonly name: string;
  readonly letter: string | null;
  readonly explanation: string;
}

/** The three rules by which a letter is read out of an answer. */
export function answerRules({ inference, reward, strict }: Answers): readonly Rule[] {
  return [
    {
      name: 'Inference',
      letter: inference,
      explanation: "The reference's own evaluation: 'answer is X', or X at the end.",
    },
    {
      name: 'Reward',
      letter: reward,
      explanation: "The reference's training reward: the first stand-alone A–D.",
    },
    { name: 'Strict', letter: strict, explanation: 'The last line is one offered choice and nothing else.' },
  ];
}

export const rulesDisagree = ({ inference, reward, strict }: Answers): boolean =>
  inference !== reward || reward !== strict;

/** The letter to show large: the reference's reading; null for a free question, or where no rule finds one. */
export function headlineLetter({ ask, answer }: Pick<Run, 'ask' | 'answer'>): string | null {
  if (!answer || !hasOptions(ask.options)) return null;
  const { inference, strict, reward } = answer.answers;
  return inference ?? strict ?? reward;
}

/** Text of a choice. */
export const optionText = (options: Options, letter: string | null): string | undefined =>
  letter === null ? undefined : options[letter as OptionLetter];

/** One sentence for those who don't see the panel. */
export function describeAnswer(run: Run): string {
  const { answer, finished, error } = run;
  if (error && error.code !== 'cancelled')
    return `The question failed. ${error.message} ${error.remedy ?? ''}`.trim();
  if (!answer) return 'The question was stopped.';
  const letter = headlineLetter(run);
  const choice = optionText(run.ask.options, letter);
  const said = letter === null ? answer.text : `${letter}${choice ? `. ${choice}` : ''}`;
  const stop =
    finished && finished.stopReason !== 'end-of-turn' ? ` The run ${describeStop(finished.stopReason)}.` : '';
  return `Answer: ${said}.${stop}`;
}
