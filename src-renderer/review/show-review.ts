/** Brings the review to the right: the run in hand, else the newest one of the study that is in the project. */
import { useProject } from '../project/project-store.ts';
import { useRuns } from '../state/run-store.ts';
import { useStudies } from '../state/study-store.ts';
import { useUi } from '../state/ui-store.ts';
import { openRun } from './open-run.ts';
import { useReview } from './review-store.ts';

export function showReview(): void {
  useUi.getState().showSide('review');
  if (useReview.getState().session) return;
  const studyId = useStudies.getState().selected?.studyId;
  const { order, runs } = useRuns.getState();
  const { caseOfRun } = useProject.getState();
  const newest = order.findLast((id) => runs[id].ask.studyId === studyId && caseOfRun[id] !== undefined);
  if (newest) void openRun(newest, caseOfRun[newest]);
}
