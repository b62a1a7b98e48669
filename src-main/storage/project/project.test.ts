import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CaseFilter, caseFilterSchema, type Reader } from '../../../src-contract/project.ts';
import { type Edit, reviewSchema, type Verdict } from '../../../src-contract/review.ts';
import { parseTrace, serializeTrace } from '../../../src-contract/trace.ts';
import { logPage } from './audit.ts';
import { Database } from './file/database.ts';
import { findBreakIn } from './log/log.ts';
import { Project } from './project.ts';
import { listCases, listRuns, nextRun } from './queries.ts';
import { reviewsFor } from './reviews.ts';
import { makeTrace } from './testing/make-trace.ts';

const anna: Reader = { readerId: 'anna', name: 'Anna', role: 'reader' };
const ben: Reader = { readerId: 'ben', name: 'Ben', role: 'reader' };

let folder: string;
let project: Project;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-project-'));
  project = await Project.create(join(folder, 'a.readroom'), 'Study', anna);
});
afterEach(() => {
  project.close();
  rmSync(folder, { recursive: true, force: true });
});

const accept: Verdict = { decision: 'accept', reasons: [], comment: '' };
const reject: Verdict = { decision: 'reject', reasons: ['wrong-place'], comment: 'too low' };
const verdict = (
  runId: string,
  step: number,
  before: Verdict | null,
  after: Verdict | null,
  readerId = 'anna',
) => ({ kind: 'verdict', runId, readerId, step, before, after }) satisfies Edit;
const done = (runId: string, readerId = 'anna') =>
  ({
    kind: 'reading',
    runId,
    readerId,
    before: null,
    after: { status: 'done', activeMs: 1_000, revealed: false },
  }) satisfies Edit;
const page = (change: Partial<CaseFilter> = {}) => ({
  filter: caseFilterSchema.parse(change),
  sort: 'newest' as const,
  offset: 0,
  limit: 50,
});
const reopen = (reader = anna, trusted = true): void => {
  project.close();
  project = Project.open(join(folder, 'a.readroom'), { reader, trusted });
};

describe('the library', () => {
  const library = () => join(folder, 'deep', 'library.readroom');

  it('is made where there is none, and opened where there is one', async () => {
    const first = await Project.openLibrary(library(), anna);
    first.addRun(makeTrace({ runId: 'one' }), 'Thorax');
    const { projectId } = first;
    first.close();
    const second = await Project.openLibrary(library(), anna);
    expect(second.view(true)).toMatchObject({
      projectId,
      title: 'Library',
      fileName: null,
      counts: { runs: 1 },
    });
    second.close();
  });

  it('is made again where its making was cut off', async () => {
    mkdirSync(join(folder, 'deep'));
    writeFileSync(library(), '');
    const first = await Project.openLibrary(library(), anna);
    first.close();
    const blank = new Database(join(folder, 'blank'));
    blank.pragma('journal_mode = WAL');
    blank.close();
    const second = await Project.openLibrary(join(folder, 'blank'), anna);
    expect(second.title).toBe('Library');
    second.close();
  });
});

