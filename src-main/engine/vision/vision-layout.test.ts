import { describe, expect, it } from 'vitest';
import type { VisionArchitecture } from '../../checkpoint/manifest.ts';
import { maskedScore, visionLayout } from './vision-layout.ts';

const vision: VisionArchitecture = {
  depth: 1,
  hidden: 32,
  heads: 4,
  headDim: 8,
  intermediate: 1,
  outHidden: 1,
  channels: 3,
  patchSize: 14,
  temporalPatchSize: 2,
  mergeSize: 2,
  windowSize: 112,
  fullAttentionBlocks: [],
  ropeTheta: 10_000,
};

describe('visionLayout', () => {
  it.each([
    // grid in patches, windows, slots: windows are 8 x 8 patches
    [8, 8, 1, 64],
    [2, 2, 1, 4],
    [18, 18, 9, 64],
    [10, 6, 2, 48],
    [2, 20, 3, 16],
  ])('divides %i x %i patches', (gridHeight, gridWidth, windows, slots) => {
    const layout = visionLayout(vision, gridHeight, gridWidth);
    expect(layout).toMatchObject({ windows, windowSlots: slots, patches: gridHeight * gridWidth });
    // Every patch has one slot, and that slot holds it.
    const used = new Set(layout.windowScatter);
    expect(used.size).toBe(layout.patches);
    layout.windowScatter.forEach((slot, patch) => {
      expect(layout.windowGather[Number(slot)]).toBe(BigInt(patch));
    });
    // A key counts exactly where its slot is used, for every query of the window.
    layout.windowBias.forEach((bias, index) => {
      const window = Math.floor(index / slots ** 2);
      const key = window * slots + (index % slots);
      if (bias !== (used.has(BigInt(key)) ? 0 : maskedScore)) expect.unreachable(`bias ${index}`);
    });
  });

  it('puts patches of one window beside each other only', () => {
    const layout = visionLayout(vision, 18, 10);
    // Patch order: merge blocks row by row (5 a row), 4 patches each.
    const placeOf = (patch: number) => {
      const block = Math.floor(patch / 4);
      return [Math.floor(Math.floor(block / 5) / 4), Math.floor((block % 5) / 4)].join();
    };
    const windows = new Map<number, Set<string>>();
    layout.windowScatter.forEach((slot, patch) => {
      const window = Math.floor(Number(slot) / layout.windowSlots);
      windows.set(window, (windows.get(window) ?? new Set()).add(placeOf(patch)));
    });
    expect([...windows.values()].map((places) => places.size)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('rotates by row, then by column, in merge-block order', () => {
    const { rotaryCos, rotarySin } = visionLayout(vision, 4, 4);
    // The seventh patch is the third of the second block: row 1, column 2.
    const angles = [1, 0.01, 2, 0.02];
    angles.forEach((angle, i) => {
      expect(rotaryCos[6 * 4 + i]).toBeCloseTo(Math.cos(angle), 6);
      expect(rotarySin[6 * 4 + i]).toBeCloseTo(Math.sin(angle), 6);
    });
  });

  it('refuses grids that do not merge', () => {
    for (const [height, width] of [
      [3, 4],
      [4, 0],
      [2.5, 2],
    ]) {
      expect(() => visionLayout(vision, height!, width!)).toThrow(RangeError);
    }
  });
});
