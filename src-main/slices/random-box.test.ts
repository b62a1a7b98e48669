import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../engine/decode/random.ts';
import { planeOverlap, randomLowOverlapBox } from './random-box.ts';

const size = { width: 252, height: 252, depth: 32 };

describe('randomLowOverlapBox', () => {
  it('keeps clear of a box that leaves room, with sides of 10 to 50 %', () => {
    const box = { x1: 100, y1: 90, z1: 10, x2: 150, y2: 140, z2: 14 };
    for (let seed = 0; seed < 200; seed++) {
      const drawn = randomLowOverlapBox(seededRandom(seed), size, box);
      expect(planeOverlap(drawn, box)).toBe(0);
      for (const side of [drawn.x2 - drawn.x1, drawn.y2 - drawn.y1]) {
        expect(side).toBeGreaterThanOrEqual(25);
        expect(side).toBeLessThanOrEqual(126);
      }
      expect(drawn.z2 - drawn.z1).toBe(4);
    }
  });

  it('gives the same box for the same seed', () => {
    const box = { x1: 0, y1: 0, z1: 0, x2: 60, y2: 60, z2: 1 };
    expect(randomLowOverlapBox(seededRandom(7), size, box)).toEqual(
      randomLowOverlapBox(seededRandom(7), size, box),
    );
  });

  it('takes the least overlap where none is free, and stays inside small images', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(),
        (width, height, depth, seed) => {
          const box = { x1: 0, y1: 0, z1: 0, x2: width, y2: height, z2: depth };
          const drawn = randomLowOverlapBox(seededRandom(seed), { width, height, depth }, box);
          expect(drawn.x1).toBeGreaterThanOrEqual(0);
          expect(drawn.x2).toBeGreaterThan(drawn.x1);
          expect(drawn.x2).toBeLessThanOrEqual(width);
          expect(drawn.y2).toBeGreaterThan(drawn.y1);
          expect(drawn.y2).toBeLessThanOrEqual(height);
          expect([drawn.z1, drawn.z2]).toEqual([0, depth]);
        },
      ),
    );
  });
});
