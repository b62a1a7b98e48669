/** A project of 10,000 cases with 50,000 steps, read in part by two readers: what lists, filters and searches are timed on. */
import type { Reader } from '../src-contract/project.ts';
import type { Edit } from '../src-contract/review.ts';
import { Project } from '../src-main/storage/project/project.ts';
import { makeTrace } from '../src-main/storage/project/testing/make-trace.ts';
import type { Log } from './bench.ts';

export const cases = 10_000;
export const stepsEach = 5;

const anna: Reader = { readerId: 'anna', name: 'Anna', role: 'reader' };
export const ben: Reader = { readerId: 'ben', name: 'Ben', role: 'reader' };

const words = ['nodule', 'effusion', 'fracture', 'lesion', 'mass', 'oedema', 'haemorrhage', 'cyst'];

/** A run each of most cases, two of some; two readers have finished a part, and differ on some of it. */
export async function fillBigProject(file: string, log: Log): Promise<void> {
  const project = await Project.create(file, 'Benchmark', anna);
  project.db.transaction(() => {
    for (let n = 0; n < cases; n++) {
      const word = words[n % words.length];
      const createdAt = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
      const trace = makeTrace({
        runId: `run-${n}`,
        pixels: `pixels-${n}`,
        steps: stepsEach,
        question: `Is there a ${word} in the ${n % 2 ? 'left' : 'right'} lung of case ${n}?`,
        answer: n % 3 === 0 ? 'B' : 'A',
        modality: n % 4 === 0 ? 'MR' : 'CT',
        createdAt,
      });
      project.addRun(trace, `Case ${n}`);
      if (n % 1_000 === 999) log(`  ${n + 1} cases`);
    }
  });
  read(project, (n) => n % 2 === 0, 'accept');
  project.close();
  const second = Project.open(file, { reader: ben, trusted: true });
  read(second, (n) => n % 3 === 0, 'reject');
  second.close();
}

function read(project: Project, reads: (n: number) => boolean, decision: 'accept' | 'reject'): void {
  project.db.transaction(() => {
    for (let n = 0; n < cases; n++) {
      if (!reads(n)) continue;
      const of = { runId: `run-${n}`, readerId: project.reader.readerId };
      const verdict = { decision: n % 12 === 0 ? 'accept' : decision, reasons: [], comment: '' } as const;
      const edits: Edit[] = Array.from({ length: stepsEach }, (_, step) => ({
        kind: 'verdict',
        ...of,
        step,
        before: null,
        after: { ...verdict, reasons: [] },
      }));
      project.edit(edits);
      const reading = { status: 'done', activeMs: 1_000, revealed: false } as const;
      project.edit([{ kind: 'reading', ...of, before: null, after: reading }]);
      if (n % 5 === 0) {
        const caseId = project.caseIdOf(of.runId);
        project.edit([{ kind: 'assignment', caseId, readerId: of.readerId, before: null, after: true }]);
      }
    }
  });
}
