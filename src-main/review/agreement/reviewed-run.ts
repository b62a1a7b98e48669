/** What agreement looks at: a run's boxes and what the readers who have finished it say of them. */
import { boxIou, planeIou, sliceAxis } from '../../../src-contract/box-measures.ts';
import { missingCase } from '../../../src-contract/errors.ts';
import type { AffineChain } from '../../../src-contract/geometry.ts';
import type { Reader } from '../../../src-contract/project.ts';
import type { Review } from '../../../src-contract/review.ts';
import { type SourceBox, sourceBoxOf } from '../../../src-contract/source-box.ts';
import { summarizeEvents, type Trace } from '../../../src-contract/trace.ts';

export interface ReviewedRun {
  readonly caseId: string;
  readonly runId: string;
  /** Of the case. */
  readonly title: string;
  readonly question: string;
  readonly mode: '2d' | '3d';
  /** Source axis along which the model's slices run. */
  readonly axis: 0 | 1 | 2;
  /** The model's box of each step, by step. */
  readonly steps: readonly SourceBox[];
  /** Of any reader, finished or not; at most one a reader. */
  readonly reviews: readonly Review[];
}

/** Boxes of a trace, as agreement wants them. */
export function boxesOfTrace(trace: Trace): Pick<ReviewedRun, 'mode' | 'axis' | 'steps'> {
  const { started, steps } = summarizeEvents(trace.events);
  return {
    mode: started?.mode ?? modeOfChain(trace.chain),
    axis: sliceAxis(trace.chain),
    steps: steps.map(({ box }) => sourceBoxOf(box.located)),
  };
}

/** For a trace that ended before its run began. */
const modeOfChain = ({ serialization }: AffineChain): '2d' | '3d' =>
  serialization === 'image' ? '2d' : '3d';

/** Reviews that count: finished ones. */
export const finishedReviews = ({ reviews }: ReviewedRun): Review[] =>
  reviews.filter(({ reading }) => reading?.status === 'done');

/** Adjudicators have seen the others' marks: their reading settles a disagreement and is no independent one. */
export function independentReviews(run: ReviewedRun, readers: readonly Reader[]): Review[] {
  const adjudicators = new Set(
    readers.filter(({ role }) => role === 'adjudicator').map(({ readerId }) => readerId),
  );
  return finishedReviews(run).filter(({ readerId }) => !adjudicators.has(readerId));
}

/** The box that a reader stands behind at a step: the model's own, a corrected one, or none. */
export function boxAtStep(run: ReviewedRun, review: Review, step: number): SourceBox | null {
  const decision = review.verdicts[step]?.decision;
  switch (decision) {
    case undefined:
    case 'reject':
      return null;
    case 'accept':
      return run.steps[step] ?? null;
    case 'correct':
      return review.boxes[step] ?? run.steps[step] ?? null;
    default:
      return missingCase(decision);
  }
}

export const addedBoxes = (review: Review): SourceBox[] => Object.values(review.added).map(({ box }) => box);

/** IoU of volumes for a volume run, of areas in the slice for a 2D run, whose boxes have no thickness of their own. */
export const iouIn = ({ mode, axis }: Pick<ReviewedRun, 'mode' | 'axis'>) =>
  mode === '3d' ? boxIou : (a: SourceBox, b: SourceBox) => planeIou(a, b, axis);
