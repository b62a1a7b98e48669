import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Zippable, zipSync } from 'fflate';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openStudy } from './open-study.ts';
import { requireSeries } from './require-series.ts';

const fixtures = path.resolve(import.meta.dirname, '../../fixtures/volumes');
const scratch = mkdtempSync(path.join(tmpdir(), 'readroom-open-'));
let folder = '';
let number = 0;

beforeEach(() => {
  folder = path.join(scratch, String(number++));
  mkdirSync(folder);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function put(...names: string[]): void {
  for (const name of names) copyFileSync(path.join(fixtures, name), path.join(folder, path.basename(name)));
}

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

const fixture = (name: string) => path.join(fixtures, name);

test('one bad file does not hide the good ones, and notes are skipped quietly', async () => {
  put('rgb.png', 'oblique-int16.nii.gz');
  write('broken.nii', 'this is no header');
  write('cut.png', new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]));
  write('report.txt', 'Findings: none.');
  write('.DS_Store', 'x');
  const { study } = await openStudy([folder]);
  expect(study.series.map((s) => s.format).sort()).toEqual(['nifti', 'png']);
  expect(study.problems.map((p) => path.basename(p.path)).sort()).toEqual(['broken.nii', 'cut.png']);
  for (const { error } of study.problems) {
    expect(error.message).toMatch(/broken|cut/);
    expect(error.remedy).toBeTruthy();
  }
  expect(study.skipped.map((name) => path.basename(name))).toEqual(['report.txt']);
});

test('folders are walked in natural order, and not in circles', async () => {
  for (const name of ['s10.png', 's2.png', 's1.png'])
    copyFileSync(fixture('gray.png'), path.join(folder, name));
  mkdirSync(path.join(folder, 'deep'));
  symlinkSync(folder, path.join(folder, 'deep', 'up'), 'junction');
  const { study } = await openStudy([folder]);
  expect(study.series.map((s) => s.description)).toEqual(['s1.png', 's2.png', 's10.png']);
  expect(new Set(study.series.map((s) => s.id)).size).toBe(3);
});

test('a pair is one series, from either of its files and from a zip', async () => {
  put('pair-uint16.hdr', 'pair-uint16.img', 'itk-detached.mhd', 'itk-detached.raw');
  const whole = await openStudy([folder]);
  expect(whole.study.problems).toEqual([]);
  expect(whole.study.skipped).toEqual([]);
  expect(whole.study.series.map((s) => s.sources.length)).toEqual([2, 2]);
  const data = await openStudy([path.join(folder, 'pair-uint16.img')]);
  expect(data.study.series[0].id).toBe(whole.study.series.find((s) => s.format === 'nifti')?.id);

  const members: Zippable = {};
  for (const name of ['pair-uint16.hdr', 'pair-uint16.img'])
    members[`a/${name}`] = readFileSync(fixture(name));
  const archive = write('pair.zip', zipSync(members));
  const zipped = await openStudy([archive]);
  expect(zipped.study.problems).toEqual([]);
  expect(zipped.study.series[0].sources[0].member).toBe('a/pair-uint16.hdr');
  const a = await zipped.readPixels(zipped.study.series[0].id);
  const b = await data.readPixels(data.study.series[0].id);
  expect(a.data).toEqual(b.data);
});

test('a data file outside the folder of its header is not read', async () => {
  put('itk-detached.raw');
  const header = readFileSync(fixture('itk-detached.mhd'), 'latin1');
  for (const place of ['../itk-detached.raw', path.join(folder, 'itk-detached.raw'), 'C:\\x.raw']) {
    const file = write('sub/outside.mhd', header.replace('itk-detached.raw', place));
    const { study } = await openStudy([file]);
    expect(study.series).toEqual([]);
    expect(study.problems[0].error.code).toBe('format-unsupported');
  }
});

