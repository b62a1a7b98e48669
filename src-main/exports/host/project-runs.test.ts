/** Runs out of a real project file: whose marks, which cases, and what a blinded reader does not get. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { caseFilterSchema } from '../../../src-contract/project.ts';
import { Project } from '../../storage/project/project.ts';
import { fixtureReaders, writeFixture } from '../../storage/project/testing/fixture.ts';
import { exportRuns } from '../export-runs.ts';
import { findingsOf } from '../findings.ts';
import { projectRuns } from './project-runs.ts';

const [anna, ben] = fixtureReaders;
const everything = { kind: 'project', filter: caseFilterSchema.parse({}) } as const;
let folder: string;
let file: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-project-runs-'));
  file = join(folder, 'fixture.readroom');
  await writeFixture(file);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function withProject<T>(reader: (typeof fixtureReaders)[number], use: (project: Project) => T): T {
  const project = Project.open(file, { reader, trusted: true });
  try {
    return use(project);
  } finally {
    project.close();
  }
}

it('all runs, case by case; the model’s own without a reader', () => {
  withProject(ben, (project) => {
    const { total, runs } = projectRuns(project, { scope: everything, readerId: null }, true);
    const all = [...runs];
    expect(total).toBe(3);
    expect(all.map(({ runId }) => runId).sort()).toEqual(['other', 'slice', 'volume']);
    const cases = all.map(({ caseId }) => caseId);
    expect(cases.filter((caseId, n) => caseId !== cases[n - 1])).toHaveLength(2);
    expect(all.every(({ review, reader }) => review === null && reader === null)).toBe(true);
  });
});

it('a reader’s corrections, for one run and for one case', () => {
  withProject(ben, (project) => {
    const [run] = projectRuns(
      project,
      { scope: { kind: 'run', runId: 'volume' }, readerId: ben.readerId },
      true,
    ).runs;
    expect(run.reader).toEqual(ben);
    const findings = findingsOf(run.trace, run.review);
    expect(findings.steps[0].rejected).toBe(true);
    expect(findings.steps[1].box).toEqual({ min: [5.5, 8.5, 1.5], max: [24.5, 31.5, 6.5] });
    const scope = { kind: 'case', caseId: run.caseId } as const;
    expect(
      [...projectRuns(project, { scope, readerId: null }, true).runs].map((one) => one.runId),
    ).toHaveLength(2);
    expect(() =>
      projectRuns(project, { scope: { kind: 'run', runId: 'none' }, readerId: null }, true),
    ).toThrow('no such run');
  });
});

it('marks that are hidden from a reader are withheld, and told', async () => {
  const carla = { readerId: 'reader-carla', name: 'Carla', role: 'reader' as const };
  const project = Project.open(file, { reader: carla, trusted: true });
  try {
    const selection = { scope: everything, readerId: anna.readerId };
    const blinded = [...projectRuns(project, selection, true).runs].find(({ runId }) => runId === 'volume');
    expect(blinded).toMatchObject({ review: null, reader: null });
    expect(blinded?.withheld).toContain('Anna');
    const open = [...projectRuns(project, selection, false).runs].find(({ runId }) => runId === 'volume');
    expect(open?.review?.readerId).toBe(anna.readerId);
    const { runs, total } = projectRuns(project, selection, true);
    const result = await exportRuns({
      runs,
      total,
      formats: ['csv'],
      folder: join(folder, 'out'),
      identifiers: false,
    });
    expect(result.skipped.map(({ runId }) => runId)).toEqual(['volume']);
  } finally {
    project.close();
  }
});

it('a reader who is blinded to the model exports what he or she has asked to see', () => {
  const project = Project.open(file, { reader: ben, trusted: true });
  try {
    project.edit([{ kind: 'blinding', before: null, after: { others: true, model: true } }]);
    const withheld = (blinded: boolean): string[] =>
      [...projectRuns(project, { scope: everything, readerId: null }, blinded).runs]
        .filter((run) => run.withheld !== undefined)
        .map(({ runId }) => runId)
        .sort();
    // Ben has finished the volume.
    expect(withheld(true)).toEqual(['other', 'slice']);
    expect(withheld(false)).toEqual([]);
  } finally {
    project.close();
  }
});
