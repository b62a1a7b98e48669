/** The built commands on projects, as a person runs them. `npm test` builds out/ first. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serializeTrace } from '../../src-contract/trace.ts';
import { Project } from '../storage/project/project.ts';
import { writeLargeProject } from '../storage/project/testing/large-project.ts';
import { makeTrace } from '../storage/project/testing/make-trace.ts';

const cli = resolve(import.meta.dirname, '../../out/main/cli.js');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-cli-project-'));
  for (const n of [1, 2]) {
    writeFileSync(at(`${n}.json`), serializeTrace(makeTrace({ runId: `run-${n}`, pixels: `pixels-${n}` })));
  }
  writeFileSync(at('bad.json'), '{"format":"readroom-trace","version":1}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

function readroom(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [cli, ...args], { cwd: folder }, (error, stdout, stderr) => {
      const code = error && typeof error.code === 'number' ? error.code : error ? -1 : 0;
      done({ code, stdout, stderr });
    });
  });
}

describe('projects on the command line', () => {
  it('import: makes the project, takes traces in once, tells of the bad one and goes on', async () => {
    const first = await readroom(
      'import',
      '1.json',
      'bad.json',
      '2.json',
      '--project',
      'a.readroom',
      '--json',
    );
    expect(first.code).toBe(3);
    expect(JSON.parse(first.stdout).results).toMatchObject([
      { file: '1.json', kind: 'trace', runId: 'run-1', added: true },
      { file: 'bad.json', kind: 'failed', error: { code: 'file-malformed' } },
      { file: '2.json', kind: 'trace', runId: 'run-2', added: true },
    ]);
    const again = await readroom('import', '1.json', '--project', 'a.readroom');
    expect(again).toMatchObject({ code: 0, stdout: '1.json: run run-1 (was there already)\n' });
  });

  it('import: leaves no new project where nothing could be taken in', async () => {
    expect((await readroom('import', 'bad.json', '--project', 'none.readroom')).code).toBe(3);
    expect(existsSync(at('none.readroom'))).toBe(false);
  });

  it('project: lists what is there and says whether the log adds up', async () => {
    const { code, stdout } = await readroom('project', 'a.readroom');
    expect(code).toBe(0);
    expect(stdout).toContain('2 cases, 2 runs');
    expect(stdout).toContain('its hashes add up');
    const told = JSON.parse((await readroom('project', 'a.readroom', '--json', '--text', 'pixels-2')).stdout);
    expect(told).toMatchObject({
      title: 'a',
      cases: [{ title: 'pixels-2.nii', runs: 1 }],
      log: { broken: null },
    });
  });

  it('merge: into a new project, or into the first; what two machines changed is told', async () => {
    const marks = async (name: string, after: string) => {
      const project = Project.open(at(name), {
        reader: { readerId: 'anna', name: 'Anna', role: 'reader' },
        trusted: true,
      });
      project.edit([{ kind: 'comment', runId: 'run-1', readerId: 'anna', before: null, after }]);
      project.close();
    };
    writeFileSync(at('b.readroom'), readFileSync(at('a.readroom')));
    await marks('a.readroom', 'here');
    await marks('b.readroom', 'there');
    const before = readFileSync(at('a.readroom'));
    const merged = await readroom('merge', 'a.readroom', 'b.readroom', '--out', 'c.readroom', '--json');
    expect(merged.code).toBe(0);
    expect(JSON.parse(merged.stdout).merged).toMatchObject([
      { file: 'a.readroom', report: { cases: 2, runs: 2, conflicts: [] } },
      {
        file: 'b.readroom',
        report: { cases: 0, runs: 0, conflicts: [{ kept: '"there"', outrun: '"here"' }] },
      },
    ]);
    expect(readFileSync(at('a.readroom')).equals(before)).toBe(true);
    const into = await readroom('merge', 'a.readroom', 'b.readroom');
    expect(into.code).toBe(0);
    expect(into.stderr).toContain('changed on both sides');
    expect((await readroom('merge', 'a.readroom', 'b.readroom')).stdout).toBe('b.readroom: Nothing new.\n');
  });

  it('archive: one file, taken in by import', async () => {
    expect((await readroom('archive', 'c.readroom', 'c.readroom.zip')).stdout).toContain(
      '2 runs, 0 image files',
    );
    const { code, stdout } = await readroom('import', 'c.readroom.zip', '--project', 'd.readroom', '--quiet');
    expect(code).toBe(0);
    expect(stdout).toMatch(/2 cases, 2 runs, 1 reader/);
  });

  // Windows has no signal that another program could send.
  describe.skipIf(process.platform === 'win32')('stopped with Ctrl+C', () => {
    /** @returns once it has ended, with a signal sent as soon as stderr says `when` */
    function interrupted(when: RegExp, ...args: string[]) {
      return new Promise<{ code: number | null; stderr: string }>((done) => {
        const child = spawn(process.execPath, [cli, ...args], { cwd: folder });
        let stderr = '';
        let sent = false;
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          stderr += text;
          if (sent || !when.test(stderr)) return;
          sent = true;
          child.kill('SIGINT');
        });
        child.on('close', (code) => done({ code, stderr }));
      });
    }
    const state = async (name: string) => (await readroom('project', name, '--json')).stdout;
    const anna = { readerId: 'anna', name: 'Anna', role: 'reader' } as const;
    beforeAll(() => writeLargeProject(at('large.readroom'), anna));

    it.each([
      ['import', /Importing 20%/, ['large.readroom', '--project', 'a.readroom']],
      ['merge into the first', /Merging large.readroom 60%/, ['a.readroom', 'large.readroom']],
    ])('%s: exit code 130, the project as it was', async (command, when, args) => {
      const before = await state('a.readroom');
      const { code, stderr } = await interrupted(when, command.split(' ')[0] ?? '', ...args);
      expect(stderr).toContain('Stopped; nothing was changed.');
      expect(code).toBe(130);
      expect(await state('a.readroom')).toBe(before);
    });

    it.each([
      [
        'merge',
        /Merging large.readroom 60%/,
        ['a.readroom', 'large.readroom', '--out', 'new.readroom'],
        'new',
      ],
      ['import', /Importing 60%/, ['large.readroom', '--project', 'new.readroom'], 'new'],
      ['archive', /Writing 20%/, ['large.readroom', 'new.readroom.zip'], 'new'],
    ])('%s: exit code 130, and no new file', async (command, when, args, name) => {
      const { code } = await interrupted(when, command, ...args);
      expect(code).toBe(130);
      expect(readdirSync(folder).filter((one) => one.startsWith(name))).toEqual([]);
    });
  });

  it.each([
    ['a project that is not there', ['project', 'none.readroom'], 3],
    ['a trace in place of a project', ['merge', '1.json', '2.json'], 3],
    ['one project alone', ['merge', 'a.readroom'], 3],
    ['no project named', ['import', '1.json'], 2],
    ['a new project over an old one', ['merge', 'a.readroom', '--out', 'c.readroom'], 3],
  ])('%s is refused', async (_what, args, expected) => {
    const { code, stderr } = await readroom(...args);
    expect(code).toBe(expected);
    expect(stderr).not.toBe('');
  });

  it('a merge that fails leaves no new project behind', async () => {
    const { code } = await readroom('merge', 'a.readroom', 'bad.json', '--out', 'e.readroom');
    expect(code).toBe(3);
    expect(existsSync(at('e.readroom'))).toBe(false);
    expect(existsSync(at('a.readroom'))).toBe(true);
  });
});
