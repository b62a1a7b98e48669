/** From reviews to boxes over the images: the reader's own, those that were added, and others' where they may be seen. */
import type { Review } from '../../src-contract/review.ts';
import { type SourceBox, sourceBoxOf } from '../../src-contract/source-box.ts';
import { initials, readerClass, readerName, useProject } from '../project/project-store.ts';
import { useOverlay } from '../state/overlay.ts';
import { type ReaderBox, setBoxKeeper, useReaderBoxes } from '../state/reader-boxes.ts';
import { stepColour } from '../state/run-boxes.ts';
import { useUi } from '../state/ui-store.ts';
import { keep } from './decisions.ts';
import { sliceOf } from './open-run.ts';
import { boxIds, isBlind, isDone, type ReviewState, useReview } from './review-store.ts';

/** Boxes of the run in hand, those of others last. */
export function readerBoxes(state: ReviewState): ReaderBox[] {
  const { session, own, others, images, correcting, showOthers } = state;
  if (!session || !own || images.state !== 'open') return [];
  const { runId, trace, summary } = session;
  const { chain } = trace;
  const base = { ...images.ref, chain, slice: sliceOf(trace) };
  const editable = !isDone(state);
  const model = (step: number): SourceBox | null => {
    const found = summary.steps[step];
    return found ? sourceBoxOf(found.box.located) : null;
  };
  const steps = isBlind(state) ? [] : summary.steps.map(({ step }) => step);
  const corrected = steps.flatMap((step): ReaderBox[] => {
    const drawn = own.boxes[step] ?? (correcting === step ? model(step) : null);
    if (!drawn) return [];
    const colour = `step-${stepColour(step)}`;
    const id = boxIds.corrected(runId, step);
    return [{ ...base, id, box: drawn, label: `${step + 1}′`, colour, editable, model: model(step) }];
  });
  const added = Object.entries(own.added).map(
    ([boxId, { box }], n): ReaderBox => ({
      ...base,
      id: boxIds.added(runId, boxId),
      box,
      label: `+${n + 1}`,
      colour: 'reader-0',
      editable,
      model: null,
    }),
  );
  const theirs = showOthers ? others.flatMap((review) => boxesOf(review, base, runId)) : [];
  return [...corrected, ...added, ...theirs];
}

function boxesOf(
  review: Review,
  base: Pick<ReaderBox, 'studyId' | 'seriesId' | 'chain' | 'slice'>,
  runId: string,
): ReaderBox[] {
  const readers = useProject.getState().view?.readers ?? [];
  const { readerId } = review;
  const who = initials(readerName(readers, readerId));
  const shared = { ...base, colour: readerClass(readers, readerId), editable: false, model: null };
  const boxes = [
    ...Object.entries(review.boxes).map(([step, box]) => ({
      key: step,
      box,
      name: String(Number(step) + 1),
    })),
    ...Object.entries(review.added).map(([boxId, { box }], n) => ({ key: boxId, box, name: `+${n + 1}` })),
  ];
  return boxes.map(({ key, box, name }) => ({
    ...shared,
    id: boxIds.other(runId, readerId, key),
    box,
    label: `${name} ${who}`,
  }));
}

/** What the decisions make of the model's boxes. */
export function marksOf({ session, own, correcting }: ReviewState): Record<string, 'corrected' | 'rejected'> {
  const marks: Record<string, 'corrected' | 'rejected'> = {};
  if (!session || !own) return marks;
  for (const { step } of session.summary.steps) {
    const id = boxIds.model(session.runId, step);
    if (own.boxes[step] || correcting === step) marks[id] = 'corrected';
    else if (own.verdicts[step]?.decision === 'reject') marks[id] = 'rejected';
  }
  return marks;
}

/** Keeps the viewer's boxes those of the review in hand, as long as the review is on the right. */
export function connectReaderBoxes(): void {
  setBoxKeeper((id, box) => void keep(id, box));
  const draw = (): void => {
    const { side } = useUi.getState();
    const state = useReview.getState();
    const shown = side === 'review';
    useReaderBoxes.getState().setBoxes(shown ? readerBoxes(state) : []);
    useOverlay.getState().setMarks(shown ? marksOf(state) : {});
    if (!shown && useReaderBoxes.getState().drawing) useReaderBoxes.getState().draw(null);
  };
  useReview.subscribe((state, before) => {
    const parts = ['session', 'own', 'others', 'images', 'correcting', 'showOthers'] as const;
    if (parts.some((part) => state[part] !== before[part])) draw();
  });
  useUi.subscribe((state, before) => {
    if (state.side !== before.side) draw();
  });
  // A box taken in the viewer is the one that is read; one that is let go is no longer being corrected.
  useReaderBoxes.subscribe((state, before) => {
    if (state.inHand === before.inHand) return;
    const { session, correcting } = useReview.getState();
    if (!session) return;
    if (state.inHand === null) {
      if (correcting !== null && !state.drawing) useReview.setState({ correcting: null });
      return;
    }
    const [kind, runId, key] = state.inHand.split(':');
    if (runId !== session.runId || !key) return;
    if (kind === 'added') useReview.setState({ place: { kind: 'added', boxId: key } });
    if (kind === 'corrected')
      useReview.setState({ place: { kind: 'step', step: Number(key) }, correcting: Number(key) });
  });
}
