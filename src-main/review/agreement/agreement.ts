/**
 * How far readers agree with each other and with the model. Only finished readings count. Adjudicators are compared with
 * the model, not with the readers whose marks they have seen. A step that one of two readers left open says nothing of
 * that pair: it is left out of their decisions and of their boxes.
 */
import type { Agreement, BoxAgreement, Reader } from '../../../src-contract/project.ts';
import { type Decision, decisions, type Review } from '../../../src-contract/review.ts';
import { type BoxPair, boxAgreement } from './box-agreement.ts';
import { cohenKappa, fleissKappa, observedAgreement } from './kappa.ts';
import {
  addedBoxes,
  boxAtStep,
  finishedReviews,
  independentReviews,
  iouIn,
  type ReviewedRun,
} from './reviewed-run.ts';

const category = (decision: Decision): number => decisions.indexOf(decision);

/** Items by case, in the order in which the cases come. */
class ByCase<Item> {
  readonly #cases = new Map<string, Item[]>();

  add(caseId: string, item: Item): void {
    const items = this.#cases.get(caseId);
    if (items) items.push(item);
    else this.#cases.set(caseId, [item]);
  }

  get all(): Item[][] {
    return [...this.#cases.values()];
  }
}

/** What accumulates of two sides: decisions (between readers) and boxes. */
class Pair {
  readonly ratings = new ByCase<readonly [number, number]>();
  readonly boxes: Record<'2d' | '3d', BoxPair[]> = { '2d': [], '3d': [] };

  get boxAgreements(): BoxAgreement[] {
    return (['2d', '3d'] as const)
      .filter((mode) => this.boxes[mode].length > 0)
      .map((mode) => boxAgreement(mode, this.boxes[mode]));
  }
}

/**
 * @param runs of any number of cases; read once, one at a time
 * @param readers of the project; who has finished nothing does not appear in the result
 */
export function agreementOf(runs: Iterable<ReviewedRun>, readers: readonly Reader[]): Agreement {
  const order = readers.map(({ readerId }) => readerId);
  const between = new Map<string, { a: string; b: string; pair: Pair }>();
  const model = new Map<string, { counts: Record<Decision, number>; pair: Pair }>();
  const counts = new ByCase<number[]>();
  let shared = 0;
  for (const run of runs) {
    const byOrder = (reviews: Review[]) =>
      reviews
        .filter(({ readerId }) => order.includes(readerId))
        .sort((a, b) => order.indexOf(a.readerId) - order.indexOf(b.readerId));
    for (const review of byOrder(finishedReviews(run))) {
      const side = model.get(review.readerId) ?? {
        counts: { accept: 0, reject: 0, correct: 0 },
        pair: new Pair(),
      };
      model.set(review.readerId, side);
      for (const { decision } of Object.values(review.verdicts)) side.counts[decision]++;
      side.pair.boxes[run.mode].push(againstModel(run, review));
    }
    const independent = byOrder(independentReviews(run, readers));
    if (independent.length < 2) continue;
    shared++;
    for (const step of run.steps.keys()) {
      const given = decisions.map(
        (decision) => independent.filter(({ verdicts }) => verdicts[step]?.decision === decision).length,
      );
      counts.add(run.caseId, given);
    }
    for (const [index, a] of independent.entries()) {
      for (const b of independent.slice(index + 1)) {
        const key = JSON.stringify([a.readerId, b.readerId]);
        const side = between.get(key) ?? { a: a.readerId, b: b.readerId, pair: new Pair() };
        between.set(key, side);
        addPair(side.pair, run, a, b);
      }
    }
  }
  return {
    readers: readers.filter(({ readerId }) => model.has(readerId)),
    runs: shared,
    fleiss: fleissKappa(counts.all, decisions.length),
    pairs: [...between.values()].map(({ a, b, pair }) => ({
      a,
      b,
      observed: observedAgreement(pair.ratings.all),
      cohen: cohenKappa(pair.ratings.all, decisions.length),
      boxes: pair.boxAgreements,
    })),
    readersAgainstModel: order.flatMap((readerId) => {
      const side = model.get(readerId);
      return side ? [{ readerId, decisions: side.counts, boxes: side.pair.boxAgreements }] : [];
    }),
  };
}

function addPair(pair: Pair, run: ReviewedRun, a: Review, b: Review): void {
  const both = [...run.steps.keys()].filter((step) => a.verdicts[step] && b.verdicts[step]);
  for (const step of both) {
    pair.ratings.add(run.caseId, [category(a.verdicts[step].decision), category(b.verdicts[step].decision)]);
  }
  const boxes = (review: Review) => [
    ...both.map((step) => boxAtStep(run, review, step)).filter((box) => box !== null),
    ...addedBoxes(review),
  ];
  pair.boxes[run.mode].push({ caseId: run.caseId, a: boxes(a), b: boxes(b), iou: iouIn(run) });
}

/** A: what the reader holds to be there. B: the model's boxes of the steps that the reader has decided on. */
function againstModel(run: ReviewedRun, review: Review): BoxPair {
  const decided = [...run.steps.keys()].filter((step) => review.verdicts[step]);
  return {
    caseId: run.caseId,
    a: [
      ...decided.map((step) => boxAtStep(run, review, step)).filter((box) => box !== null),
      ...addedBoxes(review),
    ],
    b: decided.map((step) => run.steps[step]),
    iou: iouIn(run),
  };
}
