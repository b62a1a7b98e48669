import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settingsSchema } from '../../src-contract/channels.ts';
import { samples } from '../study/samples.ts';
import { JsonStore } from './json-store.ts';
import { RecentStudies } from './studies/recent-studies.ts';
import { pathsOf } from './studies/start-paths.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-stores-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('JsonStore', () => {
  it('keeps what it was given last, and falls back where the file is damaged', async () => {
    const file = join(folder, 'new', 'settings.json');
    const defaults = settingsSchema.parse({});
    const store = new JsonStore(file, settingsSchema, defaults);
    await Promise.all([
      store.set({ ...defaults, theme: 'light' }),
      store.set({ ...defaults, theme: 'light', seed: 7 }),
    ]);
    expect(new JsonStore(file, settingsSchema, defaults).value).toMatchObject({ theme: 'light', seed: 7 });
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20));
    expect(new JsonStore(file, settingsSchema, defaults).value).toEqual(defaults);
  });
});

describe('RecentStudies', () => {
  it('lists the newest first, each once, twelve at most, without paths', async () => {
    const file = join(folder, 'recent.json');
    const recent = new RecentStudies(file);
    for (let i = 0; i < 14; i++) await recent.add({ paths: [join(folder, `${i}`)] }, `study ${i}`);
    await recent.add({ paths: [join(folder, '5')] }, 'study 5');
    const list = new RecentStudies(file).list();
    expect(list.map(({ title }) => title).slice(0, 3)).toEqual(['study 5', 'study 13', 'study 12']);
    expect(list).toHaveLength(12);
    expect(JSON.stringify(list)).not.toContain(folder);
    expect(recent.source(list[0].id).paths).toEqual([join(folder, '5')]);
    expect(() => recent.source('none')).toThrow();
  });

  it('marks what is not there any more', async () => {
    const recent = new RecentStudies(join(folder, 'recent.json'));
    await recent.add({ paths: [folder] }, 'here');
    await recent.add({ paths: [join(folder, 'gone')] }, 'gone');
    expect(recent.list().map(({ title, missing }) => [title, missing])).toEqual([
      ['gone', true],
      ['here', false],
    ]);
  });
});

it('finds the bundled case and its questions', () => {
  const [sample] = samples();
  expect(sample.synthetic).toBe(true);
  expect(sample.questions[0].options.A).toBeTypeOf('string');
});

it('takes existing files from the command line, and no switches', () => {
  writeFileSync(join(folder, 'a.nii'), '');
  const argv = ['electron', '/program', '--no-sandbox', 'a.nii', 'missing.nii', ''];
  expect(pathsOf(argv, folder, false)).toEqual([join(folder, 'a.nii')]);
  expect(pathsOf(['Readroom', 'a.nii'], folder, true)).toEqual([join(folder, 'a.nii')]);
});
