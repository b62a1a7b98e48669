/**
 * Brings a run of the project to the reader: its trace and reviews at once, its images as soon as they are open. The run
 * is put into the chat as well, where it can be replayed; no model is needed for any of it.
 */
import type { Ask, StudyView } from '../../src-contract/channels.ts';
import { toReadroomError } from '../../src-contract/errors.ts';
import { openSteps, type Review } from '../../src-contract/review.ts';
import { summarizeEvents, type Trace, type TraceSummary } from '../../src-contract/trace.ts';
import { useCases } from '../project/cases-store.ts';
import { rememberCase } from '../project/project-store.ts';
import { call, on } from '../state/bridge.ts';
import { useOverlay } from '../state/overlay.ts';
import { loadRun, useRuns } from '../state/run-store.ts';
import { type SeriesRef, useStudies } from '../state/study-store.ts';
import { useUi } from '../state/ui-store.ts';
import { keepTime, settled } from './edits.ts';
import { boxIds, isBlind, mustHideModel, type Place, useReview } from './review-store.ts';
import { startTimer, stopTimer } from './timer.ts';

/** The series of an open study that a trace is about. */
export function findSeriesOf(trace: Trace, studies: readonly StudyView[]): SeriesRef | null {
  const [columns, rows, slices] = trace.chain.sourceSize;
  for (const { studyId, series } of studies) {
    const found = series.find(({ id }) => id === trace.series?.id);
    if (found) return { studyId, seriesId: found.id };
  }
  if (trace.series) return null;
  // A trace without a series is of one picture: the same size will do.
  for (const { studyId, series } of studies) {
    const found = series.find((one) => one.columns === columns && one.rows === rows && one.slices === slices);
    if (found) return { studyId, seriesId: found.id };
  }
  return null;
}

/** The slice that a 2D run is about, from its chain: slices of one image differ in nothing else. */
export function sliceOf(trace: Trace): number | null {
  const started = trace.events[0];
  if (started?.type === 'run-started' && started.mode === '3d') return null;
  return Math.round(trace.chain.canonicalToSource[11]);
}

export function askOf(trace: Trace, ref: SeriesRef): Ask {
  const { started } = summarizeEvents(trace.events.slice(0, 1));
  const slice = sliceOf(trace);
  return {
    ...ref,
    target: slice === null ? { kind: 'volume' } : { kind: 'slice', slice },
    question: trace.question,
    options: trace.options,
    preset: started?.preset ?? 'grounded',
  };
}

/** Opens the study of a case where it is not open; null: the person did not say where it is. */
export async function openStudyOf(caseId: string): Promise<StudyView | null> {
  // It may be open before the call is answered.
  const early = new Map<string, StudyView | Error>();
  let settle: ((openId: string, outcome: StudyView | Error) => void) | null = null;
  const tell = (openId: string, outcome: StudyView | Error) =>
    settle ? settle(openId, outcome) : void early.set(openId, outcome);
  const stops = [
    on('study.opened', ({ openId, study }) => tell(openId, study)),
    on('study.failed', ({ openId, error }) => tell(openId, toReadroomError(new Error(error.message)))),
  ];
  try {
    const asked = await call('project.openStudy', { caseId });
    if (!asked) return null;
    const open = useStudies.getState().studies.find(({ studyId }) => studyId === asked.openId);
    const outcome =
      open ??
      early.get(asked.openId) ??
      (await new Promise<StudyView | Error>((resolve) => {
        settle = (openId, one) => openId === asked.openId && resolve(one);
      }));
    if (outcome instanceof Error) throw outcome;
    return outcome;
  } finally {
    for (const stop of stops) stop();
  }
}

/** The series of a trace on screen: an open study's, else the study of the case is opened. */
export async function seriesFor(caseId: string, trace: Trace): Promise<SeriesRef | null> {
  const open = findSeriesOf(trace, useStudies.getState().studies);
  if (open) return open;
  const study = await openStudyOf(caseId);
  return study && findSeriesOf(trace, [study]);
}

/** Opens the images of the run in hand; where they are not where they were, the person is asked for them. */
export async function openImages(): Promise<void> {
  const { session } = useReview.getState();
  if (!session) return;
  const { runId, caseId, trace } = session;
  const isHere = () => useReview.getState().session?.runId === runId;
  useReview.setState({ images: { state: 'opening' } });
  try {
    const ref = await seriesFor(caseId, trace);
    if (!isHere()) return;
    useReview.setState({ images: ref ? { state: 'open', ref } : { state: 'missing', error: null } });
    if (ref) useStudies.getState().select(ref);
    showInChat();
  } catch (thrown) {
    if (isHere())
      useReview.setState({ images: { state: 'missing', error: toReadroomError(thrown).toPayload() } });
  }
}

