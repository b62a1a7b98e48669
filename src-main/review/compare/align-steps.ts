/** Which step of one run is which of the other. */

/** Indices of both; null where the other run has no such step. */
export type StepPair = readonly [number | null, number | null];

/**
 * What two steps in order are worth to each other without any overlap: enough that steps that can be paired are, too
 * little to pull apart boxes that lie on each other.
 */
const inOrder = 0.05;

/** Pairs that the alignment weighs; beyond it (no real run has so many steps) steps are paired by number. */
const mostPairs = 4_000_000;

/**
 * Aligns two sequences of steps without changing their order (Needleman and Wunsch 1970, no cost for a gap): the pairing
 * whose overlaps add up to the most.
 * @param overlap of step a and step b, 0..1
 */
export function alignSteps(
  countA: number,
  countB: number,
  overlap: (a: number, b: number) => number,
): StepPair[] {
  if (countA * countB > mostPairs) {
    return Array.from({ length: Math.max(countA, countB) }, (_, step) => [
      step < countA ? step : null,
      step < countB ? step : null,
    ]);
  }
  const width = countB + 1;
  // best[a * width + b]: of the steps from a and b on.
  const best = new Float64Array((countA + 1) * width);
  const worth = (a: number, b: number) => overlap(a, b) + inOrder;
  for (let a = countA - 1; a >= 0; a--) {
    for (let b = countB - 1; b >= 0; b--) {
      best[a * width + b] = Math.max(
        worth(a, b) + best[(a + 1) * width + b + 1],
        best[(a + 1) * width + b],
        best[a * width + b + 1],
      );
    }
  }
  const pairs: StepPair[] = [];
  let [a, b] = [0, 0];
  while (a < countA && b < countB) {
    const here = best[a * width + b];
    if (here === worth(a, b) + best[(a + 1) * width + b + 1]) pairs.push([a++, b++]);
    else if (here === best[(a + 1) * width + b]) pairs.push([a++, null]);
    else pairs.push([null, b++]);
  }
  while (a < countA) pairs.push([a++, null]);
  while (b < countB) pairs.push([null, b++]);
  return pairs;
}
