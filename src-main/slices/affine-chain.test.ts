import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Affine,
  applyAffine,
  composeAffine,
  invertAffine,
  locateBox,
  type Point,
  point,
  processorToSource,
} from '../../src-contract/geometry.ts';
import type { Series } from '../../src-contract/study.ts';
import type { SeriesPixels } from '../study/pixels.ts';
import { axialOrientation, type Triple, withProcessor } from './affine-chain.ts';
import { chainOf, geometry, processorSide, unit } from './random-geometry.ts';
import { serialiseAnatomical, serialiseImage, serialiseReference } from './serialise.ts';

function seriesPixels(
  size: Triple,
  sourceToPatient: number[] | null,
  data: SeriesPixels['data'],
): SeriesPixels {
  const [columns, rows, slices] = size;
  const series: Series = {
    id: 's',
    format: 'nifti',
    modality: 'CT',
    description: '',
    kind: slices > 1 ? 'volume' : 'image',
    columns,
    rows,
    slices,
    channels: 1,
    spacing: null,
    sourceToPatient,
    windows: [],
    units: '',
    synthetic: false,
    sources: [],
    warnings: [],
    identifiers: {},
  };
  return { series, columns, rows, slices, channels: 1, data };
}

describe('the affine chain', () => {
  it('goes to the patient and back within a thousandth of a voxel', () => {
    fc.assert(
      fc.property(
        geometry,
        processorSide,
        processorSide,
        fc.tuple(unit, unit, unit),
        (g, width, height, at) => {
          const chain = chainOf(g.affine, g.size, width, height);
          const toSource = processorToSource(chain);
          const toPatient = composeAffine(chain.sourceToPatient as Affine<'source', 'patient'>, toSource);
          const start = point('processor', at[0] * width - 0.5, at[1] * height - 0.5, at[2] * 32 - 0.5);
          const patient = applyAffine(toPatient, start);
          const back = applyAffine(invertAffine(toPatient), patient);
          const source = applyAffine(toSource, start);
          const sourceBack = applyAffine(
            invertAffine(chain.sourceToPatient as Affine<'source', 'patient'>),
            patient,
          );
          for (let axis = 0; axis < 3; axis++) {
            expect(Math.abs(back[axis] - start[axis])).toBeLessThanOrEqual(1e-3);
            expect(Math.abs(sourceBack[axis] - source[axis])).toBeLessThanOrEqual(1e-3);
          }
        },
      ),
    );
  });

  it('gives the edges of the volume for the whole grid', () => {
    fc.assert(
      fc.property(geometry, processorSide, processorSide, fc.boolean(), (g, width, height, placed) => {
        const chain = chainOf(placed ? g.affine : null, g.size, width, height);
        const whole = { x1: 0, y1: 0, z1: 0, x2: width, y2: height, z2: 32 };
        const { sourceVoxel, patientCorners } = locateBox(chain, whole);
        g.size.forEach((length, axis) => {
          expect(sourceVoxel.min[axis]).toBeCloseTo(-0.5, 6);
          expect(sourceVoxel.max[axis]).toBeCloseTo(length - 0.5, 6);
        });
        expect(patientCorners === null).toBe(!placed);
      }),
    );
  });

  it('turns a volume by the signed permutation nearest to axial', () => {
    fc.assert(
      fc.property(geometry, (g) => {
        const { axes } = axialOrientation(g.affine);
        expect([...axes].sort()).toEqual([0, 1, 2]);
        const chain = chainOf(g.affine, g.size, 252, 252);
        const whole = composeAffine(
          chain.sourceToPatient as Affine<'source', 'patient'>,
          chain.canonicalToSource as Affine<'canonical', 'source'>,
        );
        // Every canonical axis leans to its own patient axis, and no other assignment leans more in sum.
        const lean = (canonical: number, patient: number) =>
          whole[patient * 4 + canonical] /
          Math.hypot(whole[canonical], whole[4 + canonical], whole[8 + canonical]);
        const own = lean(0, 0) + lean(1, 1) + lean(2, 2);
        for (const [x, y, z] of [
          [0, 2, 1],
          [1, 0, 2],
          [1, 2, 0],
          [2, 0, 1],
          [2, 1, 0],
        ]) {
          expect(Math.abs(lean(0, x)) + Math.abs(lean(1, y)) + Math.abs(lean(2, z))).toBeLessThanOrEqual(
            own + 1e-6,
          );
        }
      }),
    );
  });
});

/** The 48 ways to store a volume along the patient's axes: which patient axis each source axis is, and its sign. */
const storedWays = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
].flatMap((axes) =>
  Array.from({ length: 8 }, (_, bits) => ({
    axes,
    signs: axes.map((_axis, i) => (bits & (1 << i) ? -1 : 1)),
  })),
);