describe('runs', () => {
  it('are kept whole, in the case that their pixels make', () => {
    const volume = makeTrace({ runId: 'one' });
    const { caseId, added } = project.addRun(volume, 'Thorax');
    expect(added).toBe(true);
    expect(project.addRun(makeTrace({ runId: 'two', slice: 7 }), 'ignored').caseId).toBe(caseId);
    expect(project.addRun(makeTrace({ runId: 'three', pixels: 'other' }), 'Skull').caseId).not.toBe(caseId);
    expect(project.trace('one')).toEqual(volume);
    const list = listCases(project.db, anna, { ...page(), sort: 'title' });
    expect(list.rows.map(({ title, runs }) => [title, runs])).toEqual([
      ['Skull', 1],
      ['Thorax', 2],
    ]);
    expect(listRuns(project.db, anna, caseId)).toMatchObject([
      { runId: 'one', mode: '3d', slice: null, steps: 2, answer: 'A', stopReason: 'end-of-turn' },
      { runId: 'two', mode: '2d', slice: 7 },
    ]);
  });

  it('the same trace again changes nothing; another one of the same id gets its own', () => {
    project.addRun(makeTrace({ runId: 'one' }), 'Thorax');
    expect(project.addRun(makeTrace({ runId: 'one' }), 'Thorax')).toMatchObject({
      runId: 'one',
      added: false,
    });
    const other = project.addRun(makeTrace({ runId: 'one', question: 'Another?' }), 'Thorax');
    expect(other.added).toBe(true);
    expect(other.runId).toMatch(/^one-[0-9a-f]{16}$/);
    expect(project.trace(other.runId).question).toBe('Another?');
  });

  it('a trace file becomes a run, byte for byte', () => {
    const text = serializeTrace(makeTrace({ runId: 'one' }));
    const { runId } = project.importTrace(text, 'trace.json');
    expect(serializeTrace(project.trace(runId))).toBe(text);
    expect(project.trace(runId)).toEqual(parseTrace(text));
    expect(() => project.importTrace('{}', 'trace.json')).toThrow(/not a Readroom trace/);
  });
});

describe('edits', () => {
  beforeEach(() => {
    project.addRun(makeTrace({ runId: 'one' }), 'Thorax');
  });

  it('are there after the file was opened again, with the reader who made them', () => {
    const box = { min: [1, 2, 3], max: [4, 5, 6] } as {
      min: [number, number, number];
      max: [number, number, number];
    };
    project.edit([
      verdict('one', 1, null, { decision: 'correct', reasons: [], comment: '' }),
      { kind: 'box', runId: 'one', readerId: 'anna', step: 1, before: null, after: box },
    ]);
    reopen();
    const { own } = reviewsFor(project.db, 'one', project.reader);
    expect(own.verdicts[1]?.decision).toBe('correct');
    expect(own.boxes[1]).toEqual(box);
    expect(reviewSchema.parse(JSON.parse(JSON.stringify(own)))).toEqual(own);
    expect(project.readers()).toEqual([anna]);
  });

  it.each<[string, Edit]>([
    ['another value than the one before', verdict('one', 0, reject, accept)],
    ["another reader's register", verdict('one', 0, null, accept, 'ben')],
    ['a run that is not there', verdict('two', 0, null, accept)],
    ['a step that is not there', verdict('one', 2, null, accept)],
    ['a case that is not there', { kind: 'case-note', caseId: 'none', before: null, after: 'x' }],
  ])('refuses %s, and changes nothing', (_what, edit) => {
    const before = logPage(project.db, anna, { caseId: null, offset: 0, limit: 50 }).total;
    expect(() => project.edit([verdict('one', 1, null, accept), edit])).toThrow();
    expect(reviewsFor(project.db, 'one', anna).own.verdicts).toEqual({});
    expect(logPage(project.db, anna, { caseId: null, offset: 0, limit: 50 }).total).toBe(before);
  });

  it('undo and redo go through every change, also after the file was opened again', () => {
    project.edit([verdict('one', 0, null, accept)]);
    project.edit([verdict('one', 0, accept, reject)]);
    project.edit([done('one')]);
    expect(project.history().undo?.label).toBe('finish reading');
    project.undo();
    reopen();
    expect(project.history()).toMatchObject({
      undo: { label: 'reject step 1' },
      redo: { label: 'finish reading' },
    });
    project.undo();
    expect(reviewsFor(project.db, 'one', anna).own.verdicts[0]).toEqual(accept);
    project.undo();
    expect(reviewsFor(project.db, 'one', anna).own.verdicts).toEqual({});
    expect(project.undo()).toBeNull();
    for (let n = 0; n < 3; n++) expect(project.redo()?.runs).toEqual(new Set(['one']));
    expect(project.redo()).toBeNull();
    expect(reviewsFor(project.db, 'one', anna).own).toMatchObject({
      verdicts: { 0: reject },
      reading: { status: 'done' },
    });
    project.undo();
    project.edit([verdict('one', 1, null, accept)]);
    expect(project.redo()).toBeNull();
    expect(findBreakIn(project.db)).toBeNull();
  });

  it('time that passed is not undone, and stays when the end of a reading is', () => {
    const reading = (status: 'reading' | 'done', activeMs: number) => ({ status, activeMs, revealed: false });
    const edit = (before: ReturnType<typeof reading> | null, after: ReturnType<typeof reading>) =>
      project.edit([{ kind: 'reading', runId: 'one', readerId: 'anna', before, after }]);
    edit(null, reading('reading', 5));
    expect(project.history().undo).toBeNull();
    edit(reading('reading', 5), reading('done', 7));
    edit(reading('done', 7), reading('done', 9));
    project.undo();
    expect(reviewsFor(project.db, 'one', anna).own.reading).toEqual(reading('reading', 9));
    project.redo();
    expect(reviewsFor(project.db, 'one', anna).own.reading).toEqual(reading('done', 9));
  });

  it('undo is refused where someone else changed the same since', () => {
    const { caseId } = project.addRun(makeTrace({ runId: 'one' }), '');
    project.edit([{ kind: 'case-note', caseId, before: null, after: 'mine' }]);
    reopen(ben);
    project.edit([{ kind: 'case-note', caseId, before: 'mine', after: 'theirs' }]);
    reopen(anna);
    expect(() => project.undo()).toThrow(/changed since/);
    expect(listCases(project.db, anna, page()).rows[0]?.note).toBe('theirs');
  });
});

