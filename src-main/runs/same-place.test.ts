/**
 * Truth of coordinates across formats: one oblique volume, once as a DICOM series and once as a NIfTI that stores it
 * along other axes. What the model sees is the same, and a box lands on the same patient millimetres.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { locateBox } from '../../src-contract/geometry.ts';
import { withProcessor } from '../slices/serialise.ts';
import { openStudy } from '../study/open-study.ts';
import { writeSeries } from '../study/testing/dicom-writer.ts';
import { prepareStudyInput } from './prepare-study.ts';
import type { PreparedInput } from './prepared-input.ts';

type Triple = [number, number, number];

const size: Triple = [30, 24, 20];
const spacing: Triple = [1.7, 1.7, 4.1];
const origin: Triple = [-31.5, 12.25, 407];

/** Rotation about x then z, in degrees: columns are the directions of i, j, k in LPS. */
function directions(aboutX: number, aboutZ: number): [Triple, Triple, Triple] {
  const [a, b] = [(aboutX * Math.PI) / 180, (aboutZ * Math.PI) / 180];
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  return [
    [cb, sb, 0],
    [-sb * ca, cb * ca, sa],
    [sb * sa, -cb * sa, ca],
  ];
}

/** Row-major 3x4 from columns. */
const affineOf = (columns: Triple[], offset: Triple) =>
  [0, 1, 2].flatMap((row) => [...columns.map((column) => column[row]), offset[row]]);

const scale = (v: Triple, by: number): Triple => [v[0] * by, v[1] * by, v[2] * by];
const add = (a: Triple, b: Triple): Triple => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

const value = (i: number, j: number, k: number) =>
  Math.round(40 * Math.sin(i / 3) + 9 * j - 17 * k + ((i * j) % 7));

