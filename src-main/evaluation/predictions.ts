/** Output of `2d-batch` and `3d-batch` with the truth that its table carried: what is right about each record. */
import { z } from 'zod';
import { boxIou } from '../../src-contract/box-measures.ts';
import { ReadroomError } from '../../src-contract/errors.ts';
import type { OptionLetter } from '../../src-contract/run-events.ts';
import { type SourceBox, sourceBoxSchema } from '../../src-contract/source-box.ts';
import {
  extractAnswerChoice,
  formatReward,
  rewardAnswer,
  rewardScore,
  strictAnswer,
} from '../engine/grounding/answers.ts';
import { parseBoxes } from '../engine/grounding/boxes.ts';

const text = z.string().nullish();
const boxList = z.array(z.array(z.number()));
/** Both spellings: the 2D tables' and, with capitals, the 3D tables'. Other fields are passed over. */
const recordSchema = z.looseObject({
  response: z.string(),
  error: text,
  question: text,
  Question: text,
  image_path: text,
  'Image Path': text,
  answer: text,
  Answer: text,
  kind: text,
  Kind: text,
  boxes: boxList.nullish(),
  /** JSON in a CSV's cell. */
  Boxes: text,
  option_A: text,
  option_B: text,
  option_C: text,
  option_D: text,
  'Choice A': text,
  'Choice B': text,
  'Choice C': text,
  'Choice D': text,
});
type PredictionRecord = z.infer<typeof recordSchema>;

/** What one record comes to; null where its truth is not known. */
export interface Scored {
  /** Question and image: the same in every run over one table. */
  readonly identity: string;
  readonly image: string;
  readonly kind: string;
  readonly failed: boolean;
  /** By the reference's inference rule, its reward rule, and our strict one. */
  readonly right: { readonly inference: boolean; readonly reward: boolean; readonly strict: boolean } | null;
  /** 0.8 answer + 0.2 format. */
  readonly reward: number | null;
  readonly format: number;
  /** Of each true box, its best IoU with a predicted one: 0 where there is none. */
  readonly ious: readonly number[] | null;
  readonly predictedBoxes: number;
}

/**
 * @param records parsed JSON of a batch's output
 * @param file named in errors
 * @throws ReadroomError 'input-invalid', naming record and field
 */
export function scoreRecords(records: readonly unknown[], file: string): Scored[] {
  return records.map((value, index) => {
    const parsed = recordSchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new ReadroomError(
        'input-invalid',
        `Record ${index} of ${file}: ${issue.path.join('.')}: ${issue.message}`,
        { file, remedy: 'Give the output of 2d-batch or 3d-batch.' },
      );
    }
    return scoreRecord(parsed.data, index, file);
  });
}

function scoreRecord(record: PredictionRecord, index: number, file: string): Scored {
  const { response } = record;
  const image = record.image_path ?? record['Image Path'] ?? `record ${index}`;
  const truth = rewardAnswer(record.answer ?? record.Answer ?? '');
  const predicted = parseBoxes(response)
    .map(asBox)
    .filter((box) => box !== null);
  const truths = trueBoxes(record, index, file);
  return {
    identity: JSON.stringify([image, record.question ?? record.Question ?? '']),
    image,
    kind: record.kind ?? record.Kind ?? 'unknown',
    failed: Boolean(record.error),
    right: truth && rightBy(response, truth, record),
    reward: truth && rewardScore(response, truth),
    format: formatReward(response),
    ious: truths === null ? null : truths.map((box) => bestIou(box, predicted)),
    predictedBoxes: predicted.length,
  };
}

const bestIou = (box: SourceBox, predicted: readonly SourceBox[]): number =>
  predicted.reduce((best, other) => Math.max(best, boxIou(box, other)), 0);

function rightBy(response: string, truth: OptionLetter, record: PredictionRecord): Scored['right'] {
  const options = {
    A: record.option_A ?? record['Choice A'] ?? '',
    B: record.option_B ?? record['Choice B'] ?? '',
    C: record.option_C ?? record['Choice C'] ?? '',
    D: record.option_D ?? record['Choice D'] ?? '',
  };
  return {
    inference: extractAnswerChoice(response) === truth,
    reward: rewardAnswer(response) === truth,
    strict: strictAnswer(response, options) === truth,
  };
}

function trueBoxes(record: PredictionRecord, index: number, file: string): SourceBox[] | null {
  let boxes = record.boxes ?? null;
  if (boxes === null && record.Boxes) {
    try {
      boxes = boxList.parse(JSON.parse(record.Boxes));
    } catch {
      throw new ReadroomError('input-invalid', `Record ${index} of ${file}: Boxes is no list of boxes.`, {
        file,
        field: 'Boxes',
        remedy: 'A JSON list of [x1,y1,x2,y2] or [x1,y1,z1,x2,y2,z2], upper bounds exclusive.',
      });
    }
  }
  return boxes?.map(asBox).filter((box) => box !== null) ?? null;
}

/** 4 numbers become a box of one slice, so that one formula serves both; null for what has no inside. */
function asBox(numbers: readonly number[]): SourceBox | null {
  const [x1, y1, z1, x2, y2, z2] =
    numbers.length === 4 ? [numbers[0], numbers[1], 0, numbers[2], numbers[3], 1] : numbers;
  return sourceBoxSchema.safeParse({ min: [x1, y1, z1], max: [x2, y2, z2] }).data ?? null;
}
