/** Boxes in source voxels (src-contract/source-box.ts, box-measures.ts) on every geometry that a scanner stores. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boxIou,
  centreDistance,
  compareBoxes,
  rangeDice,
  sliceAxis,
} from '../../src-contract/box-measures.ts';
import { type AffineChain, locateBox, type ProcessorBox } from '../../src-contract/geometry.ts';
import {
  clipToSource,
  locateSourceBox,
  type SourceBox,
  sourceBoxOf,
  sourceBoxSchema,
  toProcessorBox,
  toProcessorEdges,
} from '../../src-contract/source-box.ts';
import { buildChain, storedOrientation, type Triple, withProcessor } from './affine-chain.ts';
import { chainOf, geometry, processorSide, unit } from './random-geometry.ts';

/** One slice of a series as a 2D run has it: see serialiseImage. */
function sliceChain(affine: number[] | null, size: Triple, slice: number, width: number, height: number) {
  const chain = buildChain({
    sourceToPatient: affine,
    sourceSize: [size[0], size[1], 1],
    orientation: storedOrientation,
    gridSize: [size[0], size[1], 1],
    serialization: 'image',
  });
  const canonicalToSource = [...chain.canonicalToSource];
  canonicalToSource[11] = slice;
  return withProcessor({ ...chain, canonicalToSource, sourceSize: size }, width, height);
}

/** Oblique, flipped, anisotropic and single-slice volumes, with and without a position; and single slices of them. */
const chains: fc.Arbitrary<AffineChain> = fc
  .tuple(geometry, processorSide, processorSide, fc.boolean(), fc.boolean(), unit)
  .map(([g, width, height, placed, image, at]) => {
    const affine = placed ? g.affine : null;
    if (!image) return chainOf(affine, g.size, width, height);
    return sliceChain(affine, g.size, Math.floor(at * (g.size[2] - 1)), width, height);
  });

const ordered = (a: number, b: number, size: number): [number, number] => {
  const [low, high] = a < b ? [a, b] : [b, a];
  const start = Math.min(size - 1, Math.floor(low * size));
  return [start, Math.max(start + 1, Math.ceil(high * size))];
};
const modelBox = fc
  .tuple(chains, fc.tuple(unit, unit, unit, unit, unit, unit))
  .map(([chain, [a, b, c, d, e, f]]) => {
    const [width, height, depth] = chain.processorSize;
    const [[x1, x2], [y1, y2], [z1, z2]] = [
      ordered(a, b, width),
      ordered(c, d, height),
      ordered(e, f, depth),
    ];
    return { chain, box: { x1, y1, z1, x2, y2, z2 } satisfies ProcessorBox };
  });

const span = fc
  .tuple(fc.double({ min: -0.1, max: 1, noNaN: true }), fc.double({ min: 1e-3, max: 1, noNaN: true }))
  .map(([low, length]) => [low, low + length] as const);
const drawnBox = fc.tuple(chains, fc.tuple(span, span, span)).map(([chain, spans]) => {
  const at = (end: 0 | 1) =>
    spans.map((edges, axis) => edges[end] * chain.sourceSize[axis] - 0.5) as [number, number, number];
  return { chain, box: { min: at(0), max: at(1) } satisfies SourceBox };
});

const within = (actual: readonly number[], expected: readonly number[], tolerance: number) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, index) => {
    expect(Math.abs(value - expected[index])).toBeLessThanOrEqual(tolerance);
  });
};

describe('a box of the model', () => {
  it('comes back from source voxels as the same pixels', () => {
    fc.assert(
      fc.property(modelBox, ({ chain, box }) => {
        const source = sourceBoxOf(locateBox(chain, box));
        expect(sourceBoxSchema.safeParse(source).success).toBe(true);
        expect(toProcessorBox(chain, source)).toEqual(box);
      }),
    );
  });

  it('has the corners of locateBox when it is located as a drawn one', () => {
    fc.assert(
      fc.property(modelBox, ({ chain, box }) => {
        const located = locateBox(chain, box);
        const again = locateSourceBox(chain, sourceBoxOf(located));
        expect(again.sourceVoxel).toEqual(located.sourceVoxel);
        expect(again.patientCorners === null).toBe(chain.sourceToPatient === null);
        within((again.patientCorners ?? []).flat(), (located.patientCorners ?? []).flat(), 1e-6);
      }),
    );
  });

  it('lies inside the source grid, so that clipping leaves it', () => {
    fc.assert(
      fc.property(modelBox, ({ chain, box }) => {
        const source = sourceBoxOf(locateBox(chain, box));
        const clipped = clipToSource(chain, source);
        within([...(clipped?.min ?? []), ...(clipped?.max ?? [])], [...source.min, ...source.max], 1e-6);
      }),
    );
  });

  it('keeps its slices under the slice axis', () => {
    fc.assert(
      fc.property(modelBox, ({ chain, box }) => {
        const axis = sliceAxis(chain);
        const source = sourceBoxOf(locateBox(chain, box));
        const perSlice = chain.canonicalSize[2] / chain.gridSize[2];
        expect(source.max[axis] - source.min[axis]).toBeCloseTo((box.z2 - box.z1) * perSlice, 6);
      }),
    );
  });
});