describe('serialiseAnatomical', () => {
  it.each(storedWays)(
    'shows left on the right, front at the top, head last: $axes $signs',
    ({ axes, signs }) => {
      // 12 voxels to the left, 9 to the back, 7 to the head; the marks are at the far left, front and top.
      const patientLengths = [12, 9, 7];
      const size: Triple = [patientLengths[axes[0]], patientLengths[axes[1]], patientLengths[axes[2]]];
      const affine = [0, 1, 2].flatMap((row) => [
        ...axes.map((axis, i) => (axis === row ? 2 * signs[i] : 0)),
        5,
      ]);
      const indexOf = (patient: number[]) =>
        axes.map((axis, i) => (signs[i] > 0 ? patient[axis] : patientLengths[axis] - 1 - patient[axis]));
      const mark = (patient: number[]) => {
        const data = new Int16Array(size[0] * size[1] * size[2]);
        const [i, j, k] = indexOf(patient);
        data[(k * size[1] + j) * size[0] + i] = 1000;
        const { slices } = serialiseAnatomical(seriesPixels(size, affine, data), [7, 9, 12], 'minmax');
        const z = slices.findIndex((slice) => slice.data.includes(255));
        const at = slices[z].data.indexOf(255);
        return { x: at % 12, y: Math.floor(at / 12), z };
      };
      expect(mark([11, 4, 3])).toEqual({ x: 11, y: 4, z: 3 });
      expect(mark([5, 0, 3])).toEqual({ x: 5, y: 0, z: 3 });
      expect(mark([5, 4, 6])).toEqual({ x: 5, y: 4, z: 6 });
      expect(mark([0, 8, 0])).toEqual({ x: 0, y: 8, z: 0 });
    },
  );

  it('ignores NaN, and shows a mask that percentiles would blank', () => {
    const data = new Float32Array(20 * 20 * 20);
    data.fill(Number.NaN, 0, 100);
    data[4210] = 1;
    const { slices } = serialiseAnatomical(seriesPixels([20, 20, 20], null, data), [20, 20, 20]);
    expect(slices[10].data[210]).toBe(255);
    expect(slices.reduce((sum, slice) => sum + slice.data.filter((value) => value > 0).length, 0)).toBe(1);
  });

  it('shows nothing, rather than failing, where there is nothing', () => {
    const empty = new Float32Array(8).fill(Number.NaN);
    const { slices } = serialiseAnatomical(seriesPixels([2, 2, 2], null, empty), [2, 4, 4]);
    expect(slices.every((slice) => slice.data.every((value) => value === 0))).toBe(true);
  });

  it('makes colour grey', () => {
    const pixels = seriesPixels([2, 1, 2], null, Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0));
    const { slices } = serialiseAnatomical({ ...pixels, channels: 3 }, [2, 1, 2], 'minmax');
    const [red, green] = slices[0].data;
    expect(green).toBeGreaterThan(red);
    expect(slices[1].data[1]).toBe(0);
  });
});

describe('one block, two serialisations', () => {
  it('lands on the same millimetres', () => {
    fc.assert(
      fc.property(geometry, fc.tuple(unit, unit, unit), fc.tuple(unit, unit, unit), (g, at, extent) => {
        const size: Triple = [40, 36, 30];
        const data = new Int16Array(40 * 36 * 30);
        const low = size.map((length, axis) => Math.floor(at[axis] * (length - 6)));
        const high = size.map((length, axis) =>
          Math.min(length, low[axis] + 5 + Math.floor(extent[axis] * 0.3 * length)),
        );
        for (let k = low[2]; k < high[2]; k++) {
          for (let j = low[1]; j < high[1]; j++) {
            const row = (k * 36 + j) * 40;
            data.fill(1000, row + low[0], row + high[0]);
          }
        }
        const target = [30, 72, 72] as const;
        const anatomical = serialiseAnatomical(seriesPixels(size, g.affine, data), target, 'minmax');
        const reference = serialiseReference(
          { shape: size, order: 'F', data, sourceToPatient: g.affine },
          target,
          'minmax',
        );
        for (const { slices, chain } of [anatomical, reference]) {
          const { sourceVoxel, patientCorners } = locateBox(chain, brightBox(slices));
          for (let axis = 0; axis < 3; axis++) {
            // Half grey is at the block's own edge; a box has whole pixels, so half a pixel of either grid is open.
            const tolerance = 0.5 * Math.max(1, size[axis] / 30);
            expect(Math.abs(sourceVoxel.min[axis] - (low[axis] - 0.5))).toBeLessThanOrEqual(tolerance + 1e-9);
            expect(Math.abs(sourceVoxel.max[axis] - (high[axis] - 0.5))).toBeLessThanOrEqual(
              tolerance + 1e-9,
            );
          }
          expect(patientCorners).toHaveLength(8);
        }
      }),
      { numRuns: 40 },
    );
  });
});

