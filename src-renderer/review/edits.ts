/**
 * Edits on their way to the disk. What a person did is shown at once and sent in order; a change counts as saved when
 * its call is answered. What could not be saved is kept, with the person's words, until it is tried again.
 */
import { toReadroomError } from '../../src-contract/errors.ts';
import { applyEdits, type Edit, type Review } from '../../src-contract/review.ts';
import { call } from '../state/bridge.ts';
import { isDone, useReview } from './review-store.ts';
import { activeMs } from './timer.ts';

type WithoutBefore<E> = E extends Edit ? Omit<E, 'before' | 'runId' | 'readerId'> : never;
/** An edit of the own review as it is wished: what was there before is found when it is made. */
export type Wish = WithoutBefore<Extract<Edit, { runId: string }>>;

/** What a register of a review holds. */
function held(review: Review, wish: Wish): Edit['before'] {
  switch (wish.kind) {
    case 'verdict':
      return review.verdicts[wish.step] ?? null;
    case 'box':
      return review.boxes[wish.step] ?? null;
    case 'added':
      return review.added[wish.boxId] ?? null;
    case 'sentence':
      return review.sentences[wish.part] ?? null;
    case 'answer':
      return review.answer;
    case 'comment':
      return review.comment === '' ? null : review.comment;
    case 'reading':
      return review.reading;
    default:
      return wish satisfies never;
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The edits that carry out wishes on a review, without those that change nothing. */
export function editsFor(review: Review, wishes: readonly Wish[]): Edit[] {
  const { runId, readerId } = review;
  const edits: Edit[] = [];
  let now = review;
  for (const wish of wishes) {
    const before = held(now, wish);
    if (same(before, wish.after)) continue;
    const edit = { ...wish, runId, readerId, before } as Edit;
    edits.push(edit);
    now = applyEdits(now, [edit]);
  }
  return edits;
}

/** The time spent so far goes along with every change, so that a pause or a crash costs none of it. */
function withReading(review: Review, wishes: readonly Wish[]): readonly Wish[] {
  if (wishes.some(({ kind }) => kind === 'reading')) return wishes;
  const { status, revealed } = review.reading ?? { status: 'reading', revealed: false };
  return [...wishes, { kind: 'reading', after: { status, revealed, activeMs: activeMs() } }];
}

let queue: Promise<unknown> = Promise.resolve();

/** Brings the shown review up to what the project holds, unless more changes are on their way. */
export async function refreshReviews(): Promise<void> {
  const { session, saving } = useReview.getState();
  if (!session || saving > 0) return;
  const { runId } = session;
  const { own, others, hidden } = await call('review.get', { runId });
  const now = useReview.getState();
  if (now.session?.runId === runId && now.saving === 0) useReview.setState({ own, others, hidden });
}

/**
 * Carries out what a person did as one change.
 * @returns true when it is on the disk; false when it is kept as unsaved
 */
export function change(wishes: readonly Wish[]): Promise<boolean> {
  const { own, session, unsaved } = useReview.getState();
  if (!own || !session) return Promise.resolve(false);
  // What could not be saved before goes along: a later change must not be the end of it.
  const all = [...(unsaved?.wishes ?? []), ...wishes];
  if (editsFor(own, all).length === 0) {
    useReview.setState({ unsaved: null });
    return Promise.resolve(true);
  }
  const edits = editsFor(own, withReading(own, all));
  useReview.setState(({ saving }) => ({ own: applyEdits(own, edits), saving: saving + 1, unsaved: null }));
  const sent = queue.then(() => send(session.runId, all, edits));
  queue = sent;
  return sent;
}

/** Where the project's process died under the call, it is started again by the next one: what is still missing is sent. */
async function deliver(runId: string, wishes: readonly Wish[], edits: Edit[]): Promise<void> {
  try {
    await call('review.edit', { edits });
  } catch (thrown) {
    if (toReadroomError(thrown).code !== 'project-died') throw thrown;
    // It may have reached the disk before the end, its answer lost on the way.
    const { own } = await call('review.get', { runId });
    const left = editsFor(own, wishes);
    if (left.length > 0) await call('review.edit', { edits: left });
  }
}

async function send(runId: string, wishes: readonly Wish[], edits: Edit[]): Promise<boolean> {
  let error: unknown = null;
  try {
    await deliver(runId, wishes, edits);
  } catch (thrown) {
    error = thrown;
  }
  const isHere = useReview.getState().session?.runId === runId;
  useReview.setState(({ saving, unsaved }) => ({
    saving: saving - 1,
    savedAt: error === null ? Date.now() : null,
    unsaved:
      error === null || !isHere
        ? unsaved
        : { wishes: [...(unsaved?.wishes ?? []), ...wishes], error: toReadroomError(error).toPayload() },
  }));
  if (error !== null) await refreshReviews().catch(() => undefined);
  return error === null;
}

/** Tries again what could not be saved, on what the project holds now. */
export async function retryUnsaved(): Promise<void> {
  const { unsaved } = useReview.getState();
  if (!unsaved) return;
  await refreshReviews().catch(() => undefined);
  // They go along with every change, so with one of nothing more as well.
  await change([]);
}

/** Resolves when everything that was done is on the disk, or known not to be. */
export const settled = (): Promise<unknown> => queue;

/** Writes the time of a reading that is left unfinished. */
export async function keepTime(): Promise<void> {
  const { own } = useReview.getState();
  if (!own?.reading || isDone({ own })) return;
  const spent = activeMs();
  if (spent - own.reading.activeMs < 1_000) return;
  await change([{ kind: 'reading', after: { ...own.reading, activeMs: spent } }]);
}
