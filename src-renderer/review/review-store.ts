/** The run that is being read: its trace, what the reader and others say of it, where the reader is in it. */
import { create } from 'zustand';
import type { ErrorPayload } from '../../src-contract/errors.ts';
import { modelIsHidden, type Review } from '../../src-contract/review.ts';
import type { Trace, TraceSummary } from '../../src-contract/trace.ts';
import { readerNow, useProject } from '../project/project-store.ts';
import type { SeriesRef } from '../state/study-store.ts';
import type { Wish } from './edits.ts';

/** Where the reader is: on a step of the model, the words after the last, or a box that was added. */
export type Place =
  | { readonly kind: 'step'; readonly step: number }
  | { readonly kind: 'closing' }
  | { readonly kind: 'added'; readonly boxId: string };

/** What is being typed: one thing at a time. */
export type Typing =
  | { readonly kind: 'reject'; readonly step: number }
  | { readonly kind: 'sentence'; readonly part: number }
  | { readonly kind: 'answer' }
  | { readonly kind: 'label'; readonly boxId: string };

export interface Session {
  readonly runId: string;
  readonly caseId: string;
  readonly trace: Trace;
  readonly summary: TraceSummary;
  /** The model's part was kept back: it is fetched when the reader may see it. */
  readonly veiled?: boolean;
}

/** The images of the run: 'missing' where they are not where they were. */
export type Images =
  | { readonly state: 'opening' }
  | { readonly state: 'open'; readonly ref: SeriesRef }
  | { readonly state: 'missing'; readonly error: ErrorPayload | null };

export interface ReviewState {
  readonly session: Session | null;
  /** The run that is on its way. */
  readonly opening: string | null;
  readonly failure: ErrorPayload | null;
  readonly images: Images;
  readonly own: Review | null;
  readonly others: readonly Review[];
  /** Readings of others that are there and not shown yet. */
  readonly hidden: number;
  readonly place: Place;
  readonly typing: Typing | null;
  /** The step whose box is being put right, before anything was changed. */
  readonly correcting: number | null;
  readonly showOthers: boolean;
  /** Changes on their way to the disk. */
  readonly saving: number;
  readonly savedAt: number | null;
  /** What could not be saved, and why: kept until it is. */
  readonly unsaved: { readonly wishes: readonly Wish[]; readonly error: ErrorPayload } | null;
}

export const useReview = create<ReviewState>()(() => ({
  session: null,
  opening: null,
  failure: null,
  images: { state: 'opening' },
  own: null,
  others: [],
  hidden: 0,
  place: { kind: 'step', step: 0 },
  typing: null,
  correcting: null,
  showOthers: true,
  saving: 0,
  savedAt: null,
  unsaved: null,
}));

/** A finished reading is not changed by accident: it is reopened first. */
export const isDone = ({ own }: Pick<ReviewState, 'own'>): boolean => own?.reading?.status === 'done';

/** The model's words and boxes are hidden until this reader asks for them. */
export function mustHideModel({ own }: Pick<ReviewState, 'own'>): boolean {
  const blinding = useProject.getState().view?.blinding;
  const reader = readerNow();
  return blinding !== undefined && reader !== null && modelIsHidden(blinding, reader, own?.reading ?? null);
}

/** Hidden, or not here yet. */
export const isBlind = ({ own, session }: Pick<ReviewState, 'own' | 'session'>): boolean =>
  session?.veiled === true || mustHideModel({ own });

/** Ids of the boxes of a review as the viewer knows them. */
export const boxIds = {
  model: (runId: string, step: number) => `${runId}:${step}`,
  corrected: (runId: string, step: number) => `corrected:${runId}:${step}`,
  added: (runId: string, boxId: string) => `added:${runId}:${boxId}`,
  other: (runId: string, readerId: string, key: string) => `other:${runId}:${readerId}:${key}`,
};
