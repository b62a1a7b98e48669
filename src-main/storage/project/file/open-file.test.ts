import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { caseFilterSchema, projectVersion, type Reader } from '../../../../src-contract/project.ts';
import { seededRandom } from '../../../engine/decode/random.ts';
import { findBreakIn } from '../log/log.ts';
import { Project } from '../project.ts';
import { listCases } from '../queries.ts';
import { reviewedRun, reviewsFor } from '../reviews.ts';
import { makeTrace } from '../testing/make-trace.ts';
import { checkSchema } from './schema.ts';

const fixtures = join(import.meta.dirname, '../../../../fixtures/projects');
const anna: Reader = { readerId: 'reader-anna', name: 'Anna', role: 'reader' };
const ben: Reader = { readerId: 'reader-ben', name: 'Ben', role: 'reader' };
const all = { filter: caseFilterSchema.parse({}), sort: 'title', offset: 0, limit: 50 } as const;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-open-'));
  file = join(folder, 'project.readroom');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (trusted: boolean, reader = anna) => Project.open(file, { reader, trusted });

/** Changes the file as another program could. */
function meddle(sql: string): void {
  const db = new Libsql(file);
  db.exec(sql);
  db.close();
}

describe('an earlier version', () => {
  const versions = readdirSync(fixtures).flatMap((name) => /^version-(\d+)\.readroom$/.exec(name)?.[1] ?? []);

  it('has a fixture each', () => {
    expect(versions.map(Number).sort()).toEqual(Array.from({ length: projectVersion - 1 }, (_, n) => n + 1));
  });

  it.each(versions)('%s is brought up to date, with a copy beside it', (version) => {
    copyFileSync(join(fixtures, `version-${version}.readroom`), file);
    const before = readFileSync(file);
    const project = open(true);
    expect(checkSchema(project.db)).toBe(projectVersion);
    expect(findBreakIn(project.db)).toBeNull();
    expect(readFileSync(`${file}.version-${version}.bak`).equals(before)).toBe(true);
    expect(listCases(project.db, anna, all).rows.map(({ title, runs, note }) => [title, runs, note])).toEqual(
      [
        ['Schädel', 1, 'A note.'],
        ['Thorax', 2, ''],
      ],
    );
    const { own, others } = reviewsFor(project.db, 'volume', project.reader);
    expect(own).toMatchObject({ verdicts: { 0: { decision: 'accept' } }, comment: '' });
    expect(others[0]).toMatchObject({ readerId: 'reader-ben', boxes: { 1: { min: [5.5, 8.5, 1.5] } } });
    expect(reviewedRun(project.db, 'volume')?.steps).toHaveLength(3);
    // What could be undone can still be.
    expect(project.redo()?.runs).toEqual(new Set(['volume']));
    project.close();
    expect(open(true).history().undo?.label).toBe('comment');
  });

  it('goes over no copy that was made before', () => {
    copyFileSync(join(fixtures, 'version-1.readroom'), file);
    writeFileSync(`${file}.version-1.bak`, 'an older copy');
    open(true).close();
    expect(readFileSync(`${file}.version-1.bak`, 'utf8')).toBe('an older copy');
    const copy = readFileSync(`${file}.version-1-2.bak`);
    expect(copy.equals(readFileSync(join(fixtures, 'version-1.readroom')))).toBe(true);
  });
});

describe('a file that is refused', () => {
  it('is of a newer Readroom', async () => {
    (await Project.create(file, 'Study', anna)).close();
    meddle(`PRAGMA user_version = ${projectVersion + 1}`);
    expect(() => open(true)).toThrow(
      expect.objectContaining({ code: 'format-unsupported', message: expect.stringContaining('newer') }),
    );
  });

  it.each([
    ['no database', Buffer.from('not a database, whatever its name says')],
    ['empty', Buffer.alloc(0)],
    ['cut in its header', Buffer.from('SQLite format 3\0')],
  ])('is %s', (_what, bytes) => {
    writeFileSync(file, bytes);
    expect(() => open(false)).toThrow(expect.objectContaining({ code: 'file-malformed' }));
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it('is not there, and is not made', () => {
    expect(() => open(true)).toThrow(expect.objectContaining({ code: 'file-not-found' }));
    expect(existsSync(file)).toBe(false);
  });

  it("is another program's database", () => {
    meddle('CREATE TABLE notes (text TEXT)');
    expect(() => open(true)).toThrow(expect.objectContaining({ code: 'file-malformed' }));
  });

  it.each([
    ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM log; END'],
    ['a view in place of a table', 'DROP TABLE places; CREATE VIEW places AS SELECT 1 AS sha256'],
    ['one more table', 'CREATE TABLE more (x)'],
    ['one column more', 'ALTER TABLE log ADD COLUMN more TEXT'],
    ['a missing index', 'DROP INDEX log_order'],
  ])('holds %s', async (_what, sql) => {
    (await Project.create(file, 'Study', anna)).close();
    meddle(sql);
    for (const trusted of [true, false]) {
      expect(() => open(trusted)).toThrow(expect.objectContaining({ code: 'file-malformed' }));
    }
  });

  it('is cut, or damaged in the middle', async () => {
    const project = await Project.create(file, 'Study', anna);
    for (let n = 0; n < 20; n++)
      project.addRun(makeTrace({ runId: `run-${n}`, pixels: `p${n}` }), `Case ${n}`);
    project.close();
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length >> 1));
    expect(() => open(false)).toThrow(expect.objectContaining({ code: 'file-malformed' }));
    const holed = Buffer.from(whole);
    holed.fill(0xff, whole.length >> 1, (whole.length >> 1) + 8_192);
    writeFileSync(file, holed);
    expect(() => open(false)).toThrow(expect.objectContaining({ code: 'file-malformed' }));
  });
});

