/**
 * Batches over one table, scored and compared: answers by three rules, the training reward, boxes; overall and by kind of
 * question; each with a 95 % interval, and each batch against the first one case by case.
 *
 * Intervals: means and differences by the cluster bootstrap over images (review/agreement/intervals.ts), since questions
 * about one image go together. Proportions where each image has one question, and those that are 0 or 1, where a resample
 * can't differ, by Wilson's interval.
 */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Estimate } from '../../src-contract/project.ts';
import { estimateFromSums, wilson } from '../review/agreement/intervals.ts';
import { mcnemarExact } from './mcnemar.ts';
import type { Scored } from './predictions.ts';

/** A true box counts as found from this IoU on. */
export const foundIou = 0.5;

export interface Scores {
  /** 'all', or the kind of question. */
  readonly kind: string;
  readonly count: number;
  /** Records that could not be run: they count as wrong. */
  readonly failed: number;
  readonly answers: { readonly inference: Estimate; readonly reward: Estimate; readonly strict: Estimate };
  readonly reward: Estimate;
  readonly format: Estimate;
  readonly meanIou: Estimate;
  /** Share of true boxes with an IoU of at least 0.5. */
  readonly found: Estimate;
  /** Records without a true box (but with truth) on which one was drawn. */
  readonly falseAlarms: number;
}

/** The second minus the first, over cases both have. */
export interface Difference {
  readonly kind: string;
  readonly answers: Estimate;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** McNemar's exact p, two-sided; null where no case differs. */
  readonly p: number | null;
  readonly reward: Estimate;
  readonly meanIou: Estimate;
}

export interface Evaluation {
  readonly batches: readonly { readonly name: string; readonly scores: readonly Scores[] }[];
  /** Against the first batch. */
  readonly differences: readonly { readonly name: string; readonly byKind: readonly Difference[] }[];
}

export interface Batch {
  readonly name: string;
  readonly records: readonly Scored[];
}

/** @throws ReadroomError 'input-invalid' where the batches are not about the same table */
export function evaluate(batches: readonly Batch[]): Evaluation {
  const [first, ...rest] = batches;
  if (!first) return { batches: [], differences: [] };
  for (const { name, records } of rest) {
    const same =
      records.length === first.records.length &&
      records.every(({ identity }, index) => identity === first.records[index].identity);
    if (same) continue;
    throw new ReadroomError('input-invalid', `'${name}' and '${first.name}' are not about the same table.`, {
      remedy: 'Compare batches over the same cases, in the same order; evaluate others one at a time.',
    });
  }
  const kinds = ['all', ...[...new Set(first.records.map(({ kind }) => kind))].sort()];
  const chosen = (kind: string) =>
    first.records.flatMap((record, index) => (kind === 'all' || record.kind === kind ? [index] : []));
  return {
    batches: batches.map(({ name, records }) => ({
      name,
      scores: kinds.map((kind) =>
        scoresOf(
          kind,
          chosen(kind).map((index) => records[index]),
        ),
      ),
    })),
    differences: rest.map(({ name, records }) => ({
      name,
      byKind: kinds.map((kind) =>
        differenceOf(
          kind,
          chosen(kind).map((index) => [first.records[index], records[index]] as const),
        ),
      ),
    })),
  };
}

/** Sums and numbers of values, by image. */
function byImage<Item>(
  items: readonly Item[],
  imageOf: (item: Item) => string,
  valuesOf: (item: Item) => readonly number[],
): { sums: [number, number][]; n: number } {
  const images = new Map<string, [number, number]>();
  let n = 0;
  for (const item of items) {
    const sums = images.get(imageOf(item)) ?? [0, 0];
    for (const value of valuesOf(item)) {
      sums[0] += value;
      sums[1]++;
      n++;
    }
    if (sums[1] > 0) images.set(imageOf(item), sums);
  }
  return { sums: [...images.values()], n };
}

const meanOfSums = (sums: Float64Array): number | null => (sums[1] > 0 ? sums[0] / sums[1] : null);

function mean(records: readonly Scored[], valuesOf: (record: Scored) => readonly number[]): Estimate {
  const { sums, n } = byImage(records, ({ image }) => image, valuesOf);
  return estimateFromSums(sums, meanOfSums, n);
}

function proportion(records: readonly Scored[], hitsOf: (record: Scored) => readonly boolean[]): Estimate {
  const { sums, n } = byImage(
    records,
    ({ image }) => image,
    (record) => hitsOf(record).map(Number),
  );
  const hits = sums.reduce((total, [sum]) => total + sum, 0);
  if (sums.length < n && hits > 0 && hits < n) return estimateFromSums(sums, meanOfSums, n);
  const interval = wilson(hits, n);
  return {
    value: n > 0 ? hits / n : null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    n,
  };
}

function scoresOf(kind: string, records: readonly Scored[]): Scores {
  const rule = (name: 'inference' | 'reward' | 'strict') =>
    proportion(records, ({ right }) => (right ? [right[name]] : []));
  return {
    kind,
    count: records.length,
    failed: records.filter(({ failed }) => failed).length,
    answers: { inference: rule('inference'), reward: rule('reward'), strict: rule('strict') },
    reward: mean(records, ({ reward }) => (reward === null ? [] : [reward])),
    format: mean(records, ({ format }) => [format]),
    meanIou: mean(records, ({ ious }) => ious ?? []),
    found: proportion(records, ({ ious }) => (ious ?? []).map((iou) => iou >= foundIou)),
    falseAlarms: records.filter(({ ious, predictedBoxes }) => ious?.length === 0 && predictedBoxes > 0)
      .length,
  };
}

function differenceOf(kind: string, pairs: readonly (readonly [Scored, Scored])[]): Difference {
  const difference = (valuesOf: (record: Scored) => readonly number[] | null): Estimate => {
    const { sums, n } = byImage(
      pairs,
      ([{ image }]) => image,
      ([first, second]) => {
        const [before, after] = [valuesOf(first), valuesOf(second)];
        return before && after ? after.map((value, index) => value - before[index]) : [];
      },
    );
    return estimateFromSums(sums, meanOfSums, n);
  };
  const right = ({ right: by }: Scored) => by?.inference === true;
  const onlyFirst = pairs.filter(([first, second]) => right(first) && !right(second)).length;
  const onlySecond = pairs.filter(([first, second]) => !right(first) && right(second)).length;
  return {
    kind,
    answers: difference(({ right: by }) => by && [Number(by.inference)]),
    onlyFirst,
    onlySecond,
    p: mcnemarExact(onlyFirst, onlySecond),
    reward: difference(({ reward }) => (reward === null ? null : [reward])),
    meanIou: difference(({ ious }) => ious),
  };
}