describe('readers', () => {
  it('who opened the project can be chosen before and after having written something', () => {
    expect(project.readers()).toEqual([]);
    expect(project.view(false)).toMatchObject({ readers: [anna], readerId: 'anna' });
    const cara = project.addReader({ name: 'Cara', role: 'adjudicator' });
    project.chooseReader(cara.readerId);
    expect(project.view(false)).toMatchObject({ readers: [cara, anna], readerId: cara.readerId });
    project.chooseReader('anna');
    project.addRun(makeTrace({ runId: 'one' }), 'Thorax');
    project.edit([verdict('one', 0, null, accept)]);
    expect(project.readers()).toEqual([cara, anna]);
    expect(() => project.chooseReader('nobody')).toThrow(/no such reader/);
    expect(() => project.addReader({ name: 'Cara', role: 'reader' })).toThrow(/already/);
  });
});

describe('blinding', () => {
  beforeEach(() => {
    project.addRun(makeTrace({ runId: 'one' }), 'Thorax');
    project.edit([verdict('one', 0, null, accept), done('one')]);
    reopen(ben);
  });

  const seen = (reader: Reader) => ({
    reviews: reviewsFor(project.db, 'one', reader),
    run: listRuns(project.db, reader, project.caseIdOf('one'))[0],
    log: logPage(project.db, reader, { caseId: null, offset: 0, limit: 50 }),
  });

  it("hides others' marks in reviews, lists and log until one has read", () => {
    const { reviews, run, log } = seen(ben);
    expect(reviews).toMatchObject({ others: [], hidden: 1 });
    expect(run).toMatchObject({ finishedBy: [], finishedCount: 1, disagreement: false });
    expect(JSON.stringify(log.entries)).not.toContain('accept');
    expect(log.hidden).toBe(1);
    project.edit([verdict('one', 0, null, reject, 'ben')]);
    expect(seen(ben).reviews.others).toEqual([]);
    project.edit([done('one', 'ben')]);
    const after = seen(ben);
    expect(after.reviews.others[0]?.verdicts[0]).toEqual(accept);
    expect(after.run).toMatchObject({ finishedBy: ['anna', 'ben'], disagreement: true });
    expect(after.log.hidden).toBe(0);
    expect(listCases(project.db, ben, page({ disagreement: true })).total).toBe(1);
  });

  it('an adjudicator sees everything, and everyone does where nobody is blinded', () => {
    expect(seen({ ...ben, role: 'adjudicator' }).reviews.others).toHaveLength(1);
    project.edit([{ kind: 'blinding', before: null, after: { others: false, model: false } }]);
    expect(seen(ben).reviews.others).toHaveLength(1);
  });

  it('does not tell of a disagreement before one has read', () => {
    project.edit([verdict('one', 0, null, reject, 'ben'), done('one', 'ben')]);
    const cara: Reader = { readerId: 'cara', name: 'Cara', role: 'reader' };
    expect(seen(cara).run?.disagreement).toBeNull();
    expect(listCases(project.db, cara, page()).rows[0]?.disagreement).toBeNull();
    expect(listCases(project.db, cara, page({ disagreement: true })).total).toBe(0);
  });
});

