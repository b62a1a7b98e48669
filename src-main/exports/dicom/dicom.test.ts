/** Boxes to DICOM and back by our own reader; what others make of them is in scripts/check-exports.py. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Affine, applyAffine, invertAffine, point } from '../../../src-contract/geometry.ts';
import { researchNotice } from '../../../src-contract/trace.ts';
import { openStudy } from '../../study/open-study.ts';
import { defaultLimits } from '../../study/reader.ts';
import { readPart10 } from '../../study/readers/dicom/part10.ts';
import type { ExportRun } from '../export-run.ts';
import { exportRuns } from '../export-runs.ts';
import { type Finding, findingsOf, keptFindings, voxelRange } from '../findings.ts';
import { runName } from '../names.ts';
import { type CaseKind, makeRun, reviewOf } from '../testing/cases.ts';
import { type ReportedBox, readReport } from '../testing/read-sr.ts';
import { decimalString } from './data-set-writer.ts';

const kinds = [
  'axial',
  'oblique',
  'flipped',
  'mirrored',
  'sagittal',
  'sheared',
  'multiframe',
  'slice',
  'sagittal-slice',
  'projection',
];
const runs = new Map<string, ExportRun>();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-dicom-'));
  for (const kind of kinds) {
    const plain = await makeRun(kind as CaseKind, join(folder, kind));
    runs.set(kind, { ...plain, review: reviewOf(plain) });
  }
  const result = await exportRuns({
    runs: runs.values(),
    total: runs.size,
    formats: ['dicom-sr', 'dicom-seg'],
    folder: join(folder, 'out'),
    identifiers: false,
  });
  expect(result.skipped).toEqual([]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (kind: string, suffix: 'sr' | 'seg'): Uint8Array =>
  readFileSync(join(folder, 'out', `dicom-${suffix}`, `${runName(runs.get(kind)!, false)}.${suffix}.dcm`));
const findingsFor = (kind: string): Finding[] => {
  const { trace, review } = runs.get(kind)!;
  return keptFindings(findingsOf(trace, review));
};

/** Which source slice an instance and frame is, as the study reader orders them. */
async function sliceNumbers(kind: string): Promise<Map<string, number>> {
  const { sources, trace } = runs.get(kind)!;
  const open = await openStudy([...new Set(sources.map(({ path }) => path))]);
  const numbers = new Map<string, number>();
  for (let k = 0; k < trace.chain.sourceSize[2]; k++) {
    const file = await open.dicomFile(open.study.series[0].id, k);
    const uid = readPart10(file!.bytes, '', defaultLimits).dataSet.string(0x00080018);
    numbers.set(`${uid} ${file!.frame + 1}`, k);
  }
  return numbers;
}

describe('a box survives trace -> SR -> back', () => {
  it.each(kinds)('%s, in pixels of the instances and in millimetres', async (kind) => {
    const { trace } = runs.get(kind)!;
    const { boxes } = readReport(bytesOf(kind, 'sr'));
    const numbers = await sliceNumbers(kind);
    const affine = trace.chain.sourceToPatient as Affine<'source', 'patient'> | null;
    for (const finding of findingsFor(kind)) {
      const same = boxes.filter(({ label }) => label === finding.label);
      expect(same).toHaveLength(affine ? 2 : 1);
      expect(new Set(same.map(({ trackingUid }) => trackingUid)).size).toBe(1);
      const flat = same.find(({ regions }) => regions.length > 0)!;
      const slices = flat.regions.map(({ sopInstanceUid, frame }) =>
        numbers.get(`${sopInstanceUid} ${frame}`),
      );
      const [first, last] = voxelRange(trace.chain, finding.box)[2];
      expect(slices).toEqual(Array.from({ length: last - first + 1 }, (_, n) => first + n));
      for (const { points } of flat.regions) {
        expect(points).toHaveLength(5);
        expect(points[4]).toEqual(points[0]);
        for (const axis of [0, 1]) {
          const at = points.map((each) => each[axis] - 0.5);
          expect(Math.min(...at)).toBeCloseTo(finding.box.min[axis], 4);
          expect(Math.max(...at)).toBeCloseTo(finding.box.max[axis], 4);
        }
      }
      if (affine)
        expect(millimetresOff(same, finding, affine, trace.chain.gridSize[2] > 1)).toBeLessThan(0.5);
    }
  });
});

/** Greatest distance of a face between what the contours say and where the box is, in mm. */
function millimetresOff(
  boxes: readonly ReportedBox[],
  { box }: Finding,
  affine: Affine<'source', 'patient'>,
  volume: boolean,
): number {
  const { contours } = boxes.find((one) => one.contours.length > 0)!;
  const voxels = contours.flat().map((at) => applyAffine(invertAffine(affine), point('patient', ...at)));
  const axes = volume ? [0, 1, 2] : [0, 1];
  const off = axes.map((axis) => {
    const step = Math.hypot(affine[axis], affine[4 + axis], affine[8 + axis]);
    const at = voxels.map((voxel) => voxel[axis]);
    return (
      step * Math.max(Math.abs(Math.min(...at) - box.min[axis]), Math.abs(Math.max(...at) - box.max[axis]))
    );
  });
  return Math.max(...off);
}

