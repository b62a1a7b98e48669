import { describe, expect, it } from 'vitest';
import { type AffineChain, identityAffine, locateBox } from '../../../src-contract/geometry.ts';
import type { OverlayBox } from '../../state/overlay.ts';
import { boxesInView, isOnSlice } from './model-view-boxes.ts';

/** A volume of 64 x 64 x 64, feet first in the file, on a grid of 64 x 64 x 32, seen at `side` pixels. */
function chainAt(side: number): AffineChain {
  const scale = 64 / side;
  return {
    sourceToPatient: null,
    canonicalToSource: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 63],
    gridToCanonical: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0.5],
    processorToGrid: [scale, 0, 0, 0.5 * scale - 0.5, 0, scale, 0, 0.5 * scale - 0.5, 0, 0, 1, 0],
    sourceSize: [64, 64, 64],
    canonicalSize: [64, 64, 64],
    gridSize: [64, 64, 32],
    processorSize: [side, side, 32],
    serialization: 'anatomical',
  };
}

const written = { x1: 63, y1: 126, z1: 12, x2: 126, y2: 189, z2: 19 };
const box: OverlayBox = {
  id: 'run:0',
  runId: 'run',
  studyId: 's',
  seriesId: 'a',
  step: 0,
  mode: '3d',
  slice: null,
  clamped: written,
  raw: [],
  located: locateBox(chainAt(252), written),
  chain: chainAt(252),
  colour: 0,
};

describe('boxes in a model view', () => {
  it('are where they were written, in the view of the same model', () => {
    const [{ edges }] = boxesInView(chainAt(252), [box]);
    for (const [name, value] of Object.entries(written)) {
      expect(edges[name as keyof typeof written]).toBeCloseTo(value, 6);
    }
  });

  it('are in the same place of the patient, in the view of a model that resizes otherwise', () => {
    const [there] = boxesInView(chainAt(112), [box]);
    expect(there.edges.x1).toBeCloseTo(28, 6);
    expect(there.edges.y1).toBeCloseTo(56, 6);
    expect(there.edges.x2).toBeCloseTo(56, 6);
    expect(there.edges.y2).toBeCloseTo(84, 6);
    const shown = Array.from({ length: 32 }, (_, z) => z).filter((z) => isOnSlice(there, z));
    expect(shown).toEqual([12, 13, 14, 15, 16, 17, 18]);
  });

  it('are none without boxes', () => {
    expect(boxesInView({ ...chainAt(112), gridToCanonical: [...identityAffine] }, [])).toEqual([]);
  });
});