describe('lists', () => {
  beforeEach(() => {
    const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
    project.addRun(
      makeTrace({ runId: 'a', pixels: 'a', createdAt: at(1), question: 'Is there a nódule?' }),
      'Éva',
    );
    project.addRun(
      makeTrace({ runId: 'b', pixels: 'b', createdAt: at(3), modality: 'MR', answer: 'B' }),
      'bert',
    );
    project.addRun(makeTrace({ runId: 'c', pixels: 'c', createdAt: at(2) }), 'Cleo');
    project.addRun(makeTrace({ runId: 'c2', pixels: 'c', createdAt: at(2), slice: 3 }), '');
  });
  const titles = (change: Partial<CaseFilter>, sort: 'newest' | 'oldest' | 'title' = 'newest') =>
    listCases(project.db, anna, { ...page(change), sort }).rows.map(({ title }) => title);

  it('are in the order asked for', () => {
    expect(titles({})).toEqual(['bert', 'Cleo', 'Éva']);
    expect(titles({}, 'oldest')).toEqual(['Éva', 'Cleo', 'bert']);
    expect(titles({}, 'title')).toEqual(['bert', 'Cleo', 'Éva']);
    expect(listCases(project.db, anna, { ...page(), offset: 1, limit: 1 })).toMatchObject({
      total: 3,
      rows: [{ title: 'Cleo' }],
    });
  });

  it('are filtered by words, modality, answer, assignment and what was read', () => {
    expect(titles({ text: 'NODULE eva' })).toEqual(['Éva']);
    expect(titles({ text: 'nodule bert' })).toEqual([]);
    expect(titles({ modalities: ['MR', 'US'] })).toEqual(['bert']);
    expect(titles({ answer: 'A' })).toEqual(['Cleo', 'Éva']);
    const cleo = project.caseIdOf('c');
    project.edit([{ kind: 'assignment', caseId: cleo, readerId: 'anna', before: null, after: true }]);
    expect(titles({ assignedTo: 'anna' })).toEqual(['Cleo']);
    project.edit([done('b'), done('c')]);
    expect(titles({ reviewed: 'done' })).toEqual(['bert']);
    expect(titles({ reviewed: 'open' })).toEqual(['Cleo', 'Éva']);
    project.edit([{ kind: 'case-removed', caseId: cleo, before: null, after: true }]);
    expect(titles({})).toEqual(['bert', 'Éva']);
    expect(titles({ removed: true })).toEqual(['Cleo']);
    project.undo();
    project.edit([{ kind: 'case-title', caseId: cleo, before: null, after: 'Zoe' }]);
    expect(titles({ text: 'zoe' })).toEqual(['Zoe']);
  });

  it('next goes through what is open, in the order of the list, and round', () => {
    const next = (after: string | null, sort: 'newest' | 'title' = 'newest') =>
      nextRun(project.db, anna, { after, filter: caseFilterSchema.parse({}), sort })?.runId ?? null;
    expect([next(null), next('b'), next('c'), next('c2'), next('a')]).toEqual(['b', 'c', 'c2', 'a', 'b']);
    project.edit([done('c'), done('a')]);
    expect([next('b'), next('c2'), next('a')]).toEqual(['c2', 'b', 'b']);
    project.edit([done('b'), done('c2')]);
    expect(next(null)).toBeNull();
    expect(next('b')).toBeNull();
  });
});