describe('the report', () => {
  it('says what it is, whose it is, and nobody’s name', () => {
    const bytes = bytesOf('oblique', 'sr');
    const { root, comments, boxes } = readReport(bytes);
    expect(root.string(0x00080016)).toBe('1.2.840.10008.5.1.4.1.1.88.34');
    expect(comments).toContain(researchNotice);
    expect(comments.some((comment) => comment.includes('synthetic'))).toBe(true);
    expect(comments).toContain('Answer: A. left lung (amended by the reader)');
    expect(boxes.map(({ label }) => label)).toEqual([
      'Box 1',
      'Box 1',
      'Box 2',
      'Box 2',
      'missed nodule',
      'missed nodule',
    ]);
    expect(boxes[2].comments).toContain('Amended words: A second look shows');
    const text = Buffer.from(bytes).toString('latin1');
    for (const name of ['Nobody', 'ID-4711', '19500102', 'ACC-7', 'Doctor', 'Dr. Reader']) {
      expect(text).not.toContain(name);
    }
  });

  it('names the patient and the reader where that is asked for', async () => {
    const out = join(folder, 'named');
    const run = runs.get('axial')!;
    await exportRuns({ runs: [run], total: 1, formats: ['dicom-sr'], folder: out, identifiers: true });
    const { root } = readReport(readFileSync(join(out, 'dicom-sr', `${runName(run, true)}.sr.dcm`)));
    expect(root.string(0x00100010)).toBe('Nobody^Test');
    expect(root.string(0x00100020)).toBe('ID-4711');
    expect(root.string(0x00120062)).toBeUndefined();
  });

  it('carries over what old files say, as far as today’s standard can hold it', async () => {
    const plain = await makeRun('old', join(folder, 'old'));
    const out = join(folder, 'old-out');
    const result = await exportRuns({
      runs: [plain],
      total: 1,
      formats: ['dicom-sr', 'dicom-seg'],
      folder: out,
      identifiers: true,
    });
    expect(result.skipped).toEqual([]);
    const { root } = readReport(readFileSync(join(out, 'dicom-sr', `${runName(plain, true)}.sr.dcm`)));
    const values = [0x00080020, 0x00080030, 0x00080050, 0x00100030, 0x00100040].map((tag) =>
      root.string(tag),
    );
    expect(values).toEqual(['19910424', '101112', 'A NUMBER OF MORE', undefined, undefined]);
  });

  it('keeps its UIDs from one export to the next, and changes them with what it says', async () => {
    const run = runs.get('axial')!;
    const uid = async (name: string, review: ExportRun['review']): Promise<string | undefined> => {
      const out = join(folder, name);
      await exportRuns({
        runs: [{ ...run, review }],
        total: 1,
        formats: ['dicom-sr'],
        folder: out,
        identifiers: false,
      });
      return readReport(readFileSync(join(out, 'dicom-sr', `${runName(run, false)}.sr.dcm`))).root.string(
        0x00080018,
      );
    };
    const first = await uid('again-1', run.review);
    expect(await uid('again-2', run.review)).toBe(first);
    expect(await uid('again-3', null)).not.toBe(first);
    expect(first).toMatch(/^2\.25\.\d{1,39}$/);
  });
});

describe('the segmentation', () => {
  it.each(kinds)('%s: bits, frames and references', (kind) => {
    const { trace } = runs.get(kind)!;
    const { dataSet, pixel } = readPart10(bytesOf(kind, 'seg'), kind, defaultLimits);
    const [columns, rows] = trace.chain.sourceSize;
    const findings = findingsFor(kind);
    const bits = dataSet.bytes.subarray(pixel!.offset, pixel!.offset + pixel!.length);
    const frames = dataSet.items(0x52009230);
    expect(frames).toHaveLength(dataSet.number(0x00280008, 'IS')!);
    expect(dataSet.items(0x00620002)).toHaveLength(findings.length);
    let set = 0;
    for (const byte of bits) for (let bit = 0; bit < 8; bit++) set += (byte >> bit) & 1;
    const counts = findings.map(({ box }) =>
      voxelRange(trace.chain, box).reduce((product, [first, last]) => product * (last - first + 1), 1),
    );
    expect(set).toBe(counts.reduce((sum, count) => sum + count, 0));
    let n = 0;
    for (const [index, { box }] of findings.entries()) {
      const [x, y, z] = voxelRange(trace.chain, box);
      for (let k = z[0]; k <= z[1]; k++, n++) {
        expect(frames[n].item(0x0062000a)?.number(0x0062000b, 'US')).toBe(index + 1);
        expect(frames[n].item(0x00089124)?.item(0x00082112)?.string(0x00081155)).toBeTruthy();
        const at = (i: number, j: number): number => {
          const bit = (n * rows + j) * columns + i;
          return (bits[bit >> 3] >> (bit & 7)) & 1;
        };
        expect([at(x[0], y[0]), at(x[1], y[1])]).toEqual([1, 1]);
        if (x[0] > 0) expect(at(x[0] - 1, y[0])).toBe(0);
        if (y[1] < rows - 1) expect(at(x[1], y[1] + 1)).toBe(0);
      }
    }
  });
});

it('writes decimals in sixteen characters', () => {
  for (const value of [0, -1, 1 / 3, -123456.78901234567, 1e-20, -1.23456789e-7, 4.1]) {
    const text = decimalString(value);
    expect(text.length).toBeLessThanOrEqual(16);
    expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-8);
  }
});
