/** Agreement of two sets of boxes on the same runs: found by both or by one, and how well the common ones overlap. */
import type { BoxAgreement, Estimate } from '../../../src-contract/project.ts';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import { estimateFromSums, wilson } from './intervals.ts';
import { matchBoxes } from './match-boxes.ts';

/** Boxes of both on one run. */
export interface BoxPair {
  readonly caseId: string;
  readonly a: readonly SourceBox[];
  readonly b: readonly SourceBox[];
  readonly iou: (a: SourceBox, b: SourceBox) => number;
}

/**
 * Boxes are matched within each run, one to one (match-boxes.ts). Mean IoU is over matched boxes; its interval is
 * resampled by case. The rate of detection is 2 m / (boxes of A + boxes of B) with m matched boxes (the F1 score of one
 * against the other).
 */
export function boxAgreement(mode: '2d' | '3d', pairs: readonly BoxPair[]): BoxAgreement {
  let onlyA = 0;
  let onlyB = 0;
  const histogram = new Array<number>(10).fill(0);
  const iousOfCase = new Map<string, { sum: number; count: number }>();
  let matched = 0;
  for (const { caseId, a, b, iou } of pairs) {
    const matches = matchBoxes(a, b, iou);
    matched += matches.length;
    onlyA += a.length - matches.length;
    onlyB += b.length - matches.length;
    const sums = iousOfCase.get(caseId) ?? { sum: 0, count: 0 };
    for (const match of matches) {
      histogram[Math.min(9, Math.floor(match.iou * 10))]++;
      sums.sum += match.iou;
      sums.count++;
    }
    if (sums.count > 0) iousOfCase.set(caseId, sums);
  }
  const cases = [...iousOfCase.values()].map(({ sum, count }) => [sum, count]);
  return {
    mode,
    matched,
    onlyA,
    onlyB,
    detection: detectionRate(matched, onlyA, onlyB),
    meanIou: estimateFromSums(cases, ([sum, count]) => (count > 0 ? sum / count : null), matched),
    histogram,
  };
}

/**
 * Both marked m of the m + onlyA + onlyB findings: a proportion p, for which Wilson's interval is made. The rate of
 * detection is 2p / (1 + p), which rises with p, so the ends of the interval are carried over by it. Taking both boxes of
 * a match as two independent hits would make it too narrow.
 */
function detectionRate(matched: number, onlyA: number, onlyB: number): Estimate {
  const findings = matched + onlyA + onlyB;
  const interval = wilson(matched, findings);
  const rate = (share: number) => (2 * share) / (1 + share);
  return {
    value: findings > 0 ? rate(matched / findings) : null,
    low: interval && rate(interval.low),
    high: interval && rate(interval.high),
    n: matched + findings,
  };
}
