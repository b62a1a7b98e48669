import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparisonSchema, consistencySchema, type DiffPiece } from '../../../src-contract/comparison.ts';
import { locateBox } from '../../../src-contract/geometry.ts';
import { sourceBoxOf } from '../../../src-contract/source-box.ts';
import { makeTrace, sliceChain, volumeChain } from '../testing/make-trace.ts';
import { alignSteps } from './align-steps.ts';
import { compareRuns } from './compare-runs.ts';
import { consistencyOf, cuboidSlices, requireCuboid, sliceRunsOf } from './consistency.ts';
import { sectionAt, slicesOf, targetOf } from './run-target.ts';
import { diffWords, wordsOf } from './word-diff.ts';

const box = (...numbers: number[]) => `<|box_start|>[${numbers.join(',')}]<|box_end|>`;
const end = '<|im_end|>';
const side = (pieces: readonly DiffPiece[], which: 'a' | 'b') =>
  pieces
    .filter((piece) => piece.side !== (which === 'a' ? 'b' : 'a'))
    .map(({ text }) => text)
    .join('');

describe('words', () => {
  it('keep both texts whole', () => {
    const words = fc
      .array(fc.constantFrom('a', 'mass', 'in', 'the', 'left', 'lung', ',', '\n', '  ', '肺', 'é.'))
      .map((parts) => parts.join(' '));
    fc.assert(
      fc.property(words, words, (a, b) => {
        const pieces = diffWords(a, b);
        expect(side(pieces, 'a')).toBe(a);
        expect(side(pieces, 'b')).toBe(b);
        expect(pieces.every(({ text }) => text !== '')).toBe(true);
        if (a === b) expect(pieces.every((piece) => piece.side === 'both')).toBe(true);
      }),
    );
  });

  it('name what changed', () => {
    expect(diffWords('a mass in the left lung', 'a mass in the right lung')).toEqual([
      { side: 'both', text: 'a mass in the ' },
      { side: 'a', text: 'left' },
      { side: 'b', text: 'right' },
      { side: 'both', text: ' lung' },
    ]);
  });

  it('come without boxes and special tokens', () => {
    expect(wordsOf(`<think>See ${box(1, 2, 3, 4)} here.</think>\nB. right<|im_end|>`)).toBe(
      'See here.\nB. right',
    );
  });
});

describe('alignSteps', () => {
  it('pairs what lies on each other, and otherwise by order', () => {
    const overlap = (table: number[][]) => (a: number, b: number) => table[a][b];
    expect(
      alignSteps(
        3,
        2,
        overlap([
          [0, 0],
          [0.9, 0],
          [0, 0.8],
        ]),
      ),
    ).toEqual([
      [0, null],
      [1, 0],
      [2, 1],
    ]);
    expect(
      alignSteps(
        2,
        2,
        overlap([
          [0, 0],
          [0, 0],
        ]),
      ),
    ).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(alignSteps(0, 2, () => 0)).toEqual([
      [null, 0],
      [null, 1],
    ]);
  });

  it('has every step once, in order', () => {
    const size = fc.integer({ min: 0, max: 7 });
    fc.assert(
      fc.property(
        size,
        size,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 49 }),
        (a, b, ious) => {
          const pairs = alignSteps(a, b, (i, j) => ious[i * 7 + j]);
          const given = (which: 0 | 1) => pairs.map((pair) => pair[which]).filter((step) => step !== null);
          expect(given(0)).toEqual(Array.from({ length: a }, (_, step) => step));
          expect(given(1)).toEqual(Array.from({ length: b }, (_, step) => step));
        },
      ),
    );
    expect(alignSteps(3_000, 3_001, () => 1)).toHaveLength(3_001);
  });
});

