import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxIou } from '../../../src-contract/box-measures.ts';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import { matchBoxes } from './match-boxes.ts';

const box = fc
  .tuple(...Array.from({ length: 6 }, () => fc.integer({ min: 0, max: 6 })))
  .map(([x, y, z, dx, dy, dz]): SourceBox => ({ min: [x, y, z], max: [x + dx + 1, y + dy + 1, z + dz + 1] }));

/** The greatest sum of IoUs that any one-to-one matching has, by trying them all. */
function bestSum(a: readonly SourceBox[], b: readonly SourceBox[]): number {
  if (a.length === 0) return 0;
  const [first, ...rest] = a;
  let best = bestSum(rest, b);
  for (const [index, other] of b.entries()) {
    best = Math.max(best, boxIou(first, other) + bestSum(rest, b.toSpliced(index, 1)));
  }
  return best;
}

describe('matchBoxes', () => {
  it('is one to one and as good as any matching', () => {
    fc.assert(
      fc.property(fc.array(box, { maxLength: 5 }), fc.array(box, { maxLength: 5 }), (a, b) => {
        const matches = matchBoxes(a, b, boxIou);
        expect(new Set(matches.map((match) => match.a)).size).toBe(matches.length);
        expect(new Set(matches.map((match) => match.b)).size).toBe(matches.length);
        for (const match of matches) {
          expect(match.iou).toBe(boxIou(a[match.a], b[match.b]));
          expect(match.iou).toBeGreaterThan(0);
        }
        const sum = matches.reduce((total, match) => total + match.iou, 0);
        expect(sum).toBeCloseTo(bestSum(a, b), 9);
      }),
    );
  });

  it('does not take the first best where that leaves another without', () => {
    const at = (x: number, width: number): SourceBox => ({ min: [x, 0, 0], max: [x + width, 1, 1] });
    // b0 overlaps both, a1 only b0.
    const matches = matchBoxes([at(0, 10), at(8, 4)], [at(1, 9), at(0, 8)], boxIou);
    expect(matches).toHaveLength(2);
  });

  it('ends for hundreds of boxes', () => {
    const many = Array.from(
      { length: 2_000 },
      (_, x): SourceBox => ({ min: [x * 2, 0, 0], max: [x * 2 + 1, 1, 1] }),
    );
    expect(matchBoxes(many, many.toReversed(), boxIou)).toHaveLength(2_000);
  });
});
