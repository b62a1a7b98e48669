import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reader } from '../../../src-contract/project.ts';
import {
  applyEdits,
  type Edit,
  emptyReview,
  registerKey,
  type Verdict,
} from '../../../src-contract/review.ts';
import { checkLog } from './file/check-log.ts';
import { rebuild } from './file/rebuild.ts';
import { allAtOnce } from './file/steps.ts';
import { findBreakIn } from './log/log.ts';
import { Project } from './project.ts';
import { registerValue, reviewsIn, veilConflicts } from './reviews.ts';
import { makeTrace } from './testing/make-trace.ts';

const anna: Reader = { readerId: 'anna', name: 'Anna', role: 'reader' };
const ben: Reader = { readerId: 'ben', name: 'Ben', role: 'reader' };

let folder: string;
let opened: Project[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-merge-test-'));
});
afterEach(() => {
  for (const project of opened.splice(0)) project.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, `${name}.readroom`);
const keep = (project: Project): Project => {
  opened.push(project);
  return project;
};
const open = (name: string, reader = anna) => keep(Project.open(path(name), { reader, trusted: true }));
const close = (project: Project): void => {
  project.close();
  opened = opened.filter((one) => one !== project);
};

/** Everything that follows from the log, and the log itself, without what is of one file alone. */
function contents({ db }: Project) {
  return {
    registers: db.all('SELECT key, value, at, replica, seq FROM registers ORDER BY key'),
    cases: db.all('SELECT * FROM cases JOIN case_bodies USING (case_id) ORDER BY case_id'),
    runs: db.all('SELECT * FROM runs ORDER BY run_id'),
    readers: db.all('SELECT * FROM readers ORDER BY reader_id'),
    progress: db.all('SELECT * FROM progress ORDER BY reader_id, run_id'),
    steps: db.all('SELECT * FROM steps ORDER BY run_id, step'),
    entries: db.all("SELECT replica, seq, hash FROM log WHERE type <> 'merged' ORDER BY hash"),
    traces: db.all('SELECT sha256 FROM traces ORDER BY sha256'),
  };
}

/** Rows carry the time that the driver took. */
const plain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (key, one) => (key === '_metadata' ? undefined : one)));

const verdict = (decision: Verdict['decision']): Verdict => ({ decision, reasons: [], comment: '' });
const mark = (project: Project, step: number, decision: Verdict['decision'], runId = 'one') => {
  const edit: Edit = {
    kind: 'verdict',
    runId,
    readerId: project.reader.readerId,
    step,
    before: null,
    after: verdict(decision),
  };
  const before = registerValue(project.db, edit) as Verdict | null;
  return project.edit([{ ...edit, before }]);
};

/** Two copies of one project with one run, as on two machines. */
async function twoMachines(second = ben): Promise<[Project, Project]> {
  const first = await Project.create(path('a'), 'Study', anna);
  first.addRun(makeTrace({ runId: 'one', steps: 4 }), 'Thorax');
  first.close();
  copyFileSync(path('a'), path('b'));
  return [open('a'), open('b', second)];
}