describe('a drawn box', () => {
  it('goes to processor pixels and back within a thousandth of a voxel', () => {
    fc.assert(
      fc.property(drawnBox, ({ chain, box }) => {
        const edges = toProcessorEdges(chain, box);
        const back = locateBox(chain, edges).sourceVoxel;
        within([...back.min, ...back.max], [...box.min, ...box.max], 1e-3);
      }),
    );
  });

  it('becomes whole pixels inside the image, at most half a pixel off inside it', () => {
    fc.assert(
      fc.property(drawnBox, ({ chain, box }) => {
        const clipped = clipToSource(chain, box);
        fc.pre(clipped !== null);
        const edges = toProcessorEdges(chain, clipped);
        const whole = toProcessorBox(chain, clipped);
        const [width, height, depth] = chain.processorSize;
        for (const [low, high, size] of [
          ['x1', 'x2', width],
          ['y1', 'y2', height],
          ['z1', 'z2', depth],
        ] as const) {
          expect(Number.isInteger(whole[low]) && Number.isInteger(whole[high])).toBe(true);
          expect(whole[low]).toBeGreaterThanOrEqual(0);
          expect(whole[low]).toBeLessThan(whole[high]);
          expect(whole[high]).toBeLessThanOrEqual(size);
          // A side thinner than a pixel is widened to one; a 2D slice has one whatever the box says.
          if (edges[high] - edges[low] < 1 || size === 1) continue;
          expect(Math.abs(whole[low] - edges[low])).toBeLessThanOrEqual(0.5 + 1e-6);
          expect(Math.abs(whole[high] - edges[high])).toBeLessThanOrEqual(0.5 + 1e-6);
        }
      }),
    );
  });

  it('outside the grid is clipped to nothing', () => {
    fc.assert(
      fc.property(chains, fc.constantFrom(0, 1, 2), fc.boolean(), (chain, axis, below) => {
        const box: SourceBox = { min: [-0.5, -0.5, -0.5], max: [0.5, 0.5, 0.5] };
        box.min[axis] = below ? -3 : chain.sourceSize[axis] - 0.5;
        box.max[axis] = below ? -0.5 : chain.sourceSize[axis] + 2;
        expect(clipToSource(chain, box)).toBeNull();
      }),
    );
  });
});

describe('measures of two boxes', () => {
  const pair = drawnBox.chain(({ chain, box }) =>
    fc.tuple(span, span, span).map((spans) => {
      const at = (end: 0 | 1) =>
        spans.map((edges, axis) => edges[end] * chain.sourceSize[axis] - 0.5) as [number, number, number];
      return { chain, a: box, b: { min: at(0), max: at(1) } satisfies SourceBox };
    }),
  );

  it('are symmetrical, 1 (and 0 mm) for a box and itself, within 0 and 1', () => {
    fc.assert(
      fc.property(pair, ({ chain, a, b }) => {
        const [ab, ba, aa] = [
          compareBoxes(chain, a, b),
          compareBoxes(chain, b, a),
          compareBoxes(chain, a, a),
        ];
        expect(ab.iou).toBeCloseTo(ba.iou, 12);
        expect(ab.sliceDice).toBeCloseTo(ba.sliceDice, 12);
        expect(ab.centre.value).toBeCloseTo(ba.centre.value, 9);
        expect(aa).toEqual({
          iou: 1,
          sliceDice: 1,
          centre: { value: 0, unit: chain.sourceToPatient ? 'mm' : 'px' },
        });
        for (const value of [ab.iou, ab.sliceDice]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('give the IoU of patient space: volumes scale alike', () => {
    fc.assert(
      fc.property(modelBox, fc.integer({ min: 1, max: 20 }), ({ chain, box }, shift) => {
        const [width] = chain.processorSize;
        const moved = {
          ...box,
          x1: Math.min(width - 1, box.x1 + shift),
          x2: Math.min(width, box.x2 + shift),
        };
        fc.pre(moved.x1 < moved.x2);
        const shared = Math.max(0, Math.min(box.x2, moved.x2) - Math.max(box.x1, moved.x1));
        const expected = shared / (box.x2 - box.x1 + moved.x2 - moved.x1 - shared);
        const [a, b] = [box, moved].map((each) => sourceBoxOf(locateBox(chain, each)));
        expect(boxIou(a, b)).toBeCloseTo(expected, 6);
      }),
    );
  });

  it('are those of a hand calculation', () => {
    const a: SourceBox = { min: [0, 0, 0], max: [4, 4, 2] };
    const b: SourceBox = { min: [2, 0, 1], max: [6, 4, 3] };
    // Shared 2 x 4 x 1 = 8 of 32 + 32 - 8.
    expect(boxIou(a, b)).toBeCloseTo(8 / 56, 12);
    expect(rangeDice(a, b, 2)).toBeCloseTo(0.5, 12);
    expect(rangeDice(a, b, 1)).toBe(1);
    expect(centreDistance(a, b, null)).toEqual({ value: Math.hypot(2, 1), unit: 'px' });
    const affine = [0, 0, 3, 7, 2, 0, 0, 7, 0, 0.5, 0, 7];
    expect(centreDistance(a, b, affine)).toEqual({ value: 5, unit: 'mm' });
    expect(boxIou(a, { min: [4, 0, 0], max: [5, 4, 2] })).toBe(0);
  });
});
