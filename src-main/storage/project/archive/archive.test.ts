import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync, type Zippable, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reader } from '../../../../src-contract/project.ts';
import { openStudy } from '../../../study/open-study.ts';
import { writeSeries } from '../../../study/testing/dicom-writer.ts';
import { importFile } from '../import-file.ts';
import { locate } from '../places.ts';
import { Project } from '../project.ts';
import { reviewsIn } from '../reviews.ts';
import { makeTrace } from '../testing/make-trace.ts';
import { logName, type Manifest, manifestName } from './manifest.ts';
import { openZip } from './open-zip.ts';
import { pixelsFolder } from './read-archive.ts';
import { writeArchive } from './write-archive.ts';
import { ZipWriter } from './zip-writer.ts';

const anna: Reader = { readerId: 'anna', name: 'Anna', role: 'reader' };

let folder: string;
let opened: Project[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-archive-'));
});
afterEach(() => {
  for (const project of opened.splice(0)) project.close();
  rmSync(folder, { recursive: true, force: true });
});
const at = (...names: string[]) => join(folder, ...names);
async function create(name: string): Promise<Project> {
  const project = await Project.create(at(`${name}.readroom`), name, anna);
  opened.push(project);
  return project;
}

/** A DICOM series on disk, and a run about it. */
async function dicomCase(project: Project) {
  mkdirSync(at('images'));
  const files = writeSeries({
    columns: 8,
    rows: 6,
    slices: 5,
    affine: [0.7, 0, 0, -20, 0, 0.7, 0, -20, 0, 0, 2, 5],
    value: (i, j, k) => i + 10 * j + 100 * k,
    extra: () => ({
      '00100020': ['LO', 'ID-12345'],
      '00080080': ['LO', 'General Hospital'],
      '00091001': ['LO', 'Smith^Private'],
    }),
  });
  for (const [n, bytes] of files.entries()) writeFileSync(at('images', `Smith_${n}.dcm`), bytes);
  const study = await openStudy([at('images')]);
  const [series] = study.study.series;
  if (!series) throw new Error('no series');
  const trace = makeTrace({ runId: 'one', sources: series.sources });
  return { series, study, ...project.addRun({ ...trace, series: { ...series } }, 'Thorax') };
}

