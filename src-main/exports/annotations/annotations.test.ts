/** Boxes in the files of other tools, read back: label maps by our own readers, the rest by what each format says. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStudy } from '../../study/open-study.ts';
import type { ExportRun } from '../export-run.ts';
import { exportRuns } from '../export-runs.ts';
import { allFindings, type Finding, findingsOf, keptFindings, voxelRange } from '../findings.ts';
import { runName } from '../names.ts';
import { type CaseKind, makeRun, reviewOf } from '../testing/cases.ts';
import { labelMapOf } from './label-map.ts';

const kinds = ['oblique', 'mirrored', 'sagittal', 'sheared', 'slice', 'sagittal-slice', 'nifti', 'picture'];
const runs = new Map<string, ExportRun>();
let folder: string;
let out: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-annotations-'));
  out = join(folder, 'out');
  for (const kind of kinds) {
    const plain = await makeRun(kind as CaseKind, join(folder, kind));
    runs.set(kind, { ...plain, review: reviewOf(plain) });
  }
  await exportRuns({
    runs: runs.values(),
    total: runs.size,
    formats: ['nifti', 'nrrd', 'csv', 'coco', 'slicer-roi'],
    folder: out,
    identifiers: false,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nameOf = (kind: string): string => runName(runs.get(kind)!, false);
const findingsFor = (kind: string): ReturnType<typeof findingsOf> =>
  findingsOf(runs.get(kind)!.trace, runs.get(kind)!.review);

describe.each([
  ['nifti', '.nii.gz'],
  ['nrrd', '.seg.nrrd'],
])('%s label map', (format, suffix) => {
  it.each(kinds)('%s: the same voxels on the same grid', async (kind) => {
    const findings = findingsFor(kind);
    const open = await openStudy([join(out, format, nameOf(kind) + suffix)]);
    expect(open.study.problems).toEqual([]);
    const [series] = open.study.series;
    const pixels = await open.readPixels(series.id);
    const { chain } = findings;
    expect([pixels.columns, pixels.rows, pixels.slices]).toEqual(chain.sourceSize);
    if (chain.sourceToPatient) {
      for (const [n, entry] of chain.sourceToPatient.entries()) {
        expect(series.sourceToPatient?.[n]).toBeCloseTo(entry, 3);
      }
    }
    const map = labelMapOf(findings);
    const [columns, rows, slices] = chain.sourceSize;
    let different = 0;
    for (let k = 0; k < slices; k++) {
      const wanted = map.slice(k);
      for (let at = 0; at < columns * rows; at++) {
        if (pixels.data[k * columns * rows + at] !== wanted[at]) different++;
      }
    }
    expect(different).toBe(0);
    // The corner voxels of each box hold its number, unless a smaller box lies over them.
    const [smallest] = [...map.labels].sort((a, b) => volumeOf(a.range) - volumeOf(b.range));
    const [i, j, k] = smallest.range.map(([first]) => first);
    expect(pixels.data[(k * rows + j) * columns + i]).toBe(smallest.value);
  });
});

const volumeOf = (range: readonly (readonly [number, number])[]): number =>
  range.reduce((product, [first, last]) => product * (last - first + 1), 1);

it('CSV: every box, rejected ones marked, in voxels and millimetres', () => {
  const rows = parse(readFileSync(join(out, 'csv', 'boxes.csv'), 'utf8'), { columns: true }) as Record<
    string,
    string
  >[];
  for (const kind of kinds) {
    const findings = findingsFor(kind);
    const own = rows.filter(({ run_id }) => run_id === `run-${kind}`);
    expect(own.map(({ box }) => box)).toEqual(allFindings(findings).map(({ key }) => key));
    for (const [n, finding] of allFindings(findings).entries()) {
      const row = own[n];
      const edges = ['i', 'j', 'k'].map((axis) => [+row[`${axis}_low_edge`], +row[`${axis}_high_edge`]]);
      expect(edges.flat()).toEqual(
        finding.box.min.flatMap((low, axis) => [low, finding.box.max[axis]].map(six)),
      );
      expect([+row.k_first, +row.k_last]).toEqual(voxelRange(findings.chain, finding.box)[2]);
      expect(row.centre_x_mm === '').toBe(findings.chain.sourceToPatient === null);
    }
    expect(own[1]).toMatchObject({ origin: 'corrected', verdict: 'corrected', comment: 'moved, "a bit"' });
    expect(Number(own[1].iou_with_model)).toBeGreaterThan(0);
    expect(own[2]).toMatchObject({ verdict: 'rejected: nothing there', comment: "'=cmd|nothing, there" });
    expect(own[3]).toMatchObject({ origin: 'reader', label: 'missed nodule', synthetic: 'true' });
  }
});
const six = (value: number): number => Number(value.toFixed(6));

it('COCO: an image a slice, an annotation a slice of a box', () => {
  const coco = JSON.parse(readFileSync(join(out, 'coco', 'annotations.json'), 'utf8'));
  const images = new Map<number, { width: number; height: number; file_name: string; slice: number }>(
    coco.images.map((image: { id: number }) => [image.id, image]),
  );
  expect(readdirSync(join(out, 'coco', 'images'))).toHaveLength(images.size);
  for (const { file_name, width, height } of images.values()) {
    expect(decode(readFileSync(join(out, 'coco', file_name)))).toMatchObject({ width, height, depth: 8 });
  }
  for (const kind of kinds) {
    const kept = keptFindings(findingsFor(kind));
    for (const finding of kept) {
      const own = coco.annotations.filter(
        ({ attributes }: { attributes: { run_id: string; box: string } }) =>
          attributes.run_id === `run-${kind}` && attributes.box === finding.key,
      );
      const slices = own.map(({ image_id }: { image_id: number }) => images.get(image_id)?.slice);
      const { z1, z2 } = finding.pixels;
      expect(slices).toEqual(Array.from({ length: z2 - z1 }, (_, n) => z1 + n));
      const { x1, y1, x2, y2 } = finding.edges;
      for (const { bbox } of own) expect(bbox).toEqual([x1, y1, x2 - x1, y2 - y1]);
    }
  }
  const ids = coco.annotations.map(({ id }: { id: number }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

it('COCO: two runs on the same slices share the images', async () => {
  const run = runs.get('oblique')!;
  const folderOfTwo = join(folder, 'two');
  const second = { ...run, runId: 'second', review: null };
  await exportRuns({
    runs: [run, second],
    total: 2,
    formats: ['coco'],
    folder: folderOfTwo,
    identifiers: false,
  });
  const coco = JSON.parse(readFileSync(join(folderOfTwo, 'coco', 'annotations.json'), 'utf8'));
  expect(coco.images).toHaveLength(32);
  expect(
    new Set(coco.annotations.map((one: { attributes: { run_id: string } }) => one.attributes.run_id)).size,
  ).toBe(2);
});

describe('3D Slicer ROI', () => {
  const cornersOf = (kind: string, { key }: Finding): number[][] => {
    const file = join(out, 'slicer-roi', `${nameOf(kind)}-${key}.mrk.json`);
    const [roi] = JSON.parse(readFileSync(file, 'utf8')).markups;
    expect(roi).toMatchObject({ type: 'ROI', roiType: 'Box', coordinateSystem: 'LPS' });
    const m: number[] = roi.orientation;
    const determinant =
      m[0] * (m[4] * m[8] - m[5] * m[7]) -
      m[1] * (m[3] * m[8] - m[5] * m[6]) +
      m[2] * (m[3] * m[7] - m[4] * m[6]);
    expect(determinant).toBeCloseTo(1, 9);
    return Array.from({ length: 8 }, (_, bits) => {
      const along = [0, 1, 2].map((axis) => (bits & (1 << axis) ? 0.5 : -0.5) * roi.size[axis]);
      return [0, 1, 2].map(
        (row) => roi.center[row] + [0, 1, 2].reduce((sum, axis) => sum + m[row * 3 + axis] * along[axis], 0),
      );
    });
  };

  it.each(['oblique', 'mirrored', 'sagittal', 'slice', 'sagittal-slice', 'nifti'])(
    '%s: the same eight corners',
    (kind) => {
      for (const finding of keptFindings(findingsFor(kind))) {
        const found = cornersOf(kind, finding);
        for (const corner of finding.located.patientCorners!) {
          const nearest = Math.min(
            ...found.map((at) => Math.hypot(...at.map((value, n) => value - corner[n]))),
          );
          // A NIfTI states its axes in float32: perpendicular to a millionth.
          expect(nearest).toBeLessThan(1e-4);
        }
      }
    },
  );

  it('a sheared box lies within its ROI', () => {
    for (const finding of keptFindings(findingsFor('sheared'))) {
      const found = cornersOf('sheared', finding);
      for (const axis of [0, 1, 2]) {
        const inside = finding.located.patientCorners!.map((corner) => corner[axis]);
        const around = found.map((corner) => corner[axis]);
        expect(Math.min(...around)).toBeLessThanOrEqual(Math.min(...inside) + 1e-6);
        expect(Math.max(...around)).toBeGreaterThanOrEqual(Math.max(...inside) - 1e-6);
      }
    }
  });
});
