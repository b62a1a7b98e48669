/**
 * What a reader has typed and not kept yet: by project, reader, run (or case) and form, so that it is there again when they
 * come back, and nobody else sees it. It lasts as long as the window, a reload of the page included; it is not in the
 * project, nor in any export, until it is kept.
 */
import { z } from 'zod';
import { create } from 'zustand';
import { rejectReasons } from '../../../src-contract/review.ts';
import { optionLetters } from '../../../src-contract/run-events.ts';
import { useProject } from '../../project/project-store.ts';

const reasonSchema = z.enum(Object.keys(rejectReasons) as [keyof typeof rejectReasons]);

export const draftSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('words'), text: z.string() }),
  z.object({ kind: z.literal('reject'), reasons: z.array(reasonSchema), comment: z.string() }),
  z.object({ kind: z.literal('answer'), letter: z.enum(optionLetters).nullable(), text: z.string() }),
]);
export type Draft = z.infer<typeof draftSchema>;

/** Which form: 'n' is the number of the step, the part or the id of the box. */
export type DraftForm =
  | `reject:${number}`
  | `sentence:${number}`
  | `label:${string}`
  | 'answer'
  | 'comment'
  | 'note'
  | 'title';

interface DraftState {
  readonly drafts: Readonly<Record<string, Draft>>;
}

const storageKey = 'readroom.drafts';

function stored(): DraftState['drafts'] {
  try {
    const text = sessionStorage.getItem(storageKey);
    return z.record(z.string(), draftSchema).parse(JSON.parse(text ?? '{}'));
  } catch {
    return {}; // No storage, or of another version: the page begins without drafts.
  }
}

export const useDrafts = create<DraftState>()(() => ({ drafts: stored() }));

function setDrafts(drafts: DraftState['drafts']): void {
  useDrafts.setState({ drafts });
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(drafts));
  } catch {
    // Full or refused storage: the drafts last until the page is loaded anew.
  }
}

export const sameDraft = (a: Draft, b: Draft): boolean => JSON.stringify(a) === JSON.stringify(b);

/** @param saved what the form shows without a draft: typed back to that, there is nothing left to keep */
export function putDraft(key: string, draft: Draft, saved: Draft): void {
  const { [key]: _before, ...others } = useDrafts.getState().drafts;
  setDrafts(sameDraft(draft, saved) ? others : { ...others, [key]: draft });
}

/** @param asKept leaves it where more was typed since that was sent to be kept */
export function dropDraft(key: string, asKept?: Draft): void {
  const { [key]: draft, ...others } = useDrafts.getState().drafts;
  if (draft && (!asKept || sameDraft(draft, asKept))) setDrafts(others);
}

/** @param about a run, or a case */
export function draftKey(about: string, form: DraftForm): string {
  const { view } = useProject.getState();
  return keyOf(view?.projectId, view?.readerId, about, form);
}

const keyOf = (...parts: readonly (string | undefined)[]): string =>
  JSON.stringify(parts.map((part) => part ?? ''));

/** Has the reader of now drafts about a run or case? */
export function hasDrafts({ drafts }: DraftState, about: string): boolean {
  const { view } = useProject.getState();
  const start = `${keyOf(view?.projectId, view?.readerId, about).slice(0, -1)},`;
  return Object.keys(drafts).some((key) => key.startsWith(start));
}
