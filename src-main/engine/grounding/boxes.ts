/**
 * The boxes in a model's words.
 * Source of behaviour: IQuestLab/unireason-med code/inference/unireason_med_infer.py (BOX_PATTERN, parse_all_bboxes)
 * at 77f447b; table in fixtures/reference/answers/boxes.json.
 */
import { pythonFloat } from './python-text.ts';

/** Either bracket opens and either closes; nothing that closes may stand between. */
const boxPattern = /<\|box_start\|>[[(]([^\])]+)[\])]<\|box_end\|>/g;

/** Every box of 4 or 6 numbers, in order, as written: fractions, infinities and NaN included. */
export function parseBoxes(text: string): number[][] {
  const boxes: number[][] = [];
  for (const match of text.matchAll(boxPattern)) {
    const numbers = match[1].split(',').map(pythonFloat);
    if (numbers.length !== 4 && numbers.length !== 6) continue;
    if (numbers.every((value) => value !== null)) boxes.push(numbers);
  }
  return boxes;
}

/** The box that counts: the last one of 4 or 6 numbers; null when there is none. */
export function lastBox(text: string): number[] | null {
  return parseBoxes(text).at(-1) ?? null;
}
