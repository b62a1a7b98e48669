/** What readers differ on, worst first: the adjudicator's list. */
import type { Disagreement, Reader } from '../../../src-contract/project.ts';
import type { Review } from '../../../src-contract/review.ts';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import { matchBoxes } from './match-boxes.ts';
import {
  addedBoxes,
  boxAtStep,
  finishedReviews,
  independentReviews,
  iouIn,
  type ReviewedRun,
} from './reviewed-run.ts';

/** Two boxes for one finding that overlap less than this are a disagreement of their own, whatever the decisions say. */
export const samePlaceIou = 0.5;

interface Ranked {
  readonly row: Disagreement;
  /** Readers in the smaller camp on whether there is anything; 0 where all agree that there is. */
  readonly split: number;
}

/**
 * Of one run: steps with different decisions, or with boxes in different places, and boxes that not every reader added.
 * Empty while fewer than two readers have finished it.
 */
export function disagreementsOf(run: ReviewedRun, readers: readonly Reader[]): Disagreement[] {
  return rankedOf(run, readers).map(({ row }) => row);
}

/**
 * Of many runs. Unsettled ones first; then those on whether there is anything, by how evenly readers are split; then by
 * rising IoU.
 */
export function listDisagreements(runs: Iterable<ReviewedRun>, readers: readonly Reader[]): Disagreement[] {
  const ranked: Ranked[] = [];
  for (const run of runs) ranked.push(...rankedOf(run, readers));
  // Array.sort keeps the order of equals: that of the runs.
  return ranked
    .sort(
      (a, b) =>
        Number(a.row.settled) - Number(b.row.settled) ||
        b.split - a.split ||
        (a.row.iou ?? 1) - (b.row.iou ?? 1),
    )
    .map(({ row }) => row);
}

function rankedOf(run: ReviewedRun, readers: readonly Reader[]): Ranked[] {
  const reviews = independentReviews(run, readers);
  if (reviews.length < 2) return [];
  const adjudicated = finishedReviews(run).filter((review) => !reviews.includes(review));
  const { caseId, runId, title, question } = run;
  const common = { caseId, runId, title, question };
  const rows: Ranked[] = [];
  for (const step of run.steps.keys()) {
    const decided = reviews.filter(({ verdicts }) => verdicts[step]);
    const said = decided.map(({ readerId, verdicts }) => ({ readerId, what: verdicts[step].decision }));
    const boxes = decided.map((review) => boxAtStep(run, review, step)).filter((box) => box !== null);
    const iou = leastIou(boxes, iouIn(run));
    const differ = new Set(said.map(({ what }) => what)).size > 1;
    if (!differ && (iou === null || iou >= samePlaceIou)) continue;
    const settled = adjudicated.some(({ verdicts }) => verdicts[step]);
    const split = Math.min(boxes.length, decided.length - boxes.length);
    rows.push({ row: { ...common, step, said, iou, settled }, split });
  }
  const settled = adjudicated.length > 0;
  for (const { by, boxes } of addedFindings(run, reviews)) {
    const iou = leastIou(boxes, iouIn(run));
    if (by.length === reviews.length && (iou === null || iou >= samePlaceIou)) continue;
    const said = by.map((readerId) => ({ readerId, what: 'added' }));
    const split = Math.min(by.length, reviews.length - by.length);
    rows.push({ row: { ...common, step: null, said, iou, settled }, split });
  }
  return rows;
}

function leastIou(boxes: readonly SourceBox[], iou: (a: SourceBox, b: SourceBox) => number): number | null {
  let least: number | null = null;
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) least = Math.min(least ?? 1, iou(a, b));
  }
  return least;
}

/** Added boxes of all readers as findings: each reader's boxes are matched with the first box of every finding so far. */
function addedFindings(run: ReviewedRun, reviews: readonly Review[]): { by: string[]; boxes: SourceBox[] }[] {
  const findings: { by: string[]; boxes: SourceBox[] }[] = [];
  for (const review of reviews) {
    const boxes = addedBoxes(review);
    const matches = matchBoxes(
      findings.map((finding) => finding.boxes[0]),
      boxes,
      iouIn(run),
    );
    for (const [index, box] of boxes.entries()) {
      const match = matches.find(({ b }) => b === index);
      const finding = match ? findings[match.a] : { by: [], boxes: [] };
      if (!match) findings.push(finding);
      finding.by.push(review.readerId);
      finding.boxes.push(box);
    }
  }
  return findings;
}
