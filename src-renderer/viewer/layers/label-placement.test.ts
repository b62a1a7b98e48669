import fc from 'fast-check';
import { expect, it } from 'vitest';
import { overlaps, placeLabel, type Rect } from './label-placement.ts';

const frame: Rect = { x: 0, y: 0, width: 600, height: 400 };
const rects = fc
  .record({
    x: fc.integer({ min: -50, max: 580 }),
    y: fc.integer({ min: -50, max: 380 }),
    width: fc.integer({ min: 4, max: 300 }),
    height: fc.integer({ min: 4, max: 300 }),
  })
  .map((rect): Rect => rect);

it('never covers its own box or another label, and stays in the frame', () => {
  fc.assert(
    fc.property(
      rects,
      fc.array(rects, { maxLength: 30 }),
      fc.array(rects, { maxLength: 10 }),
      (box, boxes, labels) => {
        const spot = placeLabel(box, { width: 24, height: 16 }, frame, boxes, labels);
        if (!spot) return;
        expect(overlaps(spot, box)).toBe(false);
        expect(labels.some((label) => overlaps(spot, label))).toBe(false);
        expect(spot.x >= 0 && spot.y >= 0 && spot.x + 24 <= 600 && spot.y + 16 <= 400).toBe(true);
      },
    ),
  );
});

it('prefers a spot that is off other boxes', () => {
  const box = { x: 100, y: 100, width: 50, height: 50 };
  const above = { x: 90, y: 60, width: 80, height: 39 };
  const spot = placeLabel(box, { width: 20, height: 14 }, frame, [box, above], []);
  expect(spot).not.toBeNull();
  if (spot) expect(overlaps(spot, above)).toBe(false);
});
