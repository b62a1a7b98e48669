/** Long work stopped at any moment: the project, and what lies beside it, is as it was, and the work can be done again. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Reader } from '../../../src-contract/project.ts';
import { pixelsFolder } from './archive/read-archive.ts';
import { writeArchive } from './archive/write-archive.ts';
import { Database } from './file/database.ts';
import { openFile } from './file/open-file.ts';
import { allAtOnce, inTurns, type Steps } from './file/steps.ts';
import { importFile } from './import-file.ts';
import { findBreakIn, sha256Of } from './log/log.ts';
import { Project } from './project.ts';
import { writeFixture } from './testing/fixture.ts';
import { makeTrace } from './testing/make-trace.ts';

const anna: Reader = { readerId: 'anna', name: 'Anna', role: 'reader' };
const ben: Reader = { readerId: 'ben', name: 'Ben', role: 'reader' };
const fixtures = join(import.meta.dirname, '../../../fixtures');

let folder: string;
let temporary: string;
const opened: Project[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-cancel-'));
  temporary = join(folder, 'temporary');
  mkdirSync(temporary);
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, temporary);
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const project of opened.splice(0)) project.close();
  rmSync(folder, { recursive: true, force: true });
});
const at = (name: string) => join(folder, name);
const keep = (project: Project): Project => {
  opened.push(project);
  return project;
};

/** Every table but SQLite's own: log, traces and places too. */
function everything(db: Database): string {
  const tables = db.all<{ name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  const plain = (key: string, value: unknown): unknown => {
    if (key === '_metadata') return undefined;
    return value instanceof Uint8Array ? sha256Of(value) : value;
  };
  return JSON.stringify(
    tables.map(({ name }) => [
      name,
      db
        .all(`SELECT * FROM ${name}`)
        .map((row) => JSON.stringify(row, plain))
        .sort(),
    ]),
  );
}

function expectSound(db: Database): void {
  expect(db.pragma('integrity_check')).toBe('ok');
  expect(findBreakIn(db)).toBeNull();
}

/** The first `n` steps, then what cancelling does. @returns false where the work was over before */
function stopAfter(steps: Steps<unknown>, n: number): boolean {
  for (let step = 0; step < n; step++) if (steps.next().done) return false;
  expect(() => steps.throw(new ReadroomError('cancelled', 'Stopped.'))).toThrow(
    expect.objectContaining({ code: 'cancelled' }),
  );
  return true;
}

function countOf(steps: Steps<unknown>): number {
  for (let n = 0; ; n++) if (steps.next().done) return n;
}

/** A project with reviews, and a copy of it that went on for itself. */
async function apart(): Promise<Project> {
  const first = await Project.create(at('a.readroom'), 'Study', anna);
  first.addRun(makeTrace({ runId: 'one', steps: 3 }), 'Thorax');
  first.close();
  copyFileSync(at('a.readroom'), at('b.readroom'));
  copyFileSync(at('a.readroom'), at('base.readroom'));
  const other = Project.open(at('b.readroom'), { reader: ben, trusted: true });
  for (let n = 0; n < 6; n++) {
    other.addRun(makeTrace({ runId: `more-${n}`, pixels: `pixels-${n}` }), `Case ${n}`);
    other.edit([{ kind: 'comment', runId: `more-${n}`, readerId: 'ben', before: null, after: `n ${n}` }]);
  }
  other.close();
  const project = keep(Project.open(at('a.readroom'), { reader: anna, trusted: true }));
  project.edit([{ kind: 'comment', runId: 'one', readerId: 'anna', before: null, after: 'seen' }]);
  return project;
}

describe('work that is stopped', () => {
  it('a merge: the project is as it was, and in use, and the next merge brings everything', async () => {
    const project = await apart();
    const source = readFileSync(at('b.readroom'));
    const base = Project.open(at('base.readroom'), { reader: anna, trusted: true });
    const total = countOf(base.mergeFile(at('b.readroom')));
    base.close();
    expect(total).toBeGreaterThan(50);
    let comment = 'seen';
    fc.assert(
      fc.property(fc.integer({ min: 0, max: total - 1 }), (n) => {
        const before = everything(project.db);
        expect(stopAfter(project.mergeFile(at('b.readroom')), n)).toBe(true);
        expect(everything(project.db)).toBe(before);
        expectSound(project.db);
        expect(readdirSync(temporary)).toEqual([]);
        const after = `${comment}.`;
        project.edit([{ kind: 'comment', runId: 'one', readerId: 'anna', before: comment, after }]);
        comment = after;
      }),
      { numRuns: 25, examples: [[0], [total - 1]] },
    );
    expect(allAtOnce(project.mergeFile(at('b.readroom'))).report).toMatchObject({ runs: 6, readers: 1 });
    expectSound(project.db);
    expect(readFileSync(at('b.readroom')).equals(source)).toBe(true);
  });

  it('an archive taken in: no trace, no image and no folder stays of it', async () => {
    const bytes = readFileSync(join(fixtures, 'volumes/oblique-int16.nii.gz'));
    writeFileSync(at('volume.nii.gz'), bytes);
    const project = await apart();
    const other = keep(Project.open(at('b.readroom'), { reader: ben, trusted: true }));
    const sources = [{ path: at('volume.nii.gz'), bytes: bytes.length, sha256: sha256Of(bytes) }];
    other.addRun(makeTrace({ runId: 'imaged', pixels: 'imaged', sources }), 'Imaged');
    expect(await writeArchive(other, at('b.zip'), { pixels: true })).toMatchObject({ files: 1 });
    const before = everything(project.db);
    let calls = 0;
    for (let n = 1; ; n++) {
      const stop = new AbortController();
      calls = 0;
      const onProgress = (): void => {
        if (++calls === n) stop.abort();
      };
      const taking = importFile(project, at('b.zip'), { signal: stop.signal, onProgress });
      const cancelled = await taking.then(
        () => false,
        (thrown: ReadroomError) => thrown.code === 'cancelled',
      );
      if (!cancelled) break;
      expect(everything(project.db)).toBe(before);
      expectSound(project.db);
      expect(existsSync(pixelsFolder(project.file))).toBe(false);
    }
    // Too late is too late: the last one came in whole.
    expect(calls).toBeGreaterThan(7);
    expect(project.view(false).counts).toMatchObject({ runs: 8 });
    expect(readdirSync(pixelsFolder(project.file))).toHaveLength(1);
    expectSound(project.db);
  });

  it('an archive being written: no file, or the old one', async () => {
    const project = await apart();
    for (let n = 0; n < 5; n++) project.addRun(makeTrace({ runId: `own-${n}` }), 'Thorax');
    const names = readdirSync(folder).sort();
    for (let n = 1; n <= 7; n++) {
      const stop = new AbortController();
      let calls = 0;
      const writing = writeArchive(project, at('a.zip'), {
        pixels: true,
        signal: stop.signal,
        onProgress: () => ++calls === n && stop.abort(),
      });
      await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
      expect(readdirSync(folder).sort()).toEqual(names);
    }
    expect(await writeArchive(project, at('a.zip'), { pixels: true })).toMatchObject({ runs: 6 });
  });

  it.each([
    ['a project of this version', null],
    ['an older one', 1],
  ])(
    'the check at the opening of %s: the file has what it had, and opens the next time',
    async (_, version) => {
      const file = at('foreign.readroom');
      if (version === null) await writeFixture(file);
      else copyFileSync(join(fixtures, `projects/version-${version}.readroom`), file);
      const read = (): string => {
        const db = new Database(file);
        try {
          return everything(db);
        } finally {
          db.close();
        }
      };
      const before = read();
      copyFileSync(file, at('count.readroom'));
      const total = countOf(openFile(at('count.readroom'), { trusted: false }));
      rmSync(at('count.readroom'));
      for (const name of readdirSync(folder)) if (name.endsWith('.bak')) rmSync(at(name));
      const names = readdirSync(folder).sort();
      for (let n = 0; n < total; n++) {
        expect(stopAfter(openFile(file, { trusted: false }), n)).toBe(true);
        expect(readdirSync(folder).sort()).toEqual(names);
        expect(read()).toBe(before);
      }
      const project = keep(await Project.openInTurns(file, { reader: anna, trusted: false }));
      expect(project.view(false).counts).toMatchObject({ cases: 2, runs: 3 });
      expectSound(project.db);
    },
  );
});

describe('turns', () => {
  it('a signal is heard between two of them, and what has ended stays done', async () => {
    const stop = new AbortController();
    let undone = false;
    function* endless(): Steps<void> {
      try {
        for (;;) yield;
      } finally {
        undone = true;
      }
    }
    setTimeout(() => stop.abort(), 10);
    await expect(inTurns(endless(), stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(undone).toBe(true);
    const late = new AbortController();
    function* short(): Steps<string> {
      yield;
      late.abort();
      return 'done';
    }
    expect(await inTurns(short(), late.signal)).toBe('done');
  });

  it('nobody gets into a transaction that pauses', async () => {
    const project = await apart();
    const merging = project.mergeFile(at('b.readroom'));
    while (!project.db.paused) if (merging.next().done) throw new Error('it never paused');
    const edit = { kind: 'comment', runId: 'one', readerId: 'anna', before: 'seen', after: 'x' } as const;
    expect(() => project.edit([edit])).toThrow(expect.objectContaining({ code: 'internal' }));
    allAtOnce(merging);
    expect(() => project.edit([edit])).not.toThrow();
  });
});