/** The smallest box around the pixels of at least half brightness. */
function brightBox(slices: readonly { width: number; data: Uint8Array }[]) {
  const box = { x1: Infinity, y1: Infinity, z1: Infinity, x2: 0, y2: 0, z2: 0 };
  slices.forEach(({ data, width }, z) => {
    data.forEach((value, i) => {
      if (value < 127) return;
      const [x, y] = [i % width, Math.floor(i / width)];
      box.x1 = Math.min(box.x1, x);
      box.y1 = Math.min(box.y1, y);
      box.z1 = Math.min(box.z1, z);
      box.x2 = Math.max(box.x2, x + 1);
      box.y2 = Math.max(box.y2, y + 1);
      box.z2 = Math.max(box.z2, z + 1);
    });
  });
  return box;
}

describe('serialiseImage', () => {
  it('keeps 8-bit pictures, and places a slice in its series', () => {
    const data = Uint8Array.from({ length: 60 }, (_, i) => i * 4);
    const pixels = seriesPixels([5, 4, 3], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2.5, -10], data);
    const { image, chain, mapping } = serialiseImage(pixels, 2);
    expect(mapping).toBe('as-is');
    expect(image).toEqual({ width: 5, height: 4, channels: 1, data: data.slice(40) });
    const whole = locateBox(withProcessor(chain, 28, 28), { x1: 0, y1: 0, z1: 0, x2: 28, y2: 28, z2: 1 });
    expect(whole.sourceVoxel.min.map((v) => Math.round(v * 1e6) / 1e6)).toEqual([-0.5, -0.5, 1.5]);
    expect(whole.sourceVoxel.max.map((v) => Math.round(v * 1e6) / 1e6)).toEqual([4.5, 3.5, 2.5]);
    expect(whole.patientCorners?.[0][2]).toBeCloseTo(-10 + 2.5 * 1.5, 9);
    expect(() => serialiseImage(pixels, 3)).toThrow(RangeError);
  });

  it.each([
    ['axial, stored to the right and to the front (NIfTI)', [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0], 'L', 'P'],
    ['sagittal, stored from the feet', [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0], 'P', 'F'],
    ['coronal, stored from the head', [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0], 'L', 'F'],
    ['axial, turned by 20 degrees', [-0.94, 0.34, 0, 9, 0.34, 0.94, 0, 3, 0, 0, 2, 1], 'L', 'P'],
  ])('turns a slice as radiologists look at it: %s', (_name, sourceToPatient, right, down) => {
    const [columns, rows] = [5, 4];
    const data = Uint8Array.from({ length: 60 }, (_, i) => i);
    const { image, chain } = serialiseImage(seriesPixels([columns, rows, 3], sourceToPatient, data), 1);
    const toSource = processorToSource(chain);
    // Every pixel is the voxel that the chain says it is.
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        const [i, j, k] = applyAffine(toSource, point('processor', x, y, 0));
        expect(image.data[y * image.width + x]).toBe(data[(k * rows + j) * columns + i]);
      }
    }
    const patient = (x: number, y: number) =>
      applyAffine(
        chain.sourceToPatient as Affine<'source', 'patient'>,
        applyAffine(toSource, point('processor', x, y, 0)),
      );
    const along = { L: [0, 1], P: [1, 1], F: [2, -1] } as const;
    const grows = (to: Point<'patient'>, letter: 'L' | 'P' | 'F') =>
      along[letter][1] * (to[along[letter][0]] - patient(0, 0)[along[letter][0]]);
    expect(grows(patient(1, 0), right as 'L' | 'P')).toBeGreaterThan(0.5);
    expect(grows(patient(0, 1), down as 'P' | 'F')).toBeGreaterThan(0.5);
  });

  it('applies the DICOM window of the series, or another one', () => {
    const pixels = seriesPixels([4, 1, 1], null, Int16Array.of(-1000, 40, 39, 500));
    pixels.series.windows = [{ center: 40, width: 400 }];
    const { image, mapping } = serialiseImage(pixels);
    expect(mapping).toBe('window');
    expect([...image.data]).toEqual([0, 128, 127, 255]);
    expect([...serialiseImage(pixels, 0, { window: { center: 0, width: 1 } }).image.data]).toEqual([
      0, 255, 255, 255,
    ]);
  });

  it('scales other values from the 1st to the 99th percentile', () => {
    const pixels = seriesPixels(
      [100, 10, 1],
      null,
      Uint16Array.from({ length: 1000 }, (_, i) => 5 * i),
    );
    const { image, mapping } = serialiseImage(pixels);
    expect(mapping).toBe('percentile');
    expect(image.data[0]).toBe(0);
    expect(image.data[999]).toBe(255);
    expect(image.data[500]).toBe(127);
  });

  it('converts as Pillow where the reference asks for it', () => {
    const grey = seriesPixels([4, 1, 1], null, Uint16Array.of(0, 127, 256, 65535));
    grey.series.windows = [{ center: 40, width: 400 }];
    expect([...serialiseImage(grey, 0, { reference: true }).image.data]).toEqual([0, 127, 255, 255]);
    const colour = {
      ...seriesPixels([1, 1, 1], null, Uint16Array.of(0x1234, 0xff00, 255)),
      channels: 3 as const,
    };
    expect([...serialiseImage(colour, 0, { reference: true }).image.data]).toEqual([0x12, 0xff, 0]);
  });
});
