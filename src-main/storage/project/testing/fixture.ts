/** The project that upgrades are tested on: two cases, three runs, two readers, an undone change. */
import type { Reader } from '../../../../src-contract/project.ts';
import { Project } from '../project.ts';
import { makeTrace } from './make-trace.ts';

export { projectVersion } from '../../../../src-contract/project.ts';

export const fixtureReaders: readonly Reader[] = [
  { readerId: 'reader-anna', name: 'Anna', role: 'reader' },
  { readerId: 'reader-ben', name: 'Ben', role: 'reader' },
];

export async function writeFixture(file: string): Promise<void> {
  const [anna, ben] = fixtureReaders;
  const project = await Project.create(file, 'Fixture', anna);
  project.addRun(makeTrace({ runId: 'volume', steps: 3 }), 'Thorax');
  project.addRun(makeTrace({ runId: 'slice', slice: 7, steps: 1, answer: 'B' }), 'Thorax');
  project.addRun(
    makeTrace({ runId: 'other', pixels: 'other', modality: 'MR', question: 'Was ist das?' }),
    'Schädel',
  );
  read(project, anna, 'accept');
  project.undo();
  project.close();
  const again = Project.open(file, { reader: ben, trusted: true });
  read(again, ben, 'reject');
  again.edit([{ kind: 'case-note', caseId: again.caseIdOf('other'), before: null, after: 'A note.' }]);
  again.close();
}

function read(project: Project, { readerId }: Reader, decision: 'accept' | 'reject'): void {
  const of = { runId: 'volume', readerId };
  const verdict = { decision, reasons: [], comment: '' };
  project.edit([{ kind: 'verdict', ...of, step: 0, before: null, after: verdict }]);
  project.edit([
    { kind: 'verdict', ...of, step: 1, before: null, after: { ...verdict, decision: 'correct' } },
    { kind: 'box', ...of, step: 1, before: null, after: { min: [5.5, 8.5, 1.5], max: [24.5, 31.5, 6.5] } },
  ]);
  project.edit([
    { kind: 'reading', ...of, before: null, after: { status: 'done', activeMs: 61_000, revealed: true } },
  ]);
  project.edit([{ kind: 'comment', ...of, before: null, after: `Read by ${readerId}.` }]);
}