/** A NIfTI-1 file (int16, sform in RAS) of the voxels that `at` gives. */
function writeNifti(
  dims: Triple,
  ras: number[],
  at: (x: number, y: number, z: number) => number,
): Uint8Array {
  const file = Buffer.alloc(352 + dims[0] * dims[1] * dims[2] * 2);
  file.writeInt32LE(348, 0);
  for (const [index, n] of [3, ...dims, 1, 1, 1, 1].entries()) file.writeInt16LE(n, 40 + index * 2);
  file.writeInt16LE(4, 70);
  file.writeInt16LE(16, 72);
  for (const [index, n] of [1, ...spacing, 1].entries()) file.writeFloatLE(n, 76 + index * 4);
  file.writeFloatLE(352, 108);
  file.writeFloatLE(1, 112);
  file.writeUInt8(2, 123);
  file.writeInt16LE(1, 254);
  for (const [index, n] of ras.entries()) file.writeFloatLE(n, 280 + index * 4);
  file.write('n+1\0', 344, 'latin1');
  let offset = 352;
  for (let z = 0; z < dims[2]; z++)
    for (let y = 0; y < dims[1]; y++)
      for (let x = 0; x < dims[0]; x++) {
        file.writeInt16LE(at(x, y, z), offset);
        offset += 2;
      }
  return file;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-place-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function prepare(path: string): Promise<PreparedInput> {
  return prepareStudyInput(await openStudy([path]));
}

describe.each([
  ['axial', 0, 0],
  ['oblique', 23, -14],
  ['strongly oblique', -38, 31],
])('%s', (name, aboutX, aboutZ) => {
  it('a box on the DICOM series and on the NIfTI is in the same place, to a hundredth of a millimetre', async () => {
    const unit = directions(aboutX, aboutZ);
    const steps = unit.map((direction, axis) => scale(direction, spacing[axis])) as [Triple, Triple, Triple];
    const dicom = join(folder, `${name}-dicom`);
    mkdirSync(dicom);
    const files = writeSeries({
      columns: size[0],
      rows: size[1],
      slices: size[2],
      affine: affineOf(steps, origin),
      value,
    });
    // File names in an order that says nothing: assembly goes by geometry.
    for (const [index, file] of files.entries())
      writeFileSync(join(dicom, `${(index * 7) % size[2]}.dcm`), file);

    // The same voxels stored as (k reversed, i, j reversed).
    const far = add(origin, add(scale(steps[2], size[2] - 1), scale(steps[1], size[1] - 1)));
    const columns = [scale(steps[2], -1), steps[0], scale(steps[1], -1)] as Triple[];
    const lps = affineOf(columns, far);
    const ras = lps.map((n, index) => (index < 8 ? -n : n));
    const nifti = join(folder, `${name}.nii`);
    writeFileSync(
      nifti,
      writeNifti([size[2], size[0], size[1]], ras, (x, y, z) => value(y, size[1] - 1 - z, size[2] - 1 - x)),
    );

    const [fromDicom, fromNifti] = await Promise.all([prepare(dicom), prepare(nifti)]);
    expect(fromDicom.images).toHaveLength(32);
    fromDicom.images.forEach((image, slice) => {
      expect(
        Buffer.from(image.data).equals(Buffer.from(fromNifti.images[slice].data)),
        `slice ${slice}`,
      ).toBe(true);
    });

    const chains = [fromDicom, fromNifti].map(({ chain }) => withProcessor(chain, 112, 112));
    const edge = (limit: number) =>
      fc.tuple(fc.integer({ min: 0, max: limit - 1 }), fc.integer({ min: 1, max: limit }));
    fc.assert(
      fc.property(edge(112), edge(112), edge(32), (x, y, z) => {
        const order = ([a, b]: [number, number]) => (a < b ? [a, b] : [b, a + 1]);
        const [[x1, x2], [y1, y2], [z1, z2]] = [x, y, z].map(order);
        const box = { x1, y1, z1, x2, y2, z2 };
        const [a, b] = chains.map((chain) => locateBox(chain, box).patientCorners ?? []);
        expect(a).toHaveLength(8);
        a.forEach((corner, index) => {
          for (let axis = 0; axis < 3; axis++)
            expect(Math.abs(corner[axis] - b[index][axis])).toBeLessThan(0.01);
        });
      }),
    );
  });

  it('a slice of the NIfTI is shown to the model as that of the DICOM series is, and its box is in the same place', async () => {
    const steps = directions(aboutX, aboutZ).map((direction, axis) => scale(direction, spacing[axis])) as [
      Triple,
      Triple,
      Triple,
    ];
    const dicom = join(folder, `${name}-slices`);
    mkdirSync(dicom);
    const files = writeSeries({
      columns: size[0],
      rows: size[1],
      slices: size[2],
      affine: affineOf(steps, origin),
      value,
    });
    for (const [index, file] of files.entries()) writeFileSync(join(dicom, `${index}.dcm`), file);
    // As converters write it: columns to the patient's right, rows to the front.
    const far = add(origin, add(scale(steps[0], size[0] - 1), scale(steps[1], size[1] - 1)));
    const lps = affineOf([scale(steps[0], -1), scale(steps[1], -1), steps[2]], far);
    const nifti = join(folder, `${name}-turned.nii`);
    writeFileSync(
      nifti,
      writeNifti(
        size,
        lps.map((n, index) => (index < 8 ? -n : n)),
        (x, y, z) => value(size[0] - 1 - x, size[1] - 1 - y, z),
      ),
    );
    const wish = { slice: 3, window: { center: 0, width: 400 } };
    const [fromDicom, fromNifti] = await Promise.all(
      [dicom, nifti].map(async (path) => prepareStudyInput(await openStudy([path]), wish)),
    );
    expect(fromNifti.images).toEqual(fromDicom.images);
    const [a, b] = [fromDicom, fromNifti].map(
      ({ chain }) => locateBox(chain, { x1: 2, y1: 3, z1: 0, x2: 7, y2: 5, z2: 1 }).patientCorners ?? [],
    );
    expect(a).toHaveLength(8);
    a.forEach((corner, index) => {
      for (let axis = 0; axis < 3; axis++) expect(Math.abs(corner[axis] - b[index][axis])).toBeLessThan(0.01);
    });
  });
});