describe('targets', () => {
  it('are volumes and slices', () => {
    expect(targetOf({ chain: volumeChain() })).toEqual({ kind: 'volume', axis: 2 });
    expect(targetOf({ chain: sliceChain(7) })).toEqual({ kind: 'slice', axis: 2, slice: 7 });
    const picture = { ...sliceChain(0), sourceSize: [50, 50, 1] as [number, number, number] };
    expect(targetOf({ chain: picture })).toEqual({ kind: 'image', axis: 2 });
  });

  it('cut a cuboid at the middles of slices', () => {
    const cuboid = { min: [0, 0, 4.5], max: [9, 9, 9.5] } satisfies ReturnType<typeof sourceBoxOf>;
    expect(slicesOf(cuboid, 2, 20)).toEqual([5, 6, 7, 8, 9]);
    expect(slicesOf(cuboid, 2, 7)).toEqual([5, 6]);
    expect(sectionAt(cuboid, 2, 5)).toEqual({ min: [0, 0, 4.5], max: [9, 9, 5.5] });
    expect(sectionAt(cuboid, 2, 4)).toBeNull();
    expect(sectionAt(cuboid, 2, 10)).toBeNull();
  });
});

describe('compareRuns', () => {
  it('compares a run with itself', async () => {
    const trace = await makeTrace({
      script: [`See ${box(5, 6, 1, 30, 40, 3)}`, `the node. B. right${end}`],
      expected: 'B',
    });
    const run = { runId: 'one', trace };
    const comparison = comparisonSchema.parse(compareRuns(run, run));
    expect(comparison).toMatchObject({ samePixels: true, differences: [] });
    expect(comparison.steps).toHaveLength(2);
    expect(comparison.steps[0]).toMatchObject({ a: 0, b: 0, iou: 1, centre: { value: 0, unit: 'mm' } });
    expect(comparison.steps[1]).toMatchObject({ closing: true, iou: null });
    expect(comparison.a).toMatchObject({ answerReward: 1, formatReward: 1, stopReason: 'end-of-turn' });
    expect(comparison.a.label).toContain('the volume · grounded');
  });

  it('measures a slice’s box against the cuboid’s section', async () => {
    const volume = await makeTrace({ script: [box(14, 14, 1, 42, 42, 3), `A.${end}`] });
    // Source slices 5 to 14 are the cuboid's; the same square, and half of it.
    const inside = await makeTrace({ slice: 7, script: [box(14, 14, 42, 42), `A.${end}`] });
    const half = await makeTrace({ slice: 7, script: [box(14, 14, 28, 42), `A.${end}`] });
    const outside = await makeTrace({ slice: 2, script: [box(14, 14, 42, 42), `A.${end}`] });
    const iou = (trace: typeof volume) => {
      const comparison = compareRuns({ runId: 'v', trace: volume }, { runId: 's', trace });
      expect(comparison.samePixels).toBe(true);
      return comparison.steps[0];
    };
    expect(iou(inside).iou).toBeCloseTo(1, 9);
    expect(iou(inside).centre?.value).toBeCloseTo(0, 9);
    expect(iou(half).iou).toBeCloseTo(0.5, 9);
    // A quarter of 28 of 56 pixels on 50 voxels of 2 mm.
    expect(iou(half).centre?.value).toBeCloseTo(((7 * 50) / 56) * 2, 9);
    expect(iou(outside).iou).toBe(0);
    const twoSlices = compareRuns({ runId: 'a', trace: inside }, { runId: 'b', trace: outside });
    expect(twoSlices.steps[0].iou).toBe(0);
    const oneSlice = compareRuns({ runId: 'a', trace: inside }, { runId: 'b', trace: half });
    expect(oneSlice.steps[0].iou).toBeCloseTo(0.5, 9);
  });

  it('says what differs, and measures nothing across scans', async () => {
    const a = await makeTrace({ script: [`x ${box(1, 2, 1, 30, 40, 3)}`, `A.${end}`], expected: 'B' });
    const b = await makeTrace({
      slice: 3,
      script: [`A.${end}`],
      preset: 'text-only',
      sha256: 'b'.repeat(64),
      question: 'Which?',
    });
    const comparison = comparisonSchema.parse(
      compareRuns({ runId: 'a', trace: a }, { runId: 'b', trace: b }),
    );
    expect(comparison.samePixels).toBe(false);
    const what = comparison.differences.map((difference) => difference.what);
    for (const expected of ['Question', 'Target', 'Preset', 'Right answer']) expect(what).toContain(expected);
    expect(what).not.toContain('Model');
    expect(comparison.differences.find((difference) => difference.what === 'Target')).toEqual({
      what: 'Target',
      a: 'the volume',
      b: 'slice 4 of 20',
    });
    expect(comparison.steps[0]).toMatchObject({ a: 0, b: null, boxB: null, iou: null, centre: null });
    expect(comparison.a.answerReward).toBe(0);
    expect(comparison.b.answerReward).toBeNull();
  });

  it('takes a run that never began', async () => {
    const whole = await makeTrace({ script: [`A.${end}`] });
    const empty = { ...whole, events: [] };
    const comparison = comparisonSchema.parse(
      compareRuns({ runId: 'a', trace: empty }, { runId: 'b', trace: whole }),
    );
    expect(comparison.a).toMatchObject({ answer: null, formatReward: 0, stopReason: null });
    expect(comparison.differences.map(({ what }) => what)).toContain('Model');
  });
});