test('a zip is opened member by member; nested archives and damaged members are reported', async () => {
  const inner = zipSync({ 'x.png': readFileSync(fixture('gray.png')) });
  const archive = write(
    'study.zip',
    zipSync({
      '../../escape.png': readFileSync(fixture('gray.png')),
      'more/volume.mha': [readFileSync(fixture('itk-oblique.mha')), { level: 0 }],
      'inner.zip': inner,
      'notes.txt': new Uint8Array([65]),
      '__MACOSX/._volume.mha': new Uint8Array([1, 2, 3]),
    }),
  );
  const { study, readPixels } = await openStudy([archive]);
  expect(study.series.map((s) => s.sources[0].member).sort()).toEqual([
    '../../escape.png',
    'more/volume.mha',
  ]);
  expect(study.problems.map((p) => [p.member, p.error.code])).toEqual([['inner.zip', 'format-unsupported']]);
  for (const series of study.series) expect((await readPixels(series.id)).data.length).toBeGreaterThan(0);
});

test('what is no image, not there, or empty says so', async () => {
  const note = write('note.txt', 'hello');
  const missing = path.join(folder, 'missing.nii');
  const { study } = await openStudy([note, missing]);
  expect(study.problems.map((p) => p.error.code)).toEqual(['file-not-found', 'format-unsupported']);
  expect(() => requireSeries(study)).toThrowError(expect.objectContaining({ code: 'study-empty' }));
  const gif = write('picture.gif', 'GIF89a........');
  const foreign = await openStudy([gif]);
  expect(foreign.study.problems[0].error.message).toMatch(/GIF/);
  const empty = write('empty.dcm', '');
  expect((await openStudy([empty])).study.problems).toHaveLength(1);
});

test('a file that changed after opening is not mixed up with the one that was opened', async () => {
  put('gray.png', 'rgb.png');
  const { study, readPixels } = await openStudy([folder]);
  const gray = study.series.find((s) => s.channels === 1);
  copyFileSync(fixture('gray4.png'), path.join(folder, 'gray.png'));
  await expect(readPixels(gray?.id ?? '')).rejects.toMatchObject({ code: 'file-unreadable' });
});

test('a limit refuses before allocating, and says how much it would have been', async () => {
  const { study } = await openStudy([fixture('oblique-int16.nii.gz')], { limits: { maxBytes: 600 } });
  expect(study.problems[0].error.code).toBe('file-too-large');
  const small = await openStudy([fixture('oblique-int16.nii.gz')], { limits: { maxFileBytes: 100 } });
  expect(small.study.problems[0].error.code).toBe('file-too-large');
});

test('cancelling ends opening and reading', async () => {
  const signal = AbortSignal.abort();
  await expect(openStudy([fixtures], { signal })).rejects.toMatchObject({ code: 'cancelled' });
  const { study, readPixels } = await openStudy([fixture('gray.png')]);
  await expect(readPixels(study.series[0].id, { signal })).rejects.toMatchObject({ code: 'cancelled' });
});

test('progress counts every file', async () => {
  put('gray.png', 'rgb.png');
  const seen: number[] = [];
  await openStudy([folder], { onProgress: ({ done, total }) => seen.push(done / total) });
  expect(seen).toEqual([0.5, 1]);
});

test('DICOM files beside others, in a folder and in a zip', async () => {
  const dicom = path.resolve(fixtures, '../dicom/files');
  for (const name of ['CT_small.dcm', 'MR_small.dcm', 'reportsi.dcm']) {
    copyFileSync(path.join(dicom, name), path.join(folder, name));
  }
  put('gray.png');
  const { study, readPixels } = await openStudy([folder]);
  expect(study.problems).toEqual([]);
  expect(study.series.map((s) => s.modality).sort()).toEqual(['CT', 'MR', 'OT']);
  expect(study.skipped.map((name) => path.basename(name))).toEqual(['reportsi.dcm']);
  const members: Zippable = {};
  for (const name of ['CT_small.dcm', 'MR_small.dcm']) members[name] = readFileSync(path.join(folder, name));
  const zipped = await openStudy([write('d.zip', zipSync(members))]);
  for (const modality of ['CT', 'MR']) {
    const plain = study.series.find((s) => s.modality === modality);
    const packed = zipped.study.series.find((s) => s.modality === modality);
    expect(packed?.id).toBe(plain?.id);
    expect((await zipped.readPixels(packed?.id ?? '')).data).toEqual(
      (await readPixels(plain?.id ?? '')).data,
    );
  }
});
