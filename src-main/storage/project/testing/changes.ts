/** The changes of a scripted review, one after the other by number. */
import type { Decision, Edit, Verdict } from '../../../../src-contract/review.ts';
import { seededRandom } from '../../../engine/decode/random.ts';
import type { Project } from '../project.ts';
import { registerValue } from '../reviews.ts';
import { makeTrace } from './make-trace.ts';

export const scriptedRun = 'run';
export const scriptedSteps = 4;

/** @returns the hash of the entry that was written; null where there was nothing to do */
export function nextChange(project: Project, n: number): string | null {
  const random = seededRandom(n + 1);
  const choice = random();
  const before = newest(project);
  if (choice < 0.12) project.undo();
  else if (choice < 0.18) project.redo();
  else if (choice < 0.22)
    project.addRun(makeTrace({ runId: `extra-${n}`, pixels: `p${n % 7}`, steps: 3 }), `Case ${n % 7}`);
  else project.edit(editsOf(project, random));
  const after = newest(project);
  return after === before ? null : after;
}

const newest = ({ db }: Project): string | null =>
  db.get<{ hash: string }>('SELECT hash FROM log ORDER BY id DESC LIMIT 1')?.hash ?? null;

function editsOf(project: Project, random: () => number): Edit[] {
  const of = { runId: scriptedRun, readerId: project.reader.readerId };
  const step = Math.floor(random() * scriptedSteps);
  const decision = (['accept', 'reject', 'correct'] as const)[Math.floor(random() * 3)] as Decision;
  const verdict: Verdict = { decision, reasons: [], comment: String(random()) };
  const low = random() * 5;
  const wanted: Edit[] = [
    { kind: 'verdict', ...of, step, before: null, after: verdict },
    { kind: 'box', ...of, step, before: null, after: { min: [low, 0, 0], max: [low + 9, 8, 4] } },
  ];
  return wanted.map((edit) => ({ ...edit, before: registerValue(project.db, edit) }) as Edit);
}