describe('merging', () => {
  it('the same case read on two machines: both readings are there, on either side', async () => {
    const [a, b] = await twoMachines();
    mark(a, 0, 'accept');
    mark(b, 0, 'reject');
    b.addRun(makeTrace({ runId: 'two', pixels: 'other' }), 'Skull');
    const { report } = allAtOnce(a.mergeFile(path('b')));
    expect(report).toMatchObject({ cases: 1, runs: 1, readers: 1, conflicts: [] });
    expect(reviewsIn(a.db, 'one').map(({ readerId, verdicts }) => [readerId, verdicts[0]?.decision])).toEqual(
      [
        ['anna', 'accept'],
        ['ben', 'reject'],
      ],
    );
    expect(a.trace('two')).toEqual(b.trace('two'));
    allAtOnce(b.mergeFile(path('a')));
    expect(plain(contents(b))).toEqual(plain(contents(a)));
  });

  it('a second time, and back and forth, brings nothing', async () => {
    const [a, b] = await twoMachines();
    mark(a, 0, 'accept');
    mark(b, 1, 'reject');
    expect(allAtOnce(a.mergeFile(path('b'))).report.entries).toBeGreaterThan(0);
    const once = plain(contents(a));
    expect(allAtOnce(a.mergeFile(path('b'))).report).toMatchObject({ entries: 0, conflicts: [] });
    allAtOnce(b.mergeFile(path('a')));
    allAtOnce(a.mergeFile(path('b')));
    expect(allAtOnce(b.mergeFile(path('a'))).report).toMatchObject({ cases: 0, runs: 0, conflicts: [] });
    expect(plain(contents(a))).toEqual(once);
    expect(findBreakIn(a.db)).toBeNull();
  });

  it('what one machine outran is reported, the same from either side, and stays in the log', async () => {
    const [a, b] = await twoMachines(anna);
    mark(a, 0, 'accept');
    mark(b, 0, 'reject');
    mark(b, 1, 'accept');
    mark(a, 1, 'accept');
    for (const project of [a, b]) close(project);
    for (const name of ['a', 'b']) copyFileSync(path(name), path(`${name}-before`));
    const fromA = allAtOnce(open('a').mergeFile(path('b-before'))).report.conflicts;
    expect(allAtOnce(open('b').mergeFile(path('a-before'))).report.conflicts).toEqual(fromA);
    // A file that has taken the other one in knows of its changes: nothing is concurrent any more.
    expect(allAtOnce(open('b-before').mergeFile(path('a'))).report.conflicts).toEqual([]);
    expect(fromA).toHaveLength(1);
    expect(fromA[0]?.register).toBe('kind=verdict&readerId=anna&runId=one&step=0');
    expect([fromA[0]?.kept, fromA[0]?.outrun].map((one) => JSON.parse(one ?? '').decision)).toEqual([
      'reject',
      'accept',
    ]);
    expect(reviewsIn(open('b').db, 'one')[0]?.verdicts[0]?.decision).toBe('reject');
    const log = open('b').db.all<{ body: string }>("SELECT body FROM log WHERE type = 'edited'");
    expect(log.filter(({ body }) => body.includes('"step":0'))).toHaveLength(2);
  });

  it('conflicts of another reader are told without what was said, until one has read the run', async () => {
    const [a, b] = await twoMachines(anna);
    mark(a, 0, 'accept');
    mark(b, 0, 'reject');
    close(b);
    const { conflicts } = allAtOnce(a.mergeFile(path('b'))).report;
    expect(veilConflicts(a.db, conflicts, anna)).toEqual(conflicts);
    expect(veilConflicts(a.db, conflicts, ben)).toMatchObject([{ kept: '', outrun: '' }]);
    expect(veilConflicts(a.db, conflicts, { ...ben, role: 'adjudicator' })).toEqual(conflicts);
  });

  it('two projects that were begun apart become one: runs of the same pixels in one case', async () => {
    const a = keep(await Project.create(path('a'), 'A', anna));
    const b = keep(await Project.create(path('b'), 'B', ben));
    const first = a.addRun(makeTrace({ runId: 'one' }), 'From A');
    const second = b.addRun(makeTrace({ runId: 'two', slice: 3 }), 'From B');
    expect(second.caseId).toBe(first.caseId);
    const orders = await Promise.all(
      [
        ['a', 'b'],
        ['b', 'a'],
      ].map(async (order, n) => {
        const out = keep(await Project.createEmpty(path(`out-${n}`), anna));
        for (const name of order) allAtOnce(out.mergeFile(path(name)));
        return out;
      }),
    );
    const [one, other] = orders as [Project, Project];
    expect(plain(contents(one))).toEqual(plain(contents(other)));
    expect([one.projectId, one.title]).toEqual([other.projectId, other.title]);
    expect(one.view(false).counts).toMatchObject({ cases: 1, runs: 2 });
  });

  it('two traces that go by one run id are both kept, and reported', async () => {
    const a = keep(await Project.create(path('a'), 'A', anna));
    const b = keep(await Project.create(path('b'), 'B', ben));
    a.addRun(makeTrace({ runId: 'one' }), 'A');
    b.addRun(makeTrace({ runId: 'one', question: 'Another?' }), 'B');
    const { conflicts } = allAtOnce(a.mergeFile(path('b'))).report;
    expect(conflicts).toMatchObject([{ register: 'kind=run&runId=one' }]);
    expect(a.trace('one').question).toBe('Where is the lesion?');
    expect(a.db.all('SELECT sha256 FROM traces')).toHaveLength(2);
    allAtOnce(b.mergeFile(path('a')));
    expect(b.trace('one').question).toBe('Where is the lesion?');
    expect(plain(contents(b))).toEqual(plain(contents(a)));
  });

  it('refuses itself and a file whose log was tampered with, and changes neither', async () => {
    const [a, b] = await twoMachines();
    mark(b, 0, 'reject');
    b.db.run("UPDATE log SET body = replace(body, 'reject', 'accept')");
    close(b);
    const before = readFileSync(path('b'));
    const here = plain(contents(a));
    expect(() => allAtOnce(a.mergeFile(path('b')))).toThrow(
      expect.objectContaining({ code: 'file-malformed' }),
    );
    expect(() => allAtOnce(a.mergeFile(path('a')))).toThrow(
      expect.objectContaining({ code: 'input-invalid' }),
    );
    expect(readFileSync(path('b')).equals(before)).toBe(true);
    expect(plain(contents(a))).toEqual(here);
  });
});

const decision = fc.constantFrom('accept', 'reject', 'correct', null);
const action = fc.oneof(
  fc.record({
    kind: fc.constant('verdict' as const),
    step: fc.integer({ min: 0, max: 3 }),
    after: decision.map((one) => one && verdict(one)),
  }),
  fc.record({
    kind: fc.constant('box' as const),
    step: fc.integer({ min: 0, max: 3 }),
    after: fc.option(
      fc.record({
        min: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constant(0), fc.constant(0)),
        max: fc.tuple(fc.integer({ min: 6, max: 9 }), fc.constant(4), fc.constant(2)),
      }),
    ),
  }),
  fc.record({ kind: fc.constant('comment' as const), after: fc.option(fc.string({ maxLength: 5 })) }),
  fc.record({ kind: fc.constant('case-note' as const), after: fc.option(fc.string({ maxLength: 5 })) }),
  fc.record({ kind: fc.constant('undo' as const) }),
  fc.record({ kind: fc.constant('redo' as const) }),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** Does what a reader would; what is refused (an undo of what someone else changed) is refused. */
