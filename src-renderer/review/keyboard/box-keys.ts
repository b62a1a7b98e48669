/** Keys that move the box in hand: by whole voxels, in the way the picture lies on the screen. */

import type { SourceBox } from '../../../src-contract/source-box.ts';
import { boxInHand, keepBox, type ReaderBox, useReaderBoxes } from '../../state/reader-boxes.ts';
import { alongScreen, type PlaneView, type Side, setSide, shift } from '../../viewer/layers/box-handles.ts';
import type { Vec2, Vec3 } from '../../viewer/vector.ts';
import { viewer } from '../../viewer/viewer-handle.ts';
import { isDone, useReview } from '../review-store.ts';

/** The box in hand, if it may be changed. */
function changeable(): ReaderBox | null {
  const box = boxInHand(useReaderBoxes.getState());
  return box?.editable && !isDone(useReview.getState()) ? box : null;
}

/** The plane of the active pane. */
function activePlane(): PlaneView | null {
  const pane = viewer()?.activePane;
  const onScreen = pane?.onScreen;
  const map = pane?.screenMap();
  return onScreen && map ? { axis: onScreen.orientation.axis, slice: onScreen.slice, map } : null;
}

/** Consecutive presses of a key are one change: it is kept when they have ended. */
const burst = 400;
let pending: { id: string; box: SourceBox; timer: ReturnType<typeof setTimeout> } | null = null;

function propose(id: string, box: SourceBox): void {
  if (pending) clearTimeout(pending.timer);
  useReaderBoxes.getState().setDraft({ id, box });
  pending = { id, box, timer: setTimeout(flushKeys, burst) };
}

/** Keeps what the keys have moved so far. */
export function flushKeys(): void {
  if (!pending) return;
  clearTimeout(pending.timer);
  const { id, box } = pending;
  pending = null;
  // Given up with Escape meanwhile.
  if (useReaderBoxes.getState().draft?.id === id) keepBox(id, box);
}

export function nudge(direction: Vec2, by: number): void {
  const box = changeable();
  const plane = activePlane();
  if (!box || !plane) return;
  const { axis, sign } = alongScreen(plane, direction);
  const size: Vec3 = box.chain.sourceSize;
  propose(box.id, shift(box.box, axis, sign * by, { size, snap: true }));
}

/** The box begins or ends at the slice on screen, along the axis that the active pane looks along. */
export function sliceEdge(which: 'first' | 'last'): void {
  const box = changeable();
  const plane = activePlane();
  if (!box || !plane || (box.slice !== null && plane.axis === 2)) return;
  const { axis, slice } = plane;
  const side: Side = which === 'first' ? 'low' : 'high';
  const value = which === 'first' ? slice - 0.5 : slice + 0.5;
  const size: Vec3 = box.chain.sourceSize;
  // Past the other end, the box becomes the one slice.
  const across = which === 'first' ? value >= box.box.max[axis] : value <= box.box.min[axis];
  const other = side === 'low' ? 'high' : 'low';
  const start = across
    ? setSide(box.box, axis, other, which === 'first' ? slice + 0.5 : slice - 0.5, { size, snap: true })
    : box.box;
  keepBox(box.id, setSide(start, axis, side, value, { size, snap: true }));
}
