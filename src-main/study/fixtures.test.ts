/**
 * Every format but DICOM against the original libraries: nibabel, SimpleITK, pynrrd, NumPy, tifffile and Pillow.
 * Files and expectations are made by training/fixtures/volumes_expected.py.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectionSchema, studySchema } from '../../src-contract/study.ts';
import { decodeImage, type PlainFormat, readerInput } from './decode-image.ts';
import { detectFormat } from './detect.ts';
import { inspectFile } from './inspect.ts';
import { openStudy } from './open-study.ts';
import type { StoredArray } from './pixels.ts';
import { defaultLimits } from './reader.ts';
import { type ReferenceVolume, readReferenceVolume, readRgb8 } from './reference-input.ts';
import { fileSource } from './sources.ts';

const folder = path.resolve(import.meta.dirname, '../../fixtures/volumes');

interface Expectation {
  file: string;
  shape: [number, number, number];
  channels: number;
  sha256: string;
  stored: { min: number; max: number; sum: number };
  affine: number[] | null;
  synthetic?: boolean;
  fdata?: { shape: number[]; sha256: string };
  rgb?: { width: number; height: number; sha256: string };
}

const expectations = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as Expectation[];

function sha(data: StoredArray): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
}

/** float32 in C order, as the reference's numpy array. */
function asNumpy(volume: ReferenceVolume): Float32Array {
  const { shape, order, data, rescale } = volume;
  const { slope, intercept } = rescale ?? { slope: 1, intercept: 0 };
  const out = new Float32Array(data.length);
  for (let flat = 0; flat < out.length; flat++) {
    let rest = flat;
    let at = 0;
    if (order === 'C') at = flat;
    else {
      const index = shape.map(() => 0);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        index[axis] = rest % shape[axis];
        rest = Math.floor(rest / shape[axis]);
      }
      for (let axis = shape.length - 1; axis >= 0; axis--) at = at * shape[axis] + index[axis];
    }
    out[flat] = data[at] * slope + intercept;
  }
  return out;
}

async function decode(file: string) {
  const source = await fileSource(path.join(folder, file));
  const bytes = await source.read(defaultLimits);
  const detected = await detectFormat(bytes.subarray(0, 8192), file);
  if (detected.is !== 'format') throw new Error(`${file} was taken for ${detected.is}`);
  return decodeImage(detected.format as PlainFormat, readerInput(source, bytes, defaultLimits));
}

describe.each(expectations)('$file', (expected) => {
  const full = path.join(folder, expected.file);

  test('stored values and geometry are those of the original library', async () => {
    const image = await decode(expected.file);
    const { frames, rows, columns, channels, data } = image.frames;
    expect([frames, rows, columns]).toEqual(expected.shape);
    expect(channels).toBe(expected.channels);
    expect(sha(data)).toBe(expected.sha256);
    expect(image.synthetic).toBe(expected.synthetic ?? false);
    if (!expected.affine) expect(image.sourceToPatient).toBeNull();
    else {
      const { sourceToPatient } = image;
      expected.affine.forEach((value, i) => {
        expect(sourceToPatient?.[i]).toBeCloseTo(value, 4);
      });
    }
  });

  test('opens as a study of one series and inspects', async () => {
    const { study, readPixels } = await openStudy([full]);
    expect(study.problems).toEqual([]);
    studySchema.parse(study);
    expect(study.series).toHaveLength(1);
    const pixels = await readPixels(study.series[0].id);
    expect(pixels.data.length).toBe(expected.shape.reduce((a, b) => a * b, 1) * expected.channels);
    const inspection = inspectionSchema.parse(await inspectFile(full));
    expect(inspection.ok).toBe(true);
    expect(inspection.stored?.min).toBe(expected.stored.min);
    expect(inspection.stored?.max).toBe(expected.stored.max);
    expect(inspection.stored?.sum).toBeCloseTo(expected.stored.sum, 3);
  });

  test.runIf(expected.fdata)('gives the array that the reference loads', async () => {
    const volume = await readReferenceVolume(full);
    expect(volume.shape).toEqual(expected.fdata?.shape);
    expect(sha(asNumpy(volume))).toBe(expected.fdata?.sha256);
  });

  test.runIf(expected.rgb)('gives the RGB that Pillow gives', async () => {
    const { width, height, data } = await readRgb8(full);
    expect({ width, height, sha256: sha(data) }).toEqual(expected.rgb);
  });
});

test.each([
  ['bad-objects.npy', /pickle/],
  ['bad-structured.npy', /structured/],
  ['bad-cmyk.jpg', /CMYK/],
  ['bad-big.tif', /BigTIFF/],
])('%s is refused with a reason and a remedy', async (file, why) => {
  const { ok, error } = await inspectFile(path.join(folder, file));
  expect(ok).toBe(false);
  expect(error?.code).toBe('format-unsupported');
  expect(error?.message).toMatch(why);
  expect(error?.remedy).toBeTruthy();
});
