import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../engine/decode/random.ts';
import { fixtureTable } from '../../slices/test-fixtures.ts';
import { bootstrapResamples, estimateFromSums, leastCases, quantile, wilson } from './intervals.ts';
import {
  cohenKappa,
  fleissKappa,
  observedAgreement,
  type PairedRatings,
  type RatingCounts,
} from './kappa.ts';

interface CohenCase {
  name: string;
  a: number[];
  b: number[];
  kappa: number | null;
}
interface FleissCase {
  name: string;
  ratings: (number | null)[][];
  kappa: number;
}

const paired = ({ a, b }: CohenCase): PairedRatings => a.map((value, index) => [value, b[index]]);
const counted = (ratings: (number | null)[]): number[] =>
  [0, 1, 2].map((category) => ratings.filter((value) => value === category).length);
/** Items dealt out to as many cases. */
const dealt = <T>(items: readonly T[], cases: number): T[][] =>
  Array.from({ length: cases }, (_, each) => items.filter((_item, index) => index % cases === each));

const expectKappa = (actual: number | null, expected: number | null) =>
  expected === null ? expect(actual).toBeNull() : expect(actual).toBeCloseTo(expected, 12);

describe("Cohen's kappa", () => {
  it.each(fixtureTable<CohenCase>('agreement/cohen.json'))('is scikit-learn’s: $name', (row) => {
    for (const cases of [1, 7]) {
      const kappa = cohenKappa(dealt(paired(row), cases), 3);
      expectKappa(kappa.value, row.kappa);
      expect(kappa.n).toBe(row.a.length);
    }
  });

  it('says nothing of nothing', () => {
    expect(cohenKappa([], 3)).toEqual({ value: null, low: null, high: null, n: 0 });
    expect(cohenKappa([[], []], 3)).toEqual({ value: null, low: null, high: null, n: 0 });
    expect(observedAgreement([])).toBeNull();
    expect(
      observedAgreement([
        [
          [0, 0],
          [0, 1],
        ],
        [[2, 2]],
      ]),
    ).toBeCloseTo(2 / 3, 12);
  });

  it('has an interval from five cases on, the same each time, around its value', () => {
    const row = fixtureTable<CohenCase>('agreement/cohen.json').find(({ name }) => name === 'skewed')!;
    expect(cohenKappa(dealt(paired(row), leastCases - 1), 3).low).toBeNull();
    const kappa = cohenKappa(dealt(paired(row), 40), 3);
    expect(kappa).toEqual(cohenKappa(dealt(paired(row), 40), 3));
    expect(kappa.low).toBeLessThan(kappa.value!);
    expect(kappa.high).toBeGreaterThan(kappa.value!);
    expect(kappa.high).toBeLessThanOrEqual(1);
  });

  it('gives no interval where too many resamples have one category only', () => {
    const nearlyOne = dealt<readonly [number, number]>(
      Array.from({ length: 10 }, (_, index) => (index === 3 ? [0, 1] : [0, 0])),
      10,
    );
    const kappa = cohenKappa(nearlyOne, 3);
    expect(kappa.value).toBe(0);
    expect([kappa.low, kappa.high]).toEqual([null, null]);
  });
});

describe("Fleiss' kappa", () => {
  it.each(fixtureTable<FleissCase>('agreement/fleiss.json'))(
    'is that of statsmodels and irrCAC: $name',
    (row) => {
      const items = row.ratings.map(counted);
      expectKappa(fleissKappa(dealt(items, 3), 3).value, row.kappa);
      // Items of one reader change nothing.
      expectKappa(fleissKappa([items, [[1, 0, 0]]], 3).value, row.kappa);
      expect(fleissKappa([items], 3).n).toBe(items.length);
    },
  );

  it('is null for one category and for nothing', () => {
    const one: RatingCounts = [
      [0, 3, 0],
      [0, 2, 0],
    ];
    expect(fleissKappa([one], 3).value).toBeNull();
    expect(fleissKappa([], 3).value).toBeNull();
  });
});

describe('intervals', () => {
  it.each(fixtureTable<{ hits: number; n: number; low: number; high: number }>('agreement/wilson.json'))(
    'are Wilson’s of statsmodels: $hits of $n',
    ({ hits, n, low, high }) => {
      const interval = wilson(hits, n)!;
      expect(interval.low).toBeCloseTo(low, 10);
      expect(interval.high).toBeCloseTo(high, 10);
    },
  );

  it('has none for no items', () => expect(wilson(0, 0)).toBeNull());

  it('takes quantiles between values', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([7], 0.975)).toBe(7);
  });

  it('is as wide for cases in groups as theory says: 5,000 cases, sorted', () => {
    // A proportion of 0.3 over cases in order: the standard error is sqrt(p q / n).
    const cases = Array.from({ length: 5_000 }, (_, index) => [index < 1_500 ? 1 : 0, 1]);
    const { low, high } = estimateFromSums(cases, ([sum, n]) => sum / n, 5_000);
    const expected = 2 * 1.96 * Math.sqrt((0.3 * 0.7) / 5_000);
    expect((high! - low!) / expected).toBeGreaterThan(0.9);
    expect((high! - low!) / expected).toBeLessThan(1.1);
  });

  it('cover the truth about as often as they say, also where items of a case go together', () => {
    const random = seededRandom(11);
    let covered = 0;
    const trials = 200;
    for (let trial = 0; trial < trials; trial++) {
      // 40 cases of five items each; a case's items are all alike three times in four.
      const cases = Array.from({ length: 40 }, () => {
        const common = random() < 0.5 ? 1 : 0;
        const items = Array.from({ length: 5 }, () => (random() < 0.75 ? common : random() < 0.5 ? 1 : 0));
        return [items.reduce<number>((sum, item) => sum + item, 0), items.length];
      });
      const { low, high } = estimateFromSums(cases, ([sum, n]) => sum / n, 200);
      if (low! <= 0.5 && high! >= 0.5) covered++;
    }
    expect(bootstrapResamples).toBeGreaterThanOrEqual(1000);
    expect(covered / trials).toBeGreaterThan(0.89);
    expect(covered / trials).toBeLessThan(0.99);
  });
});