describe('a project as one file', () => {
  it('comes back whole, and taking it in again changes nothing', async () => {
    const project = await create('a');
    project.addRun(makeTrace({ runId: 'one' }), 'Thorax');
    project.addRun(makeTrace({ runId: 'two', slice: 3 }), 'Thorax');
    project.edit([{ kind: 'comment', runId: 'one', readerId: 'anna', before: null, after: 'seen – ñ' }]);
    const report = await writeArchive(project, at('a.readroom.zip'), { pixels: false });
    expect(report).toEqual({ runs: 2, files: 0, leftOut: [] });
    const other = await create('b');
    const first = await importFile(other, at('a.readroom.zip'));
    expect(first).toMatchObject({
      kind: 'archive',
      report: { cases: 1, runs: 2, readers: 1, conflicts: [] },
    });
    expect(other.trace('two')).toEqual(project.trace('two'));
    expect(reviewsIn(other.db, 'one')).toEqual(reviewsIn(project.db, 'one'));
    expect((await importFile(other, at('a.readroom.zip'))).report).toMatchObject({ entries: 0 });
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('an unzip that we did not write lists and checks it', async () => {
    const project = await create('a');
    project.addRun(makeTrace({ runId: 'one' }), 'Thorax');
    await writeArchive(project, at('a.zip'), { pixels: false });
    const names = Object.keys(unzipSync(readFileSync(at('a.zip')))).sort();
    expect(names).toEqual([logName, manifestName, expect.stringMatching(/^traces\/[0-9a-f]{64}\.json$/)]);
  });

  it('cancelled leaves nothing, and the file that was there before', async () => {
    const project = await create('a');
    project.addRun(makeTrace({ runId: 'one' }), 'Thorax');
    writeFileSync(at('a.zip'), 'before');
    const controller = new AbortController();
    const writing = writeArchive(project, at('a.zip'), {
      pixels: false,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
    expect(readFileSync(at('a.zip'), 'utf8')).toBe('before');
    expect(readdirSync(folder).some((name) => name.endsWith('.tmp'))).toBe(false);
  });
});

describe('images that travel along', () => {
  it('are without names, and open as the same series with the same pixels', async () => {
    const project = await create('a');
    const { caseId, series, study } = await dicomCase(project);
    const report = await writeArchive(project, at('a.zip'), { pixels: true });
    expect(report).toMatchObject({ files: 5, leftOut: [] });
    const bytes = readFileSync(at('a.zip'));
    for (const secret of ['Nobody', 'ID-12345', 'General Hospital', 'Private']) {
      expect(bytes.includes(secret), secret).toBe(false);
    }
    // As on another machine: the originals are not there.
    renameSync(at('images'), at('away'));
    const other = await create('b');
    await importFile(other, at('a.zip'));
    const { paths, missing, standIns } = await locate(
      other.db,
      other.case(caseId).sources,
      null,
      () => undefined,
    );
    expect(missing).toEqual([]);
    expect(paths.every((path) => path.startsWith(pixelsFolder(other.file)))).toBe(true);
    const again = await openStudy(paths, { standIns });
    expect(again.study.series[0]?.id).toBe(series.id);
    expect(again.study.series[0]?.sourceToPatient).toEqual(series.sourceToPatient);
    renameSync(at('away'), at('images'));
    const [here, there] = [await study.readPixels(series.id), await again.readPixels(series.id)];
    expect(there.data).toEqual(here.data);
    expect(JSON.stringify(again.study.series[0]?.identifiers)).not.toMatch(/Nobody|ID-12345/);
  });

  it('what is not to be found, or can not be cleaned, is told', async () => {
    const project = await create('a');
    await dicomCase(project);
    rmSync(at('images', 'Smith_2.dcm'));
    writeFileSync(at('images', 'Smith_3.dcm'), 'another');
    const { files, leftOut } = await writeArchive(project, at('a.zip'), { pixels: true });
    expect(files).toBe(3);
    expect(leftOut.map(({ name }) => name).sort()).toEqual(['Smith_2.dcm', 'Smith_3.dcm']);
  });

  it('are found again where they were moved to, by size and then by content', async () => {
    const project = await create('a');
    const { caseId } = await dicomCase(project);
    const { sources } = project.case(caseId);
    mkdirSync(at('elsewhere', 'deep'), { recursive: true });
    for (const name of readdirSync(at('images')))
      renameSync(at('images', name), at('elsewhere', 'deep', `x${name}`));
    writeFileSync(at('elsewhere', 'other.txt'), 'no image');
    const search = (where: string | null) => locate(project.db, sources, where, () => undefined);
    expect((await search(null)).missing).toHaveLength(5);
    expect(await search(at('elsewhere'))).toMatchObject({ missing: [], standIns: {} });
    // Remembered from now on.
    expect((await search(null)).missing).toEqual([]);
    const [file] = readdirSync(at('elsewhere', 'deep'));
    const changed = readFileSync(at('elsewhere', 'deep', file ?? ''));
    changed[changed.length - 1] ^= 1;
    writeFileSync(at('elsewhere', 'deep', file ?? ''), changed);
    expect((await search(null)).missing).toHaveLength(1);
  });
});

describe('an archive from elsewhere', () => {
  /** An archive of one run, its members changed, packed by another writer. */
  async function changed(change: (members: Record<string, Uint8Array>) => void): Promise<string> {
    const project = await create('a');
    project.addRun(makeTrace({ runId: 'one' }), 'Thorax');
    await writeArchive(project, at('a.zip'), { pixels: false });
    const zip = await openZip(at('a.zip'));
    const manifest = JSON.parse((await zip.read(manifestName, 1e6)).toString()) as Manifest;
    const log = await zip.read(logName, 1e6);
    const trace = /traces\/[0-9a-f]{64}\.json/.exec(readFileSync(at('a.zip')).toString('latin1'))?.[0] ?? '';
    const members: Record<string, Uint8Array> = {
      [manifestName]: Buffer.from(JSON.stringify(manifest)),
      [logName]: log,
      [trace]: await zip.read(trace, 1e6),
    };
    change(members);
    writeFileSync(at('changed.zip'), zipSync(members as Zippable));
    return at('changed.zip');
  }
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('utf8');
  const withManifest = (change: object) => (members: Record<string, Uint8Array>) => {
    members[manifestName] = Buffer.from(
      JSON.stringify({ ...JSON.parse(text(members[manifestName])), ...change }),
    );
  };
  const image = Buffer.from('image');
  const hash = createHash('sha256').update(image).digest('hex');
  const fileOf = (name: string) => ({ files: [{ sha256: hash, name, bytes: 5, actualSha256: hash }] });

  it('is read when another program packed it', async () => {
    const file = await changed(() => undefined);
    const other = await create('b');
    expect((await importFile(other, file)).report).toMatchObject({ runs: 1 });
  });

  it.each<[string, (members: Record<string, Uint8Array>) => void]>([
    [
      'a name that leads out of the folder',
      (members) => {
        withManifest(fileOf(`pixels/../../${hash}`))(members);
        members[`pixels/../../${hash}`] = image;
      },
    ],
    [
      'an absolute name',
      (members) => {
        withManifest(fileOf('/tmp/readroom-slip'))(members);
        members['/tmp/readroom-slip'] = image;
      },
    ],
    [
      'an image that is another one',
      (members) => {
        withManifest(fileOf(`pixels/${hash}.png`))(members);
        members[`pixels/${hash}.png`] = Buffer.from('other');
      },
    ],
    ['an image that is missing', withManifest(fileOf(`pixels/${hash}.png`))],
    [
      'a changed log',
      (members) => {
        members[logName] = Buffer.from(text(members[logName]).replace('Thorax', 'Another'));
      },
    ],
    [
      'a log cut short',
      (members) => {
        members[logName] = Buffer.from(text(members[logName]).split('\n').slice(0, 1).join('\n'));
      },
    ],
    [
      'a trace that is another one',
      (members) => {
        const name = Object.keys(members).find((one) => one.startsWith('traces/')) ?? '';
        members[name] = Buffer.from(text(members[name]).replace('lesion', 'nodule'));
      },
    ],
    [
      'no manifest',
      (members) => {
        delete members[manifestName];
      },
    ],
    ['a manifest with more in it', withManifest({ more: 1 })],
  ])('is refused with %s, and nothing is taken in', async (_what, change) => {
    const file = await changed(change);
    const other = await create('b');
    const before = other.view(false);
    await expect(importFile(other, file)).rejects.toMatchObject({ code: expect.stringMatching(/^file-/) });
    expect(existsSync('/tmp/readroom-slip')).toBe(false);
    expect(existsSync(join(folder, hash))).toBe(false);
    const images = existsSync(pixelsFolder(other.file)) ? readdirSync(pixelsFolder(other.file)) : [];
    expect(images).toEqual([]);
    expect(other.view(false)).toEqual(before);
  });

  it('of a newer Readroom is told so', async () => {
    const file = await changed(withManifest({ version: 99 }));
    await expect(importFile(await create('b'), file)).rejects.toMatchObject({ code: 'format-unsupported' });
  });

  it('that unpacks to more than it says is stopped', async () => {
    const file = await changed(() => undefined);
    const bytes = readFileSync(file);
    // The size of the log's member in the directory: one byte.
    const place = bytes.lastIndexOf(logName);
    bytes.writeUInt32LE(1, place - 46 + 24);
    writeFileSync(file, bytes);
    await expect(importFile(await create('b'), file)).rejects.toMatchObject({ code: 'file-malformed' });
  });

  it('other files are told apart', async () => {
    const project = await create('a');
    writeFileSync(at('x.txt'), 'hello');
    await expect(importFile(project, at('x.txt'))).rejects.toMatchObject({ code: 'format-unsupported' });
    await expect(importFile(project, at('none'))).rejects.toMatchObject({ code: 'file-not-found' });
    const other = await create('b');
    project.close();
    opened = opened.filter((one) => one !== project);
    await expect(importFile(other, at('a.readroom'))).resolves.toMatchObject({ kind: 'project' });
  });
});

describe('the zip writer', () => {
  it('writes what our own reader and another one read, names in UTF-8', async () => {
    const zip = await ZipWriter.create(at('z.zip'));
    const data = Buffer.from('x'.repeat(10_000));
    await zip.add('ordner/größe.txt', data);
    await zip.add('empty', new Uint8Array());
    await zip.add('stored', Buffer.from([1, 2, 3]), false);
    await zip.finish();
    const read = await openZip(at('z.zip'));
    expect((await read.read('ordner/größe.txt', 1e6)).equals(data)).toBe(true);
    expect(await read.read('empty', 1e6)).toHaveLength(0);
    await expect(read.read('ordner/größe.txt', 9_999)).rejects.toMatchObject({ code: 'file-too-large' });
    const theirs = unzipSync(readFileSync(at('z.zip')));
    expect(Buffer.from(theirs['ordner/größe.txt'] ?? []).equals(data)).toBe(true);
    expect(theirs.stored).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('goes on beyond 65,535 members', async () => {
    const zip = await ZipWriter.create(at('many.zip'));
    for (let n = 0; n < 66_000; n++) await zip.add(`m/${n}`, Buffer.from(String(n)), false);
    await zip.finish();
    const read = await openZip(at('many.zip'));
    expect((await read.read('m/65999', 10)).toString()).toBe('65999');
  }, 60_000);
});
