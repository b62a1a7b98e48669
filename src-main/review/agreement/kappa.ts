/**
 * Agreement beyond chance on categories. Intervals are those of intervals.ts: resampled by case, not asymptotic.
 * Where chance alone would agree fully (one category was used throughout) kappa is not defined: null, never NaN.
 */
import type { Estimate } from '../../../src-contract/project.ts';
import { estimateFromSums } from './intervals.ts';

/** One case's items: the categories (0 .. categories - 1) that two readers gave to each. */
export type PairedRatings = readonly (readonly [number, number])[];

/**
 * Cohen's kappa (1960), unweighted: (po - pe) / (1 - pe), pe from the readers' own margins.
 * @param cases items by case; n is their number
 */
export function cohenKappa(cases: readonly PairedRatings[], categories: number): Estimate {
  const tables = cases
    .filter((items) => items.length > 0)
    .map((items) => {
      const table = new Float64Array(categories * categories);
      for (const [a, b] of items) table[a * categories + b]++;
      return table;
    });
  const n = cases.reduce((sum, items) => sum + items.length, 0);
  return estimateFromSums(tables, (table) => kappaOfTable(table, categories), n);
}

function kappaOfTable(table: Float64Array, categories: number): number | null {
  let total = 0;
  let same = 0;
  let chance = 0;
  const rows = new Float64Array(categories);
  const columns = new Float64Array(categories);
  for (let a = 0; a < categories; a++) {
    for (let b = 0; b < categories; b++) {
      const count = table[a * categories + b];
      total += count;
      rows[a] += count;
      columns[b] += count;
      if (a === b) same += count;
    }
  }
  for (let each = 0; each < categories; each++) chance += rows[each] * columns[each];
  // In counts, so that "chance agrees fully" is an exact comparison.
  const open = total * total - chance;
  return open > 0 ? (total * same - chance) / open : null;
}

/** Share of items with the same category; null for no item. */
export function observedAgreement(cases: readonly PairedRatings[]): number | null {
  let n = 0;
  let same = 0;
  for (const items of cases) {
    for (const [a, b] of items) {
      n++;
      if (a === b) same++;
    }
  }
  return n > 0 ? same / n : null;
}

/** One case's items: how many readers gave each category to each item. */
export type RatingCounts = readonly (readonly number[])[];

/**
 * Fleiss' kappa (1971) for any number of readers, who need not be the same for each item. Where items have different
 * numbers of readers it is Gwet's generalisation (Handbook of Inter-Rater Reliability, 4th ed. 2014, ch. 2; R and Python
 * irrCAC), which is Fleiss' own for equal numbers. Items with fewer than two readers say nothing and are left out.
 */
export function fleissKappa(cases: readonly RatingCounts[], categories: number): Estimate {
  let n = 0;
  const vectors: Float64Array[] = [];
  for (const items of cases) {
    // [items, sum of agreement within items, sum of category shares …]
    const vector = new Float64Array(2 + categories);
    for (const counts of items) {
      const readers = counts.reduce((sum, count) => sum + count, 0);
      if (readers < 2) continue;
      const pairs = counts.reduce((sum, count) => sum + count * (count - 1), 0);
      vector[0]++;
      vector[1] += pairs / (readers * (readers - 1));
      counts.forEach((count, category) => {
        vector[2 + category] += count / readers;
      });
    }
    if (vector[0] > 0) vectors.push(vector);
    n += vector[0];
  }
  return estimateFromSums(vectors, fleissOfSums, n);
}

function fleissOfSums([items, agreement, ...shares]: Float64Array): number | null {
  const observed = agreement / items;
  const chance = shares.reduce((sum, share) => sum + (share / items) ** 2, 0);
  // One category throughout: its share is the whole, but for rounding.
  return 1 - chance > 1e-12 ? (observed - chance) / (1 - chance) : null;
}
