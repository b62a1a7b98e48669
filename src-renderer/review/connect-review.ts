/** Ties the review to the project and to the studies: who reads, what others changed, which images are there. */
import { readerNow, useProject } from '../project/project-store.ts';
import { on } from '../state/bridge.ts';
import { useStudies } from '../state/study-store.ts';
import { useUi } from '../state/ui-store.ts';
import { keepTime, refreshReviews } from './edits.ts';
import { clearRecorded, showInChat } from './open-run.ts';
import { connectReaderBoxes } from './reader-box-list.ts';
import { useReview } from './review-store.ts';
import { connectTimer, startTimer, stopTimer } from './timer.ts';
import { connectVeil } from './veil.ts';

/** Another reader reads the same run: from what they have said of it, not from what the one before has. */
async function changeReader(): Promise<void> {
  useReview.setState({ own: null, others: [], hidden: 0, typing: null, correcting: null, unsaved: null });
  await refreshReviews().catch(useUi.getState().report);
  const { own } = useReview.getState();
  if (own?.reading?.status === 'done') stopTimer();
  else startTimer(own?.reading?.activeMs ?? 0);
  showInChat();
}

function leave(): void {
  stopTimer();
  useReview.setState({ session: null, own: null, others: [], hidden: 0, typing: null, correcting: null });
}

export function connectReview(): void {
  connectReaderBoxes();
  connectTimer();
  connectVeil();
  window.addEventListener('beforeunload', () => void keepTime());
  on('review.changed', ({ runId }) => {
    if (useReview.getState().session?.runId !== runId) return;
    void refreshReviews().catch(useUi.getState().report);
  });
  useProject.subscribe(({ view }, { view: before }) => {
    if (!view || !before) return;
    const isOther = view.readerId !== before.readerId || view.blinding.model !== before.blinding.model;
    if (isOther && view.blinding.model && readerNow()?.role !== 'adjudicator') clearRecorded();
    if (!useReview.getState().session) return;
    if (view.projectId !== before.projectId) leave();
    else if (view.readerId !== before.readerId) void changeReader();
    else if (view.blinding !== before.blinding) showInChat();
  });
  // Closed images leave the words to be read.
  useStudies.subscribe(({ studies }) => {
    const { images } = useReview.getState();
    if (images.state !== 'open' || studies.some(({ studyId }) => studyId === images.ref.studyId)) return;
    useReview.setState({ images: { state: 'missing', error: null } });
  });
}
