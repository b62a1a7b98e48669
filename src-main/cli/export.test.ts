/** The built `export`, as a person runs it. `npm test` builds out/ first. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serializeTrace } from '../../src-contract/trace.ts';
import { makeRun, reviewOf } from '../exports/testing/cases.ts';
import { writeFixture } from '../storage/project/testing/fixture.ts';

const root = resolve(import.meta.dirname, '../..');
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-cli-export-'));
  const run = await makeRun('oblique', join(folder, 'source'));
  writeFileSync(join(folder, 'run.json'), serializeTrace(run.trace));
  writeFileSync(join(folder, 'review.json'), JSON.stringify(reviewOf(run)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function readroom(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const options = { cwd: folder, env: { ...process.env, READROOM_ELECTRON: '' } };
    execFile(
      process.execPath,
      [join(root, 'out', 'main', 'cli.js'), ...args],
      options,
      (error, stdout, stderr) => done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

it('writes the formats that are asked for, and tells what was left out', async () => {
  const args = ['export', 'run.json', '--review', 'review.json', '--format', 'dicom-sr,csv,pdf', '--json'];
  const { code, stdout } = await readroom(...args, '--out', 'out');
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ out: 'out', runs: 1, files: 2 });
  expect(result.skipped).toEqual([expect.objectContaining({ format: 'pdf' })]);
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['csv', 'dicom-sr']);
  expect(readFileSync(join(folder, 'out', 'csv', 'boxes.csv'), 'utf8')).toContain('missed nodule');

  const again = await readroom(...args, '--out', 'out');
  expect(again.code).toBe(3);
  expect(again.stderr).toContain('holds dicom-sr, csv already');
  expect((await readroom(...args, '--out', 'out', '--replace')).code).toBe(0);
});

it('finds pixels that were moved', async () => {
  const moved = join(folder, 'moved.json');
  const text = readFileSync(join(folder, 'run.json'), 'utf8').replaceAll(join(folder, 'source'), '/was/here');
  writeFileSync(moved, text);
  const args = ['export', moved, '--format', 'coco', '--json'];
  expect(JSON.parse((await readroom(...args, '--out', 'lost')).stdout).skipped).toHaveLength(1);
  const found = await readroom(...args, '--out', 'found', '--source', 'source');
  expect(JSON.parse(found.stdout).skipped).toEqual([]);
});

it('refuses what it can not use, and writes nothing', async () => {
  const none = await readroom('export', 'run.json', '--format', 'pdf', '--out', 'no');
  expect(none.code).toBe(3);
  expect(none.stderr).toContain('Nothing was exported: PDF is printed by Electron');
  const unknown = await readroom('export', 'run.json', '--format', 'word', '--out', 'no');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("'word' is none of trace, unimed-cot");
  writeFileSync(join(folder, 'bad.json'), '{"format":"readroom-trace"');
  const bad = await readroom('export', 'run.json', 'bad.json', '--format', 'csv', '--out', 'no');
  expect(bad.code).toBe(3);
  expect(bad.stderr).toContain('bad.json');
  const twice = await readroom('export', 'run.json', 'run.json', '--format', 'csv', '--out', 'no');
  expect(twice.stderr).toContain('of the same run');
  expect(existsSync(join(folder, 'no'))).toBe(false);
});

it('a project: all of it, one reader’s corrections, one case; the file is left as it is', async () => {
  const project = join(folder, 'fixture.readroom');
  await writeFixture(project);
  const before = readFileSync(project);
  const all = await readroom(
    'export',
    project,
    '--format',
    'csv,trace',
    '--reader',
    'Ben',
    '--json',
    '--out',
    'p1',
  );
  expect(all.code).toBe(0);
  expect(JSON.parse(all.stdout)).toMatchObject({ runs: 3, skipped: [] });
  expect(readFileSync(join(folder, 'p1', 'csv', 'boxes.csv'), 'utf8')).toContain('rejected');
  const one = await readroom(
    'export',
    project,
    '--format',
    'csv',
    '--case',
    'Thorax',
    '--json',
    '--out',
    'p2',
  );
  expect(JSON.parse(one.stdout)).toMatchObject({ runs: 2 });
  const nobody = await readroom('export', project, '--format', 'csv', '--reader', 'Zoe', '--out', 'p3');
  expect(nobody.code).toBe(3);
  expect(nobody.stderr).toContain('Readers: Anna, Ben');
  expect(readFileSync(project).equals(before)).toBe(true);
});