/** Takes the runs that came from the project out of the chat: who reads now may not have asked to see them. */
export function clearRecorded(): void {
  const { order, runs, remove } = useRuns.getState();
  for (const id of order) if (runs[id].recorded) remove(id);
}

/** Puts the run into the chat and its boxes over the images, unless the reader is to see the images alone first. */
export function showInChat(): void {
  const { session, images } = useReview.getState();
  if (!session || images.state !== 'open') return;
  const { runId, trace } = session;
  const { showBoxes, runs, order } = useRuns.getState();
  const blind = isBlind(useReview.getState());
  rememberCase(runId, session.caseId);
  if (!blind) loadRun(runId, askOf(trace, images.ref), trace);
  // What was asked in this window stays; what came from the project came for eyes that might see it.
  else if (runs[runId]?.recorded) useRuns.getState().remove(runId);
  // The boxes of one run at a time: those of others would be taken for its own.
  for (const id of order) if (id !== runId && runs[id].boxesShown) showBoxes(id, false);
  if (useRuns.getState().runs[runId]) showBoxes(runId, !blind);
}

/** Where a reading begins: the first step that is not decided on. */
export function firstPlace(own: Review, summary: TraceSummary): Place {
  const [first] = openSteps(own, summary);
  return summary.steps.length === 0 ? { kind: 'closing' } : { kind: 'step', step: first ?? 0 };
}

let asked = 0;

/** @param place where to begin; by default the first step that is not decided on */
export async function openRun(runId: string, caseId: string, place?: Place): Promise<void> {
  const ui = useUi.getState();
  ui.showSide('review');
  const { session } = useReview.getState();
  if (session?.runId === runId) {
    if (place) useReview.setState({ place, typing: null });
    return;
  }
  const request = ++asked;
  useReview.setState({ opening: runId, failure: null });
  await keepTime();
  await settled();
  try {
    const [trace, reviews] = await Promise.all([
      call('project.trace', { runId }),
      call('review.get', { runId }),
    ]);
    if (request !== asked) return;
    const summary = summarizeEvents(trace.events);
    useReview.setState({
      session: { runId, caseId, trace, summary, veiled: mustHideModel(reviews) },
      ...reviews,
      opening: null,
      place: place ?? firstPlace(reviews.own, summary),
      typing: null,
      correcting: null,
      unsaved: null,
      savedAt: null,
    });
    if (reviews.own.reading?.status === 'done') stopTimer();
    else startTimer(reviews.own.reading?.activeMs ?? 0);
    await openImages();
  } catch (thrown) {
    if (request === asked)
      useReview.setState({ opening: null, failure: toReadroomError(thrown).toPayload() });
  }
}

/** Leaves the run: nothing is lost, everything was saved as it was made. */
export async function closeRun(): Promise<void> {
  asked++;
  await keepTime();
  stopTimer();
  useReview.setState({ session: null, own: null, others: [], hidden: 0, typing: null, correcting: null });
}

/** The next run, in the order of the list, that this reader has not finished; after the last, from the top again. */
export async function openNextRun(): Promise<void> {
  const { session } = useReview.getState();
  const { notify, report } = useUi.getState();
  const { filter, sort } = useCases.getState();
  try {
    const next = await call('review.next', { after: session?.runId ?? null, filter, sort });
    if (next) await openRun(next.runId, next.caseId);
    else notify({ tone: 'info', message: 'No other unfinished run is in this list.' });
  } catch (thrown) {
    report(thrown);
  }
}

/** The next step, or added box, on which readers differ and nobody has settled it: after the one in hand. */
export async function openNextDifference(): Promise<void> {
  const { session, place } = useReview.getState();
  const { notify, report } = useUi.getState();
  try {
    const { rows } = await call('project.disagreements', { filter: useCases.getState().filter });
    const open = rows.filter(({ settled: isSettled }) => !isSettled);
    const step = place.kind === 'step' ? place.step : null;
    const here = open.findIndex((row) => row.runId === session?.runId && row.step === step);
    const next = open[(here + 1) % Math.max(1, open.length)];
    if (!next || (here >= 0 && open.length === 1)) {
      notify({ tone: 'info', message: 'Readers do not differ on anything else that is not settled.' });
      return;
    }
    await openRun(
      next.runId,
      next.caseId,
      next.step === null ? { kind: 'closing' } : { kind: 'step', step: next.step },
    );
    showPlaceOf();
  } catch (thrown) {
    report(thrown);
  }
}

/** To the box of the step in hand. */
function showPlaceOf(): void {
  const { session, place } = useReview.getState();
  if (session && place.kind === 'step') useOverlay.getState().show(boxIds.model(session.runId, place.step));
}
