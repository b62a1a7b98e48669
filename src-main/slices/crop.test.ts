import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadroomError } from '../../src-contract/errors.ts';
import type { ImagePixels } from '../engine/language-model.ts';
import { clampBox2d, clampBox3d, cropImage, widenInterval } from './crop.ts';
import { fixtureTable } from './test-fixtures.ts';

interface BoxRow {
  width: number;
  height: number;
  box: number[];
  cut: number[];
}

describe('the reference rule for boxes', () => {
  it('cuts what the reference cuts', () => {
    for (const row of fixtureTable<BoxRow>('pil/boxes.json')) {
      const { x1, y1, x2, y2 } = clampBox2d(row.box, row.width, row.height);
      expect([x1, y1, x2, y2], JSON.stringify(row)).toEqual(row.cut);
    }
  });

  it('widens intervals as the reference does', () => {
    const rows = fixtureTable<{ low: number; high: number; wanted: number; limit: number; result: number[] }>(
      'pil/intervals.json',
    );
    for (const { low, high, wanted, limit, result } of rows) {
      expect(widenInterval(low, high, wanted, limit)).toEqual(result);
    }
  });

  it('stays inside, at least 4 pixels where there are 4, whatever the numbers', () => {
    const side = fc.integer({ min: 1, max: 6000 });
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -99, max: 6100 }),
    );
    fc.assert(
      fc.property(side, side, fc.array(number, { minLength: 4, maxLength: 4 }), (width, height, raw) => {
        const box = clampBox2d(raw, width, height);
        expect(box.x1).toBeGreaterThanOrEqual(0);
        expect(box.y1).toBeGreaterThanOrEqual(0);
        expect(box.x2).toBeLessThanOrEqual(width);
        expect(box.y2).toBeLessThanOrEqual(height);
        expect(box.x2 - box.x1).toBeGreaterThanOrEqual(Math.min(4, width));
        expect(box.y2 - box.y1).toBeGreaterThanOrEqual(Math.min(4, height));
        expect(Object.values(box).every(Number.isInteger)).toBe(true);
      }),
    );
  });

  it('clamps slices in 3D: a reversed range becomes one slice', () => {
    expect(clampBox3d([10, 20, 5, 40, 60, 9], 252, 252, 32)).toEqual({
      x1: 10,
      y1: 20,
      z1: 5,
      x2: 40,
      y2: 60,
      z2: 9,
    });
    expect(clampBox3d([10, 20, 9.9, 40, 60, 5], 252, 252, 32)).toMatchObject({ z1: 9, z2: 10 });
    expect(clampBox3d([10, 20, -7, 40, 60, 99], 252, 252, 32)).toMatchObject({ z1: 0, z2: 32 });
    expect(clampBox3d([10, 20, 40, 40, 60, 50], 252, 252, 32)).toMatchObject({ z1: 31, z2: 32 });
    expect(clampBox3d([0, 0, 3, 9, 9, 8], 252, 252, 1)).toMatchObject({ z1: 0, z2: 1 });
  });

  it('fails as Python does on NaN and infinity, the first one in reading order', () => {
    const failure = (raw: number[]) => {
      try {
        clampBox2d(raw, 10, 10);
      } catch (problem) {
        return problem;
      }
      return undefined;
    };
    const nan = failure([1, Number.NaN, Number.POSITIVE_INFINITY, 4]);
    expect(nan).toBeInstanceOf(ReadroomError);
    expect(nan).toMatchObject({
      code: 'input-invalid',
      field: 'box',
      detail: expect.stringContaining('NaN'),
    });
    expect(failure([1, 2, Number.NEGATIVE_INFINITY, Number.NaN])).toMatchObject({
      detail: "OverflowError('cannot convert float infinity to integer')",
    });
  });
});

describe('cropImage', () => {
  const image: ImagePixels = {
    width: 5,
    height: 4,
    channels: 3,
    data: Uint8Array.from({ length: 60 }, (_, i) => i),
  };

  it('copies the rows of the box', () => {
    const crop = cropImage(image, { x1: 1, y1: 2, z1: 0, x2: 3, y2: 4, z2: 1 });
    expect(crop).toEqual({
      width: 2,
      height: 2,
      channels: 3,
      data: Uint8Array.of(33, 34, 35, 36, 37, 38, 48, 49, 50, 51, 52, 53),
    });
  });

  it('refuses a box that was not clamped', () => {
    expect(() => cropImage(image, { x1: 1, y1: 2, z1: 0, x2: 6, y2: 4, z2: 1 })).toThrow(RangeError);
  });
});
