/** A form's content: the draft where there is one, else what is saved. */
import { useEffect } from 'react';
import { useProject } from '../../project/project-store.ts';
import { useReview } from '../review-store.ts';
import {
  type Draft,
  type DraftForm,
  draftKey,
  dropDraft,
  hasDrafts,
  putDraft,
  sameDraft,
  useDrafts,
} from './draft-store.ts';

export interface DraftInHand<T extends Draft> {
  readonly value: T;
  /** Something is there that was not kept. */
  readonly isDraft: boolean;
  set(next: T): void;
  /** Takes the draft away for good. */
  discard(): void;
  /** What was sent is on the disk. */
  kept(sent: T): void;
}

const useKey = (about: string, form: DraftForm): string => {
  // Another project, or another reader of it: other drafts.
  useProject(({ view }) => view?.projectId);
  useProject(({ view }) => view?.readerId);
  return draftKey(about, form);
};

export function useDraft<T extends Draft>(about: string, form: DraftForm, saved: T): DraftInHand<T> {
  const key = useKey(about, form);
  const draft = useDrafts(({ drafts }) => drafts[key]);
  const isDraft = draft !== undefined && draft.kind === saved.kind;
  // What could not be saved at first and was at the second try.
  const isSettled = useReview(({ saving, unsaved }) => saving === 0 && unsaved === null);
  const isSaved = isDraft && isSettled && sameDraft(draft, saved);
  useEffect(() => {
    if (isSaved) dropDraft(key);
  }, [isSaved, key]);
  return {
    value: isDraft ? (draft as T) : saved,
    isDraft,
    set: (next) => putDraft(key, next, saved),
    discard: () => dropDraft(key),
    kept: (sent) => dropDraft(key, sent),
  };
}

export function useHasDraft(about: string, form: DraftForm): boolean {
  const key = useKey(about, form);
  return useDrafts(({ drafts }) => drafts[key] !== undefined);
}

export function useHasDrafts(about: string): boolean {
  useProject(({ view }) => view?.readerId);
  return useDrafts((state) => hasDrafts(state, about));
}
