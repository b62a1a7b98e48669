/**
 * Everything the review does that has a name and a key. The keys hold while the review is on the right and a run is in
 * hand; there they come before the viewer's own single keys.
 */

import { boxInHand, useReaderBoxes } from '../../state/reader-boxes.ts';
import { useUi } from '../../state/ui-store.ts';
import type { ViewerCommand } from '../../viewer/commands.ts';
import { viewer } from '../../viewer/viewer-handle.ts';
import {
  accept,
  redraw,
  removeAdded,
  showPlace,
  startAdding,
  startCorrect,
  startReject,
  startTyping,
  stepInHand,
  walk,
} from '../decisions.ts';
import { openNextDifference, openNextRun } from '../open-run.ts';
import { finishReading, reopenReading, reveal } from '../reading.ts';
import { isBlind, isDone, useReview } from '../review-store.ts';
import { nudge, sliceEdge } from './box-keys.ts';

/** The review is on the right, with a run in it. */
export const isReviewing = (): boolean =>
  useUi.getState().side === 'review' &&
  useUi.getState().chatOpen &&
  useReview.getState().session !== null &&
  useReview.getState().opening === null;

const onStep = (): boolean =>
  isReviewing() && stepInHand(useReview.getState()) !== null && !isBlind(useReview.getState());
const hasBox = (): boolean => isReviewing() && boxInHand(useReaderBoxes.getState()) !== null;
const maySee = (): boolean => isReviewing() && !isBlind(useReview.getState());

const command = (
  id: string,
  title: string,
  shortcut: string | undefined,
  run: () => void,
  enabled: () => boolean = isReviewing,
): ViewerCommand => ({ id: `review-${id}`, title, shortcut, run, enabled });

function amend(): void {
  const { place, session } = useReview.getState();
  if (place.kind === 'step') startTyping({ kind: 'sentence', part: place.step });
  else if (place.kind === 'closing' && session)
    startTyping({ kind: 'sentence', part: session.summary.steps.length });
  else if (place.kind === 'added') startTyping({ kind: 'label', boxId: place.boxId });
}

function removeBox(): void {
  const { place } = useReview.getState();
  if (place.kind === 'added') removeAdded(place.boxId);
}

const scroll = (by: number) => () => {
  const pane = viewer()?.activePane;
  if (pane) pane.setSlice(pane.wanted + by);
};

const deciding: readonly ViewerCommand[] = [
  command('accept', 'Accept the step', 'a', accept, onStep),
  command('reject', 'Reject the step', 'r', startReject, onStep),
  command('correct', 'Correct the box', 'c', startCorrect, onStep),
  command('redraw', 'Draw the box anew', 'd', redraw, onStep),
  command('add', 'Add a box that the model missed', 'b', startAdding),
  command('amend', 'Amend the sentence', 'e', amend, maySee),
  command('amend-answer', 'Amend the answer', 'w', () => startTyping({ kind: 'answer' }), maySee),
  command('zoom', 'Zoom to the box', 'z', () => showPlace(true)),
  command('next', 'Next step', 'j', () => walk(1)),
  command('previous', 'Previous step', 'k', () => walk(-1)),
  command(
    'next-run',
    'Next unfinished run',
    'Shift+n',
    () => void openNextRun(),
    () => useUi.getState().side === 'review',
  ),
  command(
    'next-difference',
    'Next difference of the readers that is not settled',
    'Shift+d',
    () => void openNextDifference(),
    () => useUi.getState().side === 'review',
  ),
  command(
    'finish',
    'Finish reading',
    'Shift+f',
    () => void finishReading(),
    () => isReviewing() && !isDone(useReview.getState()),
  ),
  command(
    'reopen',
    'Reopen the reading',
    undefined,
    () => void reopenReading(),
    () => isReviewing() && isDone(useReview.getState()),
  ),
  command(
    'reveal',
    "Show the model's reasoning",
    undefined,
    () => void reveal(),
    () => isReviewing() && isBlind(useReview.getState()),
  ),
  command('others', "Show or hide others' boxes", 'o', () =>
    useReview.setState(({ showOthers }) => ({ showOthers: !showOthers })),
  ),
];

const changing: readonly ViewerCommand[] = [
  command('nudge-left', 'Box: a voxel to the left', 'ArrowLeft', () => nudge([-1, 0], 1), hasBox),
  command('nudge-right', 'Box: a voxel to the right', 'ArrowRight', () => nudge([1, 0], 1), hasBox),
  command('nudge-up', 'Box: a voxel up', 'ArrowUp', () => nudge([0, -1], 1), hasBox),
  command('nudge-down', 'Box: a voxel down', 'ArrowDown', () => nudge([0, 1], 1), hasBox),
  command('nudge-left-5', 'Box: five voxels to the left', 'Shift+ArrowLeft', () => nudge([-1, 0], 5), hasBox),
  command(
    'nudge-right-5',
    'Box: five voxels to the right',
    'Shift+ArrowRight',
    () => nudge([1, 0], 5),
    hasBox,
  ),
  command('nudge-up-5', 'Box: five voxels up', 'Shift+ArrowUp', () => nudge([0, -1], 5), hasBox),
  command('nudge-down-5', 'Box: five voxels down', 'Shift+ArrowDown', () => nudge([0, 1], 5), hasBox),
  command('first-slice', 'Box: begins at this slice', '[', () => sliceEdge('first'), hasBox),
  command('last-slice', 'Box: ends at this slice', ']', () => sliceEdge('last'), hasBox),
  command('slice-back', 'Previous slice (the box stays)', ',', scroll(-1), hasBox),
  command('slice-on', 'Next slice (the box stays)', '.', scroll(1), hasBox),
  command(
    'remove-box',
    'Remove the added box',
    'Delete',
    removeBox,
    () => isReviewing() && useReview.getState().place.kind === 'added',
  ),
];

export const reviewCommands: readonly ViewerCommand[] = [...deciding, ...changing];
