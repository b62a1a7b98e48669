/** What a reader does with a run: every function here is one change, which undo takes back in one go. */
import {
  type AddedBox,
  type AmendedAnswer,
  openSteps,
  type RejectReason,
  type Verdict,
} from '../../src-contract/review.ts';
import { clipToSource, type SourceBox, sourceBoxOf } from '../../src-contract/source-box.ts';
import { useOverlay } from '../state/overlay.ts';
import { useReaderBoxes } from '../state/reader-boxes.ts';
import { useRuns } from '../state/run-store.ts';
import { useUi } from '../state/ui-store.ts';
import { change, type Wish } from './edits.ts';
import { sliceOf } from './open-run.ts';
import {
  boxIds,
  isBlind,
  isDone,
  type Place,
  type ReviewState,
  type Typing,
  useReview,
} from './review-store.ts';

const plain: Omit<Verdict, 'decision'> = { reasons: [], comment: '' };

/** The step that decisions are about: the one the reader is on. */
export function stepInHand({ place }: Pick<ReviewState, 'place'>): number | null {
  return place.kind === 'step' ? place.step : null;
}

/** May something be changed now? A finished reading says why not. */
function mayChange(): boolean {
  const state = useReview.getState();
  // What is pressed while another run is on its way is meant for that one.
  if (!state.session || !state.own || state.opening !== null) return false;
  if (!isDone(state)) return true;
  useUi.getState().notify({
    tone: 'info',
    message: 'This reading is finished.',
    remedy: 'Reopen it to change something.',
  });
  return false;
}

/** All places of a run, in the order of reading. */
export function placesOf({ session, own }: Pick<ReviewState, 'session' | 'own'>): Place[] {
  if (!session) return [];
  const steps = session.summary.steps.map(({ step }): Place => ({ kind: 'step', step }));
  const added = Object.keys(own?.added ?? {}).map((boxId): Place => ({ kind: 'added', boxId }));
  return [...steps, { kind: 'closing' }, ...added];
}

const samePlace = (a: Place, b: Place): boolean => JSON.stringify(a) === JSON.stringify(b);

export function goTo(place: Place, show = true): void {
  const { correcting } = useReview.getState();
  useReview.setState({ place, typing: null });
  if (correcting !== null && !(place.kind === 'step' && place.step === correcting)) endCorrecting();
  if (show) showPlace(false);
}

export function walk(by: 1 | -1): void {
  const state = useReview.getState();
  const places = isBlind(state) ? placesOf(state).filter(({ kind }) => kind === 'added') : placesOf(state);
  if (places.length === 0) return;
  const here = places.findIndex((one) => samePlace(one, state.place));
  goTo(places[Math.min(places.length - 1, Math.max(0, here + by))] ?? places[0]);
}

/** Id of the box that a place is about: the corrected one where there is one. */
export function boxOfPlace({ session, own, place }: ReviewState): string | null {
  if (!session) return null;
  const { runId } = session;
  if (place.kind === 'added') return boxIds.added(runId, place.boxId);
  if (place.kind === 'closing') return null;
  return own?.boxes[place.step] ? boxIds.corrected(runId, place.step) : boxIds.model(runId, place.step);
}

/** Takes the viewer to the place in hand; `close` zooms in on it. */
export function showPlace(close: boolean): void {
  const id = boxOfPlace(useReview.getState());
  if (id) useOverlay.getState().show(id, close);
}

/** After a decision: on to the next step that is open, if there is one. */
function goOn(step: number): void {
  const { session, own } = useReview.getState();
  if (!session || !own) return;
  const open = openSteps(own, session.summary).filter((one) => one !== step);
  const next = open.find((one) => one > step) ?? open[0];
  if (next !== undefined) goTo({ kind: 'step', step: next });
  else useReview.setState({ typing: null });
}

function decide(wishes: readonly Wish[]): Promise<boolean> {
  endCorrecting();
  return change(wishes);
}

export function accept(): void {
  const step = stepInHand(useReview.getState());
  if (step === null || !mayChange() || isBlind(useReview.getState())) return;
  // Accepting the model's box takes a correction back.
  void decide([
    { kind: 'verdict', step, after: { decision: 'accept', ...plain } },
    { kind: 'box', step, after: null },
  ]);
  goOn(step);
}

export function startReject(): void {
  const step = stepInHand(useReview.getState());
  if (step === null || !mayChange() || isBlind(useReview.getState())) return;
  endCorrecting();
  useReview.setState({ typing: { kind: 'reject', step } });
}

/** @returns true when it is on the disk */
export async function reject(
  step: number,
  reasons: readonly RejectReason[],
  comment: string,
): Promise<boolean> {
  if (!mayChange()) return false;
  const saved = await decide([
    { kind: 'verdict', step, after: { decision: 'reject', reasons: [...reasons], comment: comment.trim() } },
    { kind: 'box', step, after: null },
  ]);
  if (saved) goOn(step);
  return saved;
}

/** Takes the decision on a step back, its correction as well. */
export function clearDecision(step: number): void {
  if (!mayChange()) return;
  void decide([
    { kind: 'verdict', step, after: null },
    { kind: 'box', step, after: null },
  ]);
}