function act(project: Project, one: Action): void {
  if (one.kind === 'undo' || one.kind === 'redo') {
    try {
      project[one.kind]();
    } catch {
      // Changed since by someone else.
    }
    return;
  }
  const subject =
    one.kind === 'case-note'
      ? { caseId: project.caseIdOf('one') }
      : { runId: 'one', readerId: project.reader.readerId };
  const edit = { ...subject, ...one, before: null } as Edit;
  project.edit([{ ...edit, before: registerValue(project.db, edit) } as Edit]);
}

describe('whatever is done', () => {
  const machines = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(anna, ben), action), {
    maxLength: 24,
  });

  it('merging in either order gives the same registers, and the lists that follow from the log', async () => {
    await fc.assert(
      fc.asyncProperty(machines, fc.integer({ min: 0, max: 24 }), async (actions, between) => {
        const home = mkdtempSync(join(folder, 'run-'));
        const at = (name: string) => join(home, name);
        const first = await Project.create(at('0'), 'Study', anna);
        first.addRun(makeTrace({ runId: 'one', steps: 4 }), 'Thorax');
        first.close();
        copyFileSync(at('0'), at('1'));
        const openAt = (name: string, reader: Reader) => Project.open(at(name), { reader, trusted: true });
        for (const [n, [machine, reader, one]] of actions.entries()) {
          const project = openAt(String(machine), reader);
          // A merge on the way, of one side only.
          if (n === between) allAtOnce(project.mergeFile(at(String(1 - machine))));
          act(project, one);
          project.close();
        }
        const results = [];
        for (const order of [
          ['0', '1'],
          ['1', '0'],
        ]) {
          const out = await Project.createEmpty(at(`out-${order.join('')}`), anna);
          for (const name of order) allAtOnce(out.mergeFile(at(name)));
          expect(findBreakIn(out.db)).toBeNull();
          checkLog(out.db);
          const merged = plain(contents(out));
          allAtOnce(out.db.transactionSteps(() => rebuild(out.db)));
          expect(plain(contents(out))).toEqual(merged);
          results.push(merged);
          out.close();
        }
        expect(results[0]).toEqual(results[1]);
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  it('undoing all of it gives the empty state, redoing all of it the last one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 20 }), async (actions) => {
        const home = mkdtempSync(join(folder, 'undo-'));
        const project = await Project.create(join(home, 'p'), 'Study', anna);
        project.addRun(makeTrace({ runId: 'one', steps: 4 }), 'Thorax');
        for (const one of actions) act(project, one);
        const state = () =>
          plain(project.db.all('SELECT key, value FROM registers WHERE value IS NOT NULL ORDER BY key'));
        const edits = project.db
          .all<{ body: string }>("SELECT body FROM log WHERE type = 'edited' ORDER BY id")
          .flatMap(({ body }) => (JSON.parse(body) as { edits: Edit[] }).edits);
        // The registers are what the contract's own applyEdits makes of the same edits.
        const [review] = reviewsIn(project.db, 'one');
        expect(plain(review ?? emptyReview('one', 'anna'))).toEqual(
          plain(applyEdits(emptyReview('one', 'anna'), edits)),
        );
        const last = state();
        let steps = 0;
        while (project.undo()) steps++;
        expect(state()).toEqual([]);
        for (let n = 0; n < steps; n++) project.redo();
        expect(state()).toEqual(last);
        expect(findBreakIn(project.db)).toBeNull();
        project.close();
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  it('a changed letter anywhere in the log is found', async () => {
    const project = keep(await Project.create(path('a'), 'Study', anna));
    project.addRun(makeTrace({ runId: 'one', steps: 4 }), 'Thorax');
    for (const step of [0, 1, 2]) mark(project, step, 'accept');
    const rows = project.db.all<{ id: number; body: string }>('SELECT id, body FROM log');
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (which, where) => {
        const { id, body } = rows[which % rows.length] as { id: number; body: string };
        const place = where % body.length;
        const letter = body[place] === 'x' ? 'y' : 'x';
        project.db.run('UPDATE log SET body = ? WHERE id = ?', [
          body.slice(0, place) + letter + body.slice(place + 1),
          id,
        ]);
        expect(() => checkLog(project.db)).toThrow(expect.objectContaining({ code: 'file-malformed' }));
        project.db.run('UPDATE log SET body = ? WHERE id = ?', [body, id]);
      }),
      { numRuns: 60 },
    );
    checkLog(project.db);
  });
});

it('registers go by their keys', () => {
  const edit = { kind: 'comment', runId: 'a=b&c', readerId: 'anna', before: null, after: 'x' } as const;
  expect(registerKey(edit)).not.toBe(registerKey({ ...edit, runId: 'a', readerId: 'b&c=anna' }));
});
