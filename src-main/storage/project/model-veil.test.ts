/** A project that hides the model: what leaves its process before a reader has asked for the model's reasoning. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { caseFilterSchema, type Reader } from '../../../src-contract/project.ts';
import type { Reading } from '../../../src-contract/review.ts';
import { serializeTrace, summarizeEvents, traceSchema } from '../../../src-contract/trace.ts';
import { compareIn, consistencyIn } from './analysis.ts';
import { figureHandlers } from './figures.ts';
import { traceFor } from './model-veil.ts';
import { Project } from './project.ts';
import { listCases, listRuns } from './queries.ts';
import { makeTrace } from './testing/make-trace.ts';

const anna: Reader = { readerId: 'anna', name: 'Anna', role: 'reader' };
const volume = makeTrace({ runId: 'volume' });
const onSlice = (slice: number) =>
  makeTrace({ runId: `s${slice}`, slice, createdAt: '2026-01-03T00:00:00.000Z' });
const refusal = { code: 'input-invalid', remedy: 'Reveal the model in the review of this run first.' };

let folder: string;
let project: Project;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-veil-'));
  project = await Project.create(join(folder, 'a.readroom'), 'Study', anna);
  for (const trace of [volume, onSlice(2), onSlice(4)]) project.addRun(trace);
  project.edit([{ kind: 'blinding', before: null, after: { others: true, model: true } }]);
});
afterEach(() => {
  project.close();
  rmSync(folder, { recursive: true, force: true });
});

const handlers = figureHandlers(() => project);
const { signal } = new AbortController();
function read(runId: string, change: Partial<Reading>): void {
  const before = readings.get(runId) ?? null;
  const after: Reading = { status: 'reading', activeMs: 0, revealed: false, ...change };
  readings.set(runId, after);
  project.edit([{ kind: 'reading', runId, readerId: project.reader.readerId, before, after }]);
}
const answerOf = (runId: string): string | null | undefined =>
  listRuns(project.db, project.reader, project.caseIdOf(runId)).find((run) => run.runId === runId)?.answer;
const readings = new Map<string, Reading>();
beforeEach(() => readings.clear());

it('a trace comes without the words, boxes, crops and answer until they are asked for, and again after that is taken back', () => {
  const veiled = traceFor(project, 'volume');
  expect(traceSchema.parse(veiled)).toEqual(veiled);
  expect(veiled.events.map(({ type }) => type)).toEqual(['run-started']);
  expect(veiled.events[0]).toEqual(volume.events[0]);
  const { events: _all, expected: _right, ...header } = volume;
  expect(veiled).toMatchObject(header);
  expect(veiled.expected).toBeNull();
  for (const event of volume.events) {
    if (event.type === 'token' && event.text.trim().length > 3)
      expect(serializeTrace(veiled)).not.toContain(event.text.trim());
  }
  expect(answerOf('volume')).toBeNull();
  const listed = { filter: caseFilterSchema.parse({}), sort: 'newest', offset: 0, limit: 10 } as const;
  expect(listCases(project.db, project.reader, listed).rows.map((row) => row.lastAnswer)).toEqual([null]);
  read('volume', {});
  expect(traceFor(project, 'volume').events).toHaveLength(1);
  read('volume', { revealed: true });
  expect(traceFor(project, 'volume')).toEqual(volume);
  expect([answerOf('volume'), answerOf('s2')]).toEqual(['A', null]);
  project.undo();
  expect(traceFor(project, 'volume').events).toHaveLength(1);
  project.redo();
  // Only this run was asked for.
  expect(traceFor(project, 's2').events).toHaveLength(1);
});

it('a finished reading, an adjudicator and a project that hides nothing show all of it', () => {
  read('s2', { status: 'done' });
  expect(traceFor(project, 's2')).toEqual(onSlice(2));
  const { readerId } = project.addReader({ name: 'Dee', role: 'adjudicator' });
  const ben = project.addReader({ name: 'Ben', role: 'reader' });
  project.chooseReader(ben.readerId);
  expect(traceFor(project, 's2').events).toHaveLength(1);
  project.chooseReader(readerId);
  expect(traceFor(project, 's2')).toEqual(onSlice(2));
  expect(compareIn(project, 'volume', 's4').samePixels).toBe(true);
  project.chooseReader(ben.readerId);
  project.edit([{ kind: 'blinding', before: { others: true, model: true }, after: null }]);
  expect(traceFor(project, 'volume')).toEqual(volume);
});

it('comparison, curve and figure are refused with the remedy while the model is hidden on a run of theirs', async () => {
  const attempt = async (work: () => unknown) => work();
  const file = join(folder, 'figure.png');
  const image = { width: 56, height: 56, channels: 1 as const, data: new Uint8Array(56 * 56) };
  const wish = { volumeRunId: 'volume', slice: 4 };
  const pictures = [2, 3, 4, 5].map((slice) => ({ slice, image }));
  const curveAndFigure: (() => unknown)[] = [
    () => consistencyIn(project, 'volume'),
    () => handlers.figureSlices(wish, signal),
    () => handlers.figure({ ...wish, pictures }, signal),
    () => handlers.saveFigure({ ...wish, pictures, file }, signal),
  ];
  const plan = () => handlers.slicePlan({ volumeRunId: 'volume', every: 1 }, signal);
  for (const work of [() => compareIn(project, 's2', 'volume'), plan, ...curveAndFigure])
    await expect(attempt(work)).rejects.toMatchObject(refusal);

  // The volume may be seen, none of the 2D runs: what was asked is not asked again.
  read('volume', { revealed: true });
  expect(await plan()).toMatchObject({ slices: [3, 5] });
  for (const work of [() => compareIn(project, 'volume', 's2'), ...curveAndFigure])
    await expect(attempt(work)).rejects.toMatchObject(refusal);

  // One of the two: the other one is left out of the curve.
  read('s2', { revealed: true });
  expect(compareIn(project, 'volume', 's2').samePixels).toBe(true);
  expect(consistencyIn(project, 'volume').points.map(({ runId }) => runId)).toEqual(['s2']);
  await expect(attempt(() => compareIn(project, 'volume', 's4'))).rejects.toMatchObject(refusal);
  await handlers.saveFigure({ ...wish, pictures, file }, signal);
});

it('the list is not found by answers that it hides', () => {
  const found = (filter: object) =>
    listCases(project.db, project.reader, {
      filter: caseFilterSchema.parse(filter),
      sort: 'newest',
      offset: 0,
      limit: 10,
    }).total;
  const { answer } = summarizeEvents(volume.events);
  const letter = answer?.answers.inference ?? '';
  const [word] = volume.question.toLowerCase().split(' ');
  // A text that is the answer's letter and nothing else would tell it too.
  project.edit([{ kind: 'case-title', caseId: project.caseIdOf('volume'), before: null, after: 'Study' }]);
  expect(volume.question.toLowerCase()).not.toContain(letter.toLowerCase());
  expect([found({ answer: letter }), found({ text: letter }), found({ text: word })]).toEqual([0, 0, 1]);
  for (const runId of ['volume', 's2', 's4']) read(runId, { status: 'done' });
  expect(found({ answer: letter })).toBe(1);
  project.edit([{ kind: 'blinding', before: { others: true, model: true }, after: null }]);
  expect([found({ answer: letter }), found({ text: letter }), found({ text: word })]).toEqual([1, 1, 1]);
});
