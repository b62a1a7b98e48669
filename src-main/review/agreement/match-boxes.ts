/** Which box of one set is which of the other: one to one, so that two boxes on one finding count once. */
import munkres from 'munkres';

export interface BoxMatch {
  readonly a: number;
  readonly b: number;
  readonly iou: number;
}

/** Boxes a side up to which the assignment is optimal; it takes time with the cube of their number. */
const optimalLimit = 300;

/**
 * Pairs with an IoU above 0 whose IoUs add up to the most (Kuhn-Munkres assignment), by rising `a`. Beyond 300 boxes a
 * side, which no reader makes but a crafted trace may hold, each box in turn takes the best one that is left.
 */
export function matchBoxes<Box>(
  a: readonly Box[],
  b: readonly Box[],
  iou: (a: Box, b: Box) => number,
): BoxMatch[] {
  if (a.length === 0 || b.length === 0) return [];
  if (Math.max(a.length, b.length) > optimalLimit) return matchGreedily(a, b, iou);
  const costs = a.map((one) => b.map((other) => 1 - iou(one, other)));
  return munkres(costs)
    .map(([row, column]) => ({ a: row, b: column, iou: iou(a[row], b[column]) }))
    .filter((match) => match.iou > 0)
    .sort((one, other) => one.a - other.a);
}

function matchGreedily<Box>(
  a: readonly Box[],
  b: readonly Box[],
  iou: (a: Box, b: Box) => number,
): BoxMatch[] {
  const free = new Set(b.keys());
  const matches: BoxMatch[] = [];
  for (const [row, one] of a.entries()) {
    let best: BoxMatch | null = null;
    for (const column of free) {
      const value = iou(one, b[column]);
      if (value > (best?.iou ?? 0)) best = { a: row, b: column, iou: value };
    }
    if (best === null) continue;
    free.delete(best.b);
    matches.push(best);
  }
  return matches;
}
