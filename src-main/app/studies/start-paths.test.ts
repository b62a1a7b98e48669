import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pathsOf } from './start-paths.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-argv-'));
  writeFileSync(join(folder, 'a.nii'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('never takes the program’s own folder for a study, wherever the switches stand', () => {
  expect(pathsOf(['electron', '--no-sandbox', '--x=1', folder, 'a.nii'], folder, false)).toEqual([
    join(folder, 'a.nii'),
  ]);
  expect(pathsOf(['electron', folder, '--no-sandbox'], folder, false)).toEqual([]);
});

it('takes every path of a packaged program, and only what is there', () => {
  expect(pathsOf(['readroom', 'a.nii', '--flag', 'gone.nii', ''], folder, true)).toEqual([
    join(folder, 'a.nii'),
  ]);
});