describe('consistency', () => {
  const volumeRun = async (runId = 'v') => ({
    runId,
    trace: await makeTrace({
      script: [box(0, 0, 0, 20, 20, 1), box(14, 14, 1, 42, 42, 3), `A.${end}`],
    }),
  });
  const on = async (slice: number, numbers: number[] | null, more: object = {}) => ({
    runId: `s${slice}`,
    trace: await makeTrace({ slice, script: [...(numbers ? [box(...numbers)] : []), `A.${end}`], ...more }),
  });

  it('has a point a slice of the last cuboid', async () => {
    const volume = await volumeRun();
    expect(cuboidSlices(volume.trace)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    const runs = [
      await on(9, [14, 14, 28, 42]),
      await on(5, [14, 14, 42, 42]),
      await on(6, null),
      await on(4, [14, 14, 42, 42]),
      await on(7, [14, 14, 42, 42], { question: 'Another?' }),
      await on(8, [14, 14, 42, 42], { preset: 'no-injection' }),
      await on(10, [14, 14, 42, 42], { sha256: 'c'.repeat(64) }),
      volume,
    ];
    const { points, meanIou } = consistencySchema.parse(consistencyOf(volume, runs));
    expect(points.map(({ slice, runId }) => [slice, runId])).toEqual([
      [5, 's5'],
      [6, 's6'],
      [9, 's9'],
    ]);
    expect(points[0].iou).toBeCloseTo(1, 9);
    expect(points[1]).toMatchObject({ iou: null, box: null });
    expect(points[2].iou).toBeCloseTo(0.5, 9);
    expect(meanIou).toBeCloseTo(0.5, 9);
    expect(consistencyOf(volume, [])).toEqual({ volumeRunId: 'v', points: [], meanIou: null });
  });

  it('takes the newest of several runs on a slice, and none that was stopped', async () => {
    const volume = await volumeRun();
    const old = {
      ...(await on(9, [14, 14, 42, 42], { createdAt: '2026-01-01T00:00:00.000Z' })),
      runId: 'old',
    };
    const young = { ...(await on(9, [14, 14, 28, 42])), runId: 'young' };
    const stopped = {
      ...(await on(9, null, { createdAt: '2027-01-01T00:00:00.000Z', signal: AbortSignal.abort() })),
      runId: 'stopped',
    };
    const found = sliceRunsOf(volume, [young, stopped, old]);
    expect([...found.values()].map(({ runId }) => runId)).toEqual(['young']);
  });

  it('needs a cuboid', async () => {
    const { trace: slice } = await on(5, [14, 14, 42, 42]);
    expect(() => requireCuboid(slice)).toThrow('not about a volume');
    const boxless = await makeTrace({ script: [`A.${end}`] });
    expect(() => requireCuboid(boxless)).toThrow('drew no box');
    const flat = await makeTrace({ script: [box(14, 14, 42, 42), `A.${end}`] });
    expect(() => requireCuboid(flat)).toThrow('drew no box');
  });

  it('lies where the box was cut', () => {
    const chain = sliceChain(7);
    const located = sourceBoxOf(locateBox(chain, { x1: 14, y1: 14, z1: 0, x2: 42, y2: 42, z2: 1 }));
    expect([located.min[2], located.max[2]]).toEqual([6.5, 7.5]);
  });
});