/** The step's box gets handles; the first drag makes it a correction. */
export function startCorrect(): void {
  const state = useReview.getState();
  const step = stepInHand(state);
  const { session, images } = state;
  if (step === null || !session || !mayChange() || isBlind(state)) return;
  if (images.state !== 'open') {
    useUi.getState().notify({ tone: 'info', message: 'A box can be corrected when the images are open.' });
    return;
  }
  const { boxesShown } = useRuns.getState().runs[session.runId] ?? {};
  if (boxesShown === false) useRuns.getState().showBoxes(session.runId, true);
  useOverlay.getState().setVisible(true);
  useReview.setState({ correcting: step, typing: null });
  useReaderBoxes.getState().take(boxIds.corrected(session.runId, step));
  showPlace(false);
  document.querySelector<HTMLElement>('[data-viewport].active, [data-viewport]')?.focus();
}

export function endCorrecting(): void {
  if (useReview.getState().correcting === null) return;
  useReview.setState({ correcting: null });
  useReaderBoxes.getState().take(null);
}

/** The next rectangle that is drawn takes the place of the box in hand. */
export function redraw(): void {
  const state = useReview.getState();
  const { session, images, place, own } = state;
  if (!session || images.state !== 'open' || !mayChange() || isBlind(state)) return;
  const { runId, trace, summary } = session;
  if (place.kind === 'closing') return;
  if (place.kind === 'step') useReview.setState({ correcting: place.step });
  const from =
    place.kind === 'added'
      ? (own?.added[place.boxId]?.box ?? null)
      : (own?.boxes[place.step] ?? sourceBoxOf(summary.steps[place.step].box.located));
  const id = place.kind === 'added' ? boxIds.added(runId, place.boxId) : boxIds.corrected(runId, place.step);
  useReaderBoxes.getState().draw({ ...images.ref, id, slice: sliceOf(trace), from });
}

/** The sentence that a new box belongs to, until the reader says otherwise: the one that was read when it was begun. */
let addingTo: number | null = null;

/** The next rectangle that is drawn is a box that the model missed. */
export function startAdding(): void {
  const state = useReview.getState();
  const { session, images } = state;
  if (!session || !mayChange()) return;
  if (images.state !== 'open') {
    useUi.getState().notify({ tone: 'info', message: 'A box can be drawn when the images are open.' });
    return;
  }
  endCorrecting();
  addingTo = isBlind(state) ? null : stepInHand(state);
  const { runId, trace } = session;
  const id = boxIds.added(runId, crypto.randomUUID());
  useReaderBoxes.getState().draw({ ...images.ref, id, slice: sliceOf(trace), from: null });
}

/** Keeps a box that was drawn or changed in the viewer (or by its numbers). */
export async function keep(id: string, box: SourceBox): Promise<void> {
  const { session, own } = useReview.getState();
  if (!session || !own || !mayChange()) return;
  const inside = clipToSource(session.trace.chain, box);
  if (!inside) return;
  const [kind, runId, key] = id.split(':');
  if (runId !== session.runId || !key) return;
  if (kind === 'corrected') {
    const step = Number(key);
    const { comment = '', decision } = own.verdicts[step] ?? {};
    await change([
      // Why it was rejected no longer holds; what was said of it may.
      {
        kind: 'verdict',
        step,
        after: decision === 'correct' ? own.verdicts[step] : { ...plain, decision: 'correct', comment },
      },
      { kind: 'box', step, after: inside },
    ]);
    return;
  }
  const known = own.added[key];
  await change([
    {
      kind: 'added',
      boxId: key,
      after: { label: known?.label ?? '', part: known ? known.part : addingTo, box: inside },
    },
  ]);
  if (!known) {
    useReview.setState({ place: { kind: 'added', boxId: key }, typing: { kind: 'label', boxId: key } });
    useReaderBoxes.getState().take(id);
  }
}

export function setAdded(
  boxId: string,
  part: Partial<{ label: string; part: number | null }>,
): Promise<boolean> {
  const { own } = useReview.getState();
  const known = own?.added[boxId];
  if (!known || !mayChange()) return Promise.resolve(false);
  return change([{ kind: 'added', boxId, after: { ...known, ...part } }]);
}

export function removeAdded(boxId: string): void {
  if (!mayChange()) return;
  useReaderBoxes.getState().take(null);
  void change([{ kind: 'added', boxId, after: null }]);
  const { session } = useReview.getState();
  if (session && session.summary.steps.length > 0) goTo({ kind: 'step', step: 0 }, false);
  else useReview.setState({ place: { kind: 'closing' } });
}

export function startTyping(typing: Typing | null): void {
  if (typing === null || mayChange()) useReview.setState({ typing });
}

/** Empty, or as the model wrote it: no amendment. */
export function amendSentence(part: number, text: string, original: string): Promise<boolean> {
  if (!mayChange()) return Promise.resolve(false);
  const words = text.trim();
  return change([{ kind: 'sentence', part, after: words === '' || words === original ? null : words }]);
}

export const amendAnswer = (after: AmendedAnswer | null): Promise<boolean> =>
  mayChange() ? change([{ kind: 'answer', after }]) : Promise.resolve(false);

export const setComment = (text: string): Promise<boolean> =>
  mayChange()
    ? change([{ kind: 'comment', after: text.trim() === '' ? null : text.trim() }])
    : Promise.resolve(false);

/** Another reader's decision on a step, taken over as one's own. */
export function takeOver(step: number, verdict: Verdict, box: SourceBox | null): void {
  if (!mayChange()) return;
  void change([
    { kind: 'verdict', step, after: verdict },
    { kind: 'box', step, after: box },
  ]);
}

/** Another reader's added box, taken over as one's own. */
export function adopt(box: AddedBox): void {
  if (!mayChange()) return;
  void change([{ kind: 'added', boxId: crypto.randomUUID(), after: box }]);
}
