/** Agreement, comparison and figure over a real project file. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agreementSchema, caseFilterSchema, type Reader } from '../../../src-contract/project.ts';
import { decisions, type Edit } from '../../../src-contract/review.ts';
import { fixtureTable } from '../../slices/test-fixtures.ts';
import { agreementIn, compareIn, consistencyIn, disagreementsIn } from './analysis.ts';
import { figureHandlers } from './figures.ts';
import { Project } from './project.ts';
import { makeTrace } from './testing/make-trace.ts';

const anna: Reader = { readerId: 'anna', name: 'Anna', role: 'reader' };
const ben: Reader = { readerId: 'ben', name: 'Ben', role: 'reader' };
const dee: Reader = { readerId: 'dee', name: 'Dee', role: 'adjudicator' };

let folder: string;
let project: Project;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-measure-'));
  project = await Project.create(join(folder, 'a.readroom'), 'Study', anna);
});
afterEach(() => {
  project.close();
  rmSync(folder, { recursive: true, force: true });
});
const as = (reader: Reader): void => {
  project.close();
  project = Project.open(join(folder, 'a.readroom'), { reader, trusted: true });
};

const handlers = figureHandlers(() => project);
const { signal } = new AbortController();
const filter = caseFilterSchema.parse({});
const agreement = () => agreementSchema.parse(agreementIn(project, filter));

const verdict = (runId: string, readerId: string, step: number, category: number): Edit => ({
  kind: 'verdict',
  runId,
  readerId,
  step,
  before: null,
  after: { decision: decisions[category], reasons: [], comment: '' },
});
const done = (runId: string, readerId: string): Edit => ({
  kind: 'reading',
  runId,
  readerId,
  before: null,
  after: { status: 'done', activeMs: 0, revealed: false },
});

interface CohenCase {
  name: string;
  a: number[];
  b: number[];
  kappa: number;
}

describe('agreement of a project', () => {
  /** Two steps a run, each run a case; the last reader's file is open. */
  async function readBy(both: readonly [number[], number[]]): Promise<void> {
    const runs = both[0].length / 2;
    for (let run = 0; run < runs; run++) project.addRun(makeTrace({ runId: `r${run}`, pixels: `p${run}` }));
    for (const [index, reader] of [anna, ben].entries()) {
      as(reader);
      for (let run = 0; run < runs; run++) {
        const edits = [0, 1].map((step) =>
          verdict(`r${run}`, reader.readerId, step, both[index][run * 2 + step]),
        );
        project.edit([...edits, done(`r${run}`, reader.readerId)]);
      }
    }
  }

  it('has scikit-learn’s kappa, with an interval', async () => {
    const { a, b, kappa } = fixtureTable<CohenCase>('agreement/cohen.json').find(
      ({ name }) => name === 'even',
    )!;
    await readBy([a, b]);
    const { runs, pairs, readers } = agreement();
    expect(runs).toBe(20);
    expect(readers.map(({ name }) => name)).toEqual(['Anna', 'Ben']);
    expect(pairs[0].cohen.value).toBeCloseTo(kappa, 12);
    expect(pairs[0].cohen.n).toBe(40);
    expect(pairs[0].cohen.low).toBeLessThan(kappa);
    expect(pairs[0].cohen.high).toBeGreaterThan(kappa);
    const rows = disagreementsIn(project, filter);
    expect(rows).toHaveLength(a.filter((value, index) => value !== b[index]).length);
    const one = agreementIn(project, caseFilterSchema.parse({ modalities: ['MR'] }));
    expect(one.runs).toBe(0);
  });

  it('shows a blinded reader only what he or she has finished, and the adjudicator all', async () => {
    await readBy([
      [0, 0, 1, 1],
      [0, 1, 1, 0],
    ]);
    const cleo: Reader = { readerId: 'cleo', name: 'Cleo', role: 'reader' };
    as(cleo);
    expect(agreement().runs).toBe(0);
    expect(disagreementsIn(project, filter)).toEqual([]);
    project.edit([done('r0', 'cleo')]);
    expect(agreement().runs).toBe(1);
    as(dee);
    expect(agreement().runs).toBe(2);
    const rows = () => disagreementsIn(project, filter);
    expect(rows().map(({ settled }) => settled)).toEqual([false, false]);
    project.edit([verdict('r1', 'dee', 1, 0), done('r1', 'dee')]);
    expect(rows().map(({ runId, settled }) => [runId, settled])).toEqual([
      ['r0', false],
      ['r1', true],
    ]);
  });
});

describe('runs of a project beside each other', () => {
  const figureOf = (runId: string, slice: number) => {
    const { slices } = handlers.figureSlices({ volumeRunId: runId, slice }, signal) as {
      slices: { slice: number }[];
    };
    const image = { width: 56, height: 56, channels: 1 as const, data: new Uint8Array(56 * 56).fill(80) };
    return slices.map((each) => ({ slice: each.slice, image }));
  };

  it('are compared, and make the figure of their case', async () => {
    const volume = project.addRun(makeTrace({ runId: 'volume' }));
    // The last cuboid has slices 2 to 5.
    for (const slice of [1, 2, 4, 5])
      project.addRun(makeTrace({ runId: `s${slice}`, slice, createdAt: '2026-01-03T00:00:00.000Z' }));
    project.addRun(makeTrace({ runId: 'other', slice: 3, pixels: 'other' }));
    project.addRun(makeTrace({ runId: 'asked-else', slice: 3, question: 'Else?' }));
    const { points, meanIou } = consistencyIn(project, volume.runId);
    expect(points.map(({ slice, iou }) => [slice, iou])).toEqual([
      [2, 1],
      [4, 1],
      [5, 1],
    ]);
    expect(meanIou).toBe(1);
    const comparison = compareIn(project, 'volume', 's4');
    expect(comparison.samePixels).toBe(true);
    expect(comparison.differences.map(({ what }) => what)).toContain('Target');
    const wish = { volumeRunId: 'volume', slice: 4, pictures: figureOf('volume', 4) };
    const { svg } = await handlers.figure(wish, signal);
    expect(svg).toContain('IoU 1.00');
    expect(svg).toContain('SYNTHETIC');
    const file = join(folder, 'figure.pdf');
    await handlers.saveFigure({ ...wish, file }, signal);
    expect(readFileSync(file).toString('latin1', 0, 5)).toBe('%PDF-');
  });

  it('are refused with the reason: no such run, no volume, no such slice, other pixels', async () => {
    project.addRun(makeTrace({ runId: 'volume' }));
    project.addRun(makeTrace({ runId: 'flat', slice: 2 }));
    const attempt = async (work: () => unknown) => work();
    await expect(attempt(() => compareIn(project, 'volume', 'none'))).rejects.toThrow('no such run');
    await expect(attempt(() => consistencyIn(project, 'flat'))).rejects.toThrow('not about a volume');
    await expect(
      attempt(() => handlers.figureSlices({ volumeRunId: 'volume', slice: 32 }, signal)),
    ).rejects.toThrow('no slice 32');
    const file = join(folder, 'figure.png');
    const [picture] = figureOf('volume', 3);
    const small = { ...picture, image: { ...picture.image, width: 55 } };
    for (const pictures of [[], [small]]) {
      await expect(
        attempt(() => handlers.saveFigure({ volumeRunId: 'volume', slice: 3, pictures, file }, signal)),
      ).rejects.toThrow('picture of slice 3');
    }
    expect(existsSync(file)).toBe(false);
  });
});
