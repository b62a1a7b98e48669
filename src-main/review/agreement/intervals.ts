/**
 * 95 % intervals. Steps of one case are not independent of each other (one scan, one reader's mood, one repeated box), so
 * everything that can be is resampled by CASE: the cluster bootstrap (Field and Welsh 2007), percentile interval. Formulas
 * that assume independent items, such as the asymptotic one for kappa (Fleiss, Cohen and Everitt 1969), would come out too
 * narrow.
 */
import type { Estimate } from '../../../src-contract/project.ts';
import { seededRandom } from '../../engine/decode/random.ts';

/** Resamples of one interval, and the seed of all: the same reviews give the same interval on every machine. */
export const bootstrapResamples = 1_000;
const bootstrapSeed = 20_220_602;

/** Below five cases there are so few different resamples that an interval would only look like one. */
export const leastCases = 5;

/** More cases than this are drawn in groups put together by lot: as good, and ten thousand cases take no longer. */
const mostUnits = 1_000;

/** Share of resamples in which a statistic may be undefined (kappa of one category) before the interval is given up. */
const undefinedShare = 0.1;

export const noEstimate: Estimate = { value: null, low: null, high: null, n: 0 };

/** Quantile with linear interpolation (type 7 of Hyndman and Fan 1996) of values in rising order. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/**
 * A statistic of sums, with its interval by cluster bootstrap.
 *
 * @param cases one vector of sums a case, all of one length: what the case adds to each sum
 * @param statistic of the summed vector; null where it is not defined
 * @param n items behind it, for the estimate
 */
export function estimateFromSums(
  cases: readonly ArrayLike<number>[],
  statistic: (sums: Float64Array) => number | null,
  n: number,
): Estimate {
  const width = cases[0]?.length ?? 0;
  const sums = new Float64Array(width);
  const add = (vector: ArrayLike<number>) => {
    for (let i = 0; i < width; i++) sums[i] += vector[i];
  };
  for (const vector of cases) add(vector);
  const value = cases.length > 0 ? statistic(sums) : null;
  if (value === null || cases.length < leastCases) return { value, low: null, high: null, n };
  const random = seededRandom(bootstrapSeed);
  const units = inGroups(cases, width, random);
  const values: number[] = [];
  for (let resample = 0; resample < bootstrapResamples; resample++) {
    sums.fill(0);
    for (let draw = 0; draw < units.length; draw++) add(units[Math.floor(random() * units.length)]);
    const drawn = statistic(sums);
    if (drawn !== null) values.push(drawn);
  }
  if (values.length < bootstrapResamples * (1 - undefinedShare)) return { value, low: null, high: null, n };
  const sorted = Float64Array.from(values).sort();
  // All resamples alike (perfect agreement): the data can't say how sure that is, and [1, 1] would claim it can.
  if (sorted[sorted.length - 1] - sorted[0] < 1e-9) return { value, low: null, high: null, n };
  return { value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975), n };
}

/** Sums of equally many cases each, chosen by lot: neighbours in a sorted list must not end up spread evenly. */
function inGroups(
  cases: readonly ArrayLike<number>[],
  width: number,
  random: () => number,
): readonly ArrayLike<number>[] {
  if (cases.length <= mostUnits) return cases;
  const order = Array.from(cases.keys());
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  const groups = Array.from({ length: mostUnits }, () => new Float64Array(width));
  for (const [place, index] of order.entries()) {
    const group = groups[place % mostUnits];
    for (let i = 0; i < width; i++) group[i] += cases[index][i];
  }
  return groups;
}

/** Of the normal distribution: 97.5 %. */
const z = 1.959963984540054;

/** Wilson's score interval (1927) of a proportion; nulls for none. */
export function wilson(hits: number, n: number): { readonly low: number; readonly high: number } | null {
  if (n <= 0) return null;
  const share = hits / n;
  const centre = share + (z * z) / (2 * n);
  const half = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  // Rounding must not leave 0 or 1 outside of an interval that ends there.
  return {
    low: hits === 0 ? 0 : Math.max(0, (centre - half) / scale),
    high: hits === n ? 1 : Math.min(1, (centre + half) / scale),
  };
}
