/** Runs of a project, one at a time, in the order of its cases. */
import type { CaseFilter, ExportRequest, Reader } from '../../../src-contract/project.ts';
import type { Review } from '../../../src-contract/review.ts';
import { isModelHidden } from '../../storage/project/model-veil.ts';
import { placedSources } from '../../storage/project/places.ts';
import type { Project } from '../../storage/project/project.ts';
import { listCases, listRuns } from '../../storage/project/queries.ts';
import { reviewsFor, reviewsIn } from '../../storage/project/reviews.ts';
import type { ExportRun } from '../export-run.ts';

export type RunSelection = Pick<ExportRequest, 'scope' | 'readerId'>;

export interface ProjectRuns {
  readonly total: number;
  readonly runs: Generator<ExportRun>;
}

/** Cases of one page: titles and counts, no pixels. */
const pageSize = 500;

/**
 * @param blinded true: marks that the project's reader may not see yet are withheld, as they are on the screen
 * @throws ReadroomError 'input-invalid' where there is no such run or case
 */
export function projectRuns(project: Project, selection: RunSelection, blinded: boolean): ProjectRuns {
  const ids = runIds(project, selection.scope);
  const reader = selection.readerId === null ? null : readerOf(project, selection.readerId);
  function* runs(): Generator<ExportRun> {
    for (const { caseId, runId } of ids) yield exportRunOf(project, caseId, runId, reader, blinded);
  }
  return { total: ids.length, runs: runs() };
}

function runIds(project: Project, scope: ExportRequest['scope']): { caseId: string; runId: string }[] {
  switch (scope.kind) {
    case 'run':
      return [{ caseId: project.caseIdOf(scope.runId), runId: scope.runId }];
    case 'case':
      project.case(scope.caseId);
      return runsOfCase(project, scope.caseId);
    case 'project':
      return caseIds(project, scope.filter).flatMap((caseId) => runsOfCase(project, caseId));
  }
}

const runsOfCase = (project: Project, caseId: string): { caseId: string; runId: string }[] =>
  listRuns(project.db, project.reader, caseId).map(({ runId }) => ({ caseId, runId }));

/** All at once: the list must not shift under an export that takes an hour. */
function caseIds(project: Project, filter: CaseFilter): string[] {
  const found: string[] = [];
  for (;;) {
    const { rows } = listCases(project.db, project.reader, {
      filter,
      sort: 'oldest',
      offset: found.length,
      limit: pageSize,
    });
    found.push(...rows.map(({ caseId }) => caseId));
    if (rows.length < pageSize) return found;
  }
}

function readerOf(project: Project, readerId: string): Reader {
  const known = project.readers().find((one) => one.readerId === readerId);
  return known ?? { readerId, name: readerId, role: 'reader' };
}

function exportRunOf(
  project: Project,
  caseId: string,
  runId: string,
  reader: Reader | null,
  blinded: boolean,
): ExportRun {
  const { title, sources } = project.case(caseId);
  const review = reader && reviewOf(project, runId, reader, blinded);
  return {
    runId,
    caseId,
    caseTitle: title,
    trace: project.trace(runId),
    review: review === 'withheld' ? null : review,
    reader: review && review !== 'withheld' ? reader : null,
    withheld:
      review === 'withheld'
        ? `What ${reader?.name} marked is hidden until you have finished reading this run.`
        : blinded && isModelHidden(project.db, runId, project.reader)
          ? 'The model is hidden until you have asked for its reasoning on this run.'
          : undefined,
    sources: placedSources(project.db, sources),
  };
}

function reviewOf(
  project: Project,
  runId: string,
  { readerId }: Reader,
  blinded: boolean,
): Review | null | 'withheld' {
  const all = reviewsIn(project.db, runId);
  const found = all.find((review) => review.readerId === readerId) ?? null;
  if (!found || !blinded || readerId === project.reader.readerId) return found;
  const { others } = reviewsFor(project.db, runId, project.reader);
  return others.some((review) => review.readerId === readerId) ? found : 'withheld';
}
