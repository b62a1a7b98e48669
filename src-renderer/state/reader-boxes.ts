/**
 * Boxes that people draw over the images, and the one in hand: the seam between review and viewer. The review side says
 * which boxes there are and keeps what becomes of them; the viewer side draws them and turns drags and keys into new
 * edges. A drag is a draft until it ends, so that one drag is one edit.
 */
import { create } from 'zustand';
import type { AffineChain } from '../../src-contract/geometry.ts';
import type { SourceBox } from '../../src-contract/source-box.ts';
import type { SeriesRef } from './study-store.ts';

export interface ReaderBox extends SeriesRef {
  readonly id: string;
  readonly box: SourceBox;
  readonly chain: AffineChain;
  /** The slice that a 2D run is about; null where a box has depth. */
  readonly slice: number | null;
  /** A few letters beside the box: its step, or whose it is. */
  readonly label: string;
  /** Class that gives its colour: 'step-2', 'reader-1'. */
  readonly colour: string;
  readonly editable: boolean;
  /** The model's box that it is measured against; null for a box that the model does not have. */
  readonly model: SourceBox | null;
}

/** What the next rectangle drawn on an image becomes. */
export interface Drawing extends SeriesRef {
  /** Id that the new box will have: it is in hand from then on. */
  readonly id: string;
  /** The slice that a 2D run is about: nothing can be drawn elsewhere. */
  readonly slice: number | null;
  /** Edges along the axis that is looked along are kept from this box where the slice is inside; else one slice. */
  readonly from: SourceBox | null;
}

interface ReaderBoxState {
  readonly boxes: readonly ReaderBox[];
  /** The box with handles. */
  readonly inHand: string | null;
  readonly draft: { readonly id: string; readonly box: SourceBox } | null;
  readonly drawing: Drawing | null;
  /** Rises when a drag under way is given up. */
  readonly cancels: number;
  setBoxes(boxes: readonly ReaderBox[]): void;
  take(id: string | null): void;
  draw(drawing: Drawing | null): void;
  setDraft(draft: { readonly id: string; readonly box: SourceBox } | null): void;
  /** Gives up the drag, the drawing, or the box in hand: the first of these that there is. @returns false: none */
  cancel(): boolean;
}

/** Keeps what was drawn or changed. */
export type BoxKeeper = (id: string, box: SourceBox) => void;
let keeper: BoxKeeper | null = null;

export function setBoxKeeper(keep: BoxKeeper | null): void {
  keeper = keep;
}

export const useReaderBoxes = create<ReaderBoxState>()((set, get) => ({
  boxes: [],
  inHand: null,
  draft: null,
  drawing: null,
  cancels: 0,
  setBoxes: (boxes) =>
    set(({ inHand }) => ({
      boxes,
      inHand: boxes.some(({ id, editable }) => editable && id === inHand) ? inHand : null,
    })),
  take: (inHand) => set({ inHand, drawing: null, draft: null }),
  draw: (drawing) => set({ drawing, draft: null, inHand: null }),
  setDraft: (draft) => set({ draft }),
  cancel: () => {
    const { draft, drawing, inHand, cancels } = get();
    if (draft) set({ draft: null, cancels: cancels + 1 });
    else if (drawing) set({ drawing: null });
    else if (inHand !== null) set({ inHand: null });
    else return false;
    return true;
  },
}));

/** The box in hand, as a drag under way has it. */
export function boxInHand({ boxes, inHand, draft }: ReaderBoxState): ReaderBox | null {
  const box = boxes.find(({ id }) => id === inHand);
  if (!box) return null;
  return draft?.id === box.id ? { ...box, box: draft.box } : box;
}

/** Ends a drag or a key press: the box is handed to whoever keeps it. */
export function keepBox(id: string, box: SourceBox): void {
  useReaderBoxes.setState(({ boxes }) => ({
    draft: null,
    drawing: null,
    inHand: id,
    // Shown at once, not when the review has come back.
    boxes: boxes.map((one) => (one.id === id ? { ...one, box } : one)),
  }));
  keeper?.(id, box);
}
