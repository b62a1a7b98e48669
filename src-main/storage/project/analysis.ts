/** What is worked out over many runs of a project: agreement of readers, and runs beside each other. */
import type { Comparison, Consistency } from '../../../src-contract/comparison.ts';
import type { Agreement, CaseFilter, Disagreement, Reader } from '../../../src-contract/project.ts';
import { agreementOf } from '../../review/agreement/agreement.ts';
import { listDisagreements } from '../../review/agreement/disagreements.ts';
import type { ReviewedRun } from '../../review/agreement/reviewed-run.ts';
import { type ComparedRun, compareRuns } from '../../review/compare/compare-runs.ts';
import { consistencyOf, cuboidOf, sliceRunsOf } from '../../review/compare/consistency.ts';
import { isModelHidden, modelHidden, requireModelShown } from './model-veil.ts';
import type { Project } from './project.ts';
import { runsWhere } from './queries.ts';
import { readersOf, reviewedRun } from './reviews.ts';

/** Runs that someone has finished, as far as the asking reader may know what others say of them. */
function* reviewedRuns(
  { db }: Project,
  reader: Reader,
  filter: CaseFilter,
  only: 'finished' | 'disagreeing',
): Generator<ReviewedRun> {
  const condition = only === 'finished' ? 'r.finished > 0' : 'r.disagreement = 1';
  for (const runId of runsWhere(db, reader, filter, condition)) {
    const run = reviewedRun(db, runId);
    if (run) yield run;
  }
}

export const agreementIn = (project: Project, filter: CaseFilter): Agreement =>
  agreementOf(reviewedRuns(project, project.reader, filter, 'finished'), readersOf(project.db));

export const disagreementsIn = (project: Project, filter: CaseFilter): Disagreement[] =>
  listDisagreements(reviewedRuns(project, project.reader, filter, 'disagreeing'), readersOf(project.db));

export const comparedRun = (project: Project, runId: string): ComparedRun => ({
  runId,
  trace: project.trace(runId),
});

/** @throws ReadroomError 'input-invalid' where the model is hidden from the reader on one of them */
export function compareIn(project: Project, a: string, b: string): Comparison {
  for (const runId of [a, b]) requireModelShown(project, runId);
  return compareRuns(comparedRun(project, a), comparedRun(project, b));
}

/** With the 2D runs of the same case. @throws ReadroomError as consistencyOf and shownSliceRuns */
export function consistencyIn(project: Project, runId: string): Consistency {
  requireModelShown(project, runId);
  const volume = comparedRun(project, runId);
  return consistencyOf(volume, shownSliceRuns(project, volume, sliceRunsIn(project, volume)).values());
}

/** The 2D runs that belong to a volume run, by slice; those that the reader may not see yet as well. */
export const sliceRunsIn = (project: Project, volume: ComparedRun): Map<number, ComparedRun> =>
  sliceRunsOf(volume, caseRuns(project, volume.runId));

/**
 * Those of them on which the reader may see the model.
 * @throws ReadroomError 'input-invalid' where there are some, and the model is hidden on every one
 */
export function shownSliceRuns(
  { db, reader }: Project,
  volume: ComparedRun,
  sliceRuns: ReadonlyMap<number, ComparedRun>,
): Map<number, ComparedRun> {
  const shown = [...sliceRuns].filter(([, { runId }]) => !isModelHidden(db, runId, reader));
  if (shown.length === 0 && sliceRuns.size > 0 && cuboidOf(volume.trace))
    throw modelHidden('The model is hidden from you on the runs on the slices of this volume.');
  return new Map(shown);
}

/** 2D runs of a run's case that ask the same question, one at a time. */
function* caseRuns(project: Project, runId: string): Generator<ComparedRun> {
  const slices = project.db.all<{ run_id: string }>(
    `SELECT run_id FROM runs WHERE mode = '2d' AND case_id = ? AND question =
       (SELECT question FROM runs WHERE run_id = ?) ORDER BY created_at, run_id`,
    [project.caseIdOf(runId), runId],
  );
  for (const { run_id } of slices) yield comparedRun(project, run_id);
}