describe('a log that was tampered with', () => {
  beforeEach(async () => {
    const project = await Project.create(file, 'Study', anna);
    project.addRun(makeTrace({ runId: 'run' }), 'Thorax');
    const verdict = { decision: 'accept', reasons: [], comment: '' } as const;
    project.edit([
      {
        kind: 'verdict',
        runId: 'run',
        readerId: anna.readerId,
        step: 0,
        before: null,
        after: { ...verdict, reasons: [] },
      },
    ]);
    project.edit([{ kind: 'comment', runId: 'run', readerId: anna.readerId, before: null, after: 'one' }]);
    project.close();
    const again = open(true, ben);
    again.edit([{ kind: 'comment', runId: 'run', readerId: ben.readerId, before: null, after: 'two' }]);
    again.close();
  });

  it.each([
    ['another word', `UPDATE log SET body = replace(body, '"accept"', '"reject"')`],
    ['another time', 'UPDATE log SET at = at - 1 WHERE id = 5'],
    ['another reader', "UPDATE log SET reader_id = 'reader-ben' WHERE reader_id = 'reader-anna'"],
    ['an entry less', 'DELETE FROM subjects WHERE log_id = 5; DELETE FROM log WHERE id = 5'],
    [
      'the last entries of a machine less',
      `DELETE FROM subjects WHERE log_id IN (SELECT id FROM log WHERE reader_id = 'reader-anna' AND type = 'edited');
       DELETE FROM log WHERE reader_id = 'reader-anna' AND type = 'edited'`,
    ],
    ['a number that is none', 'UPDATE log SET seq = 0 WHERE seq = 1'],
    ['a body that is no JSON', "UPDATE log SET body = 'x' WHERE id = 4"],
    ['a body of another shape', `UPDATE log SET body = '{"type":"edited"}' WHERE id = 4`],
    ['a clock far in the future', 'UPDATE log SET at = 9000000000000000 WHERE id = 6'],
    ['an entry larger than any', 'UPDATE log SET body = zeroblob(70000000) || body WHERE id = 4'],
    ['a trace less', 'PRAGMA foreign_keys = OFF; DELETE FROM traces'],
  ])('is found: %s', (_what, sql) => {
    expect(findBreakIn(open(true).db)).toBeNull();
    meddle(sql);
    expect(() => open(false)).toThrow(
      expect.objectContaining({
        code: 'file-malformed',
        message: expect.stringContaining('does not add up'),
      }),
    );
  });

  it('lists that say something else than the log are made anew', () => {
    meddle(`UPDATE registers SET value = '"forged"' WHERE kind = 'comment';
            UPDATE cases SET title = 'forged'; UPDATE log SET label = 'forged', undoes = 'x';
            INSERT INTO places (sha256, path, member) VALUES ('${'0'.repeat(64)}', '/etc/passwd', NULL)`);
    const project = open(false);
    expect(reviewsFor(project.db, 'run', anna).own.comment).toBe('one');
    expect(listCases(project.db, anna, all).rows[0]?.title).toBe('Thorax');
    expect(project.history().undo?.label).toBe('comment');
    expect(project.db.all('SELECT * FROM places')).toEqual([]);
    project.close();
  });

  it('a trace that is not what its hash says is refused when it is read', () => {
    meddle("UPDATE traces SET deflated = x'030000'");
    const project = open(true);
    expect(() => project.trace('run')).toThrow(expect.objectContaining({ code: 'file-malformed' }));
    project.close();
    expect(() => open(false)).toThrow(expect.objectContaining({ code: 'file-malformed' }));
  });

  it('a trace that unpacks to more than it says is stopped', () => {
    meddle('UPDATE traces SET bytes = 10');
    const project = open(true);
    expect(() => project.trace('run')).toThrow(expect.objectContaining({ code: 'file-malformed' }));
    project.close();
  });
});

describe('bytes changed at random', () => {
  it('are refused with a typed error, or change nothing that counts', () => {
    const whole = readFileSync(join(fixtures, 'version-1.readroom'));
    const random = seededRandom(3);
    const outcomes = { refused: 0, opened: 0 };
    for (let n = 0; n < 120; n++) {
      const bytes = Buffer.from(whole);
      // From a bit in a header to a page of rubbish.
      const length = 1 + Math.floor(random() ** 4 * 4_096);
      const at = Math.floor(random() * (bytes.length - length));
      for (let k = at; k < at + length; k++) bytes[k] = Math.floor(random() * 256);
      const file = join(folder, `mutant-${n}.readroom`);
      writeFileSync(file, bytes);
      try {
        const project = Project.open(file, { reader: anna, trusted: false });
        expect(findBreakIn(project.db)).toBeNull();
        expect(project.trace('volume').question).toBe('Where is the lesion?');
        expect(reviewsFor(project.db, 'volume', ben).own.comment).toBe('Read by reader-ben.');
        project.close();
        outcomes.opened++;
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'ReadroomError', code: expect.not.stringMatching('internal') });
        outcomes.refused++;
      }
    }
    expect(Math.min(outcomes.refused, outcomes.opened)).toBeGreaterThan(20);
  }, 60_000);
});
