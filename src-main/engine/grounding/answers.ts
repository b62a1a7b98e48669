/**
 * Which option a response chooses, by the reference's two rules and a strict one of our own. The reference's rules
 * disagree with each other ("This is a lesion. B." is B to the one and A to the other), so every rule is reported.
 * Source of behaviour: IQuestLab/unireason-med code/inference/unireason_med_infer.py (extract_answer_choice) and
 * code/rl/examples/reward_function/unireason_med_mcq_reward.py at 77f447b; table in
 * fixtures/reference/answers/rules.json.
 */
import {
  type Answers,
  type OptionLetter,
  type Options,
  optionLetters,
} from '../../../src-contract/run-events.ts';
import { anyCase, spaceClass, strip, wordEnd, wordStart } from './python-text.ts';

const space = `[${spaceClass}]`;
const letter = '([A-Da-d])';
const thinkStart = anyCase('<think>');
const thinkEnd = anyCase('</think>');
const thinkBlock = new RegExp(`${thinkStart}[\\s\\S]*?${thinkEnd}`, 'gu');

/** The first that matches decides, wherever it matches. */
const inferencePatterns = [
  `${wordStart}${anyCase('answer')}${space}*(?:${anyCase('is')}|:)?${space}*${letter}${wordEnd}`,
  `${wordStart}${letter}\\.${space}*$`,
  `${wordStart}${letter}${space}*$`,
  `${wordStart}${letter}\\.`,
].map((pattern) => new RegExp(pattern, 'u'));

const standAlone = new RegExp(`${wordStart}${letter}${wordEnd}`, 'u');

function withoutThinking(text: string): string {
  return text.replace(thinkBlock, ' ');
}

/** Reference inference rule: "answer is X", "X." at the end, "X" at the end, "X." anywhere; outside of think tags. */
export function extractAnswerChoice(response: string): OptionLetter | null {
  const plain = withoutThinking(response);
  for (const pattern of inferencePatterns) {
    const match = pattern.exec(plain);
    if (match) return match[1].toUpperCase() as OptionLetter;
  }
  return null;
}

/** Reference reward rule: the first stand-alone A-D in any case, outside of think tags. */
export function rewardAnswer(response: string): OptionLetter | null {
  const match = standAlone.exec(withoutThinking(response));
  return match ? (match[1].toUpperCase() as OptionLetter) : null;
}

function count(text: string, pattern: string): number {
  return text.match(new RegExp(pattern, 'gu'))?.length ?? 0;
}

/** Reference format reward: half a point for as many think tags opened as closed, half for box tags; 0 for ''. */
export function formatReward(response: string): number {
  if (response === '') return 0;
  const think = count(response, thinkStart) === count(response, thinkEnd);
  const boxes = count(response, '<\\|box_start\\|>') === count(response, '<\\|box_end\\|>');
  return (think ? 0.5 : 0) + (boxes ? 0.5 : 0);
}

/**
 * The reference's training score, 0..1.
 * @param groundTruth the right letter, or any text that the reward rule finds one in; without one the answer earns 0.
 */
export function rewardScore(response: string, groundTruth: string): number {
  const expected = rewardAnswer(groundTruth);
  const right = expected !== null && rewardAnswer(response) === expected;
  return 0.8 * (right ? 1 : 0) + 0.2 * formatReward(response);
}

function comparable(text: string): string {
  return strip(text).replace(/\s+/gu, ' ').replace(/\.$/u, '').toLowerCase();
}

/**
 * Our own rule, which guesses nothing: thinking is closed, and the last line of what follows is one of the offered
 * letters (alone, or as "B.", "B)", "(B)"), or such a letter followed by that option's own text. Letters count in
 * upper case only.
 */
export function strictAnswer(response: string, options: Options = {}): OptionLetter | null {
  const plain = withoutThinking(response);
  if (count(plain, thinkStart) > 0 || count(plain, thinkEnd) > 0) return null;
  const line = strip(
    cleanText(plain)
      .split('\n')
      .filter((part) => strip(part) !== '')
      .at(-1) ?? '',
  );
  const match = /^\(?([A-D])(?![\p{L}\p{N}_])[.):]?\s*(.*)$/u.exec(line);
  if (!match) return null;
  const chosen = match[1] as OptionLetter;
  const offered = optionLetters.filter((each) => options[each]);
  if (offered.length > 0 && !offered.includes(chosen)) return null;
  if (match[2] === '') return chosen;
  const own = options[chosen];
  return own && comparable(match[2]) === comparable(own) ? chosen : null;
}

/** All rules on one response (the whole assistant turn, special tokens included). */
export function readAnswers(response: string, options: Options = {}): Answers {
  return {
    inference: extractAnswerChoice(response),
    reward: rewardAnswer(response),
    strict: strictAnswer(response, options),
    formatReward: formatReward(response),
  };
}

/** A response for people: crops' vision tokens and other special tokens gone, box coordinates and think tags kept. */
export function cleanText(response: string): string {
  const withoutImages = response.replace(/<\|vision_start\|>(?:<\|image_pad\|>)*<\|vision_end\|>/gu, '');
  return strip(withoutImages.replace(/<\|[a-z_]+\|>/gu, ''));
}

/** The clean text behind the reasoning; all of it when the model closed no think tag. */
export function finalText(response: string): string {
  const plain = cleanText(response);
  const ends = [...plain.matchAll(new RegExp(thinkEnd, 'gu'))];
  const last = ends.at(-1);
  return last === undefined ? plain : strip(plain.slice(last.index + last[0].length));
}
