/** The course of a reading: finished, reopened, the model shown; the last change taken back and made again. */
import { useProject } from '../project/project-store.ts';
import { call } from '../state/bridge.ts';
import { useReaderBoxes } from '../state/reader-boxes.ts';
import { useUi } from '../state/ui-store.ts';
import { endCorrecting } from './decisions.ts';
import { hasDrafts, useDrafts } from './drafts/draft-store.ts';
import { change, refreshReviews, settled } from './edits.ts';
import { openRun, showInChat } from './open-run.ts';
import { isDone, mustHideModel, useReview } from './review-store.ts';
import { activeMs, startTimer, stopTimer } from './timer.ts';

export async function finishReading(): Promise<void> {
  const { session, own } = useReview.getState();
  if (!session || !own || isDone({ own })) return;
  endCorrecting();
  useReaderBoxes.getState().take(null);
  const reading = { activeMs: activeMs(), revealed: own.reading?.revealed ?? false };
  const saved = await change([{ kind: 'reading', after: { ...reading, status: 'done' } }]);
  if (!saved) return;
  stopTimer();
  if (hasDrafts(useDrafts.getState(), session.runId)) {
    useUi.getState().notify({
      tone: 'info',
      message: 'The reading is finished; some words that you typed were not kept.',
      remedy: 'They are marked as unsaved. Reopen the reading to keep or discard them.',
    });
  }
  // What was hidden until now may be seen.
  await settled();
  await refreshReviews().catch(useUi.getState().report);
  showInChat();
}

export async function reopenReading(): Promise<void> {
  const { own } = useReview.getState();
  if (!own?.reading || !isDone({ own })) return;
  startTimer(own.reading.activeMs);
  await change([{ kind: 'reading', after: { ...own.reading, status: 'reading' } }]);
}

/** Shows the model's words and boxes to a reader who has looked at the images alone: veil.ts fetches them. */
export async function reveal(): Promise<void> {
  const { own } = useReview.getState();
  if (!own || !mustHideModel({ own })) return;
  const after = { status: 'reading' as const, activeMs: activeMs(), revealed: true };
  await change([{ kind: 'reading', after }]);
}

/** Takes the last change back, or makes it again, and goes where it was. */
async function step(call_: 'review.undo' | 'review.redo', word: string): Promise<void> {
  const { notify, report } = useUi.getState();
  const { undo } = useProject.getState().view ?? {};
  const label = call_ === 'review.undo' ? undo?.undo : undo?.redo;
  await settled();
  try {
    const touched = await call(call_, {});
    if (!touched) {
      notify({ tone: 'info', message: call_ === 'review.undo' ? 'Nothing to undo.' : 'Nothing to redo.' });
      return;
    }
    notify({ tone: 'info', message: label ? `${word}: ${label}.` : `${word}.` });
    await refreshReviews();
    const { runId, caseId } = touched;
    if (runId && caseId) await openRun(runId, caseId);
  } catch (thrown) {
    report(thrown);
  }
}

export const undo = (): Promise<void> => step('review.undo', 'Undone');
export const redo = (): Promise<void> => step('review.redo', 'Done again');
