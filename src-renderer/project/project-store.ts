/** The open project as the window knows it: who reads, how readers are kept apart, what can be undone. */
import { create } from 'zustand';
import { type ErrorPayload, ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import type { MergeReport, ProjectView, Reader } from '../../src-contract/project.ts';
import type { Blinding, Edit } from '../../src-contract/review.ts';
import { call, on } from '../state/bridge.ts';
import { useUi } from '../state/ui-store.ts';

interface ProjectState {
  /** Null until it was read. */
  readonly view: ProjectView | null;
  readonly failure: ErrorPayload | null;
  /** Cases by the runs that this window has asked or opened. */
  readonly caseOfRun: Readonly<Record<string, string>>;
  /** Something that takes a while: images searched for, a project taken in. */
  readonly progress: { readonly what: string; readonly done: number; readonly total: number } | null;
  /** It was told to stop, and has not yet. */
  readonly stopping: boolean;
  /** What went wrong in the project's dialog last. */
  readonly problem: ErrorPayload | null;
  /** What was taken in last, and the copy that was saved last. */
  readonly merged: MergeReport | null;
  readonly archived: string | null;
  load(): Promise<void>;
}

export const useProject = create<ProjectState>()((set) => ({
  view: null,
  failure: null,
  caseOfRun: {},
  progress: null,
  stopping: false,
  problem: null,
  merged: null,
  archived: null,
  load: async () => {
    try {
      set({ view: await call('project.view', {}), failure: null });
    } catch (thrown) {
      set({ failure: toReadroomError(thrown).toPayload() });
    }
  },
}));

export const rememberCase = (runId: string, caseId: string): void =>
  useProject.setState(({ caseOfRun }) => ({ caseOfRun: { ...caseOfRun, [runId]: caseId } }));

const nobody: readonly Reader[] = [];
export const useReaders = (): readonly Reader[] => useProject(({ view }) => view?.readers ?? nobody);

export const readerNow = (): Reader | null => {
  const { view } = useProject.getState();
  return view?.readers.find(({ readerId }) => readerId === view.readerId) ?? null;
};

/** Place of a reader among all: their colour, the same everywhere. */
export const readerNumber = (readers: readonly Reader[], readerId: string): number =>
  Math.max(
    0,
    readers.findIndex((one) => one.readerId === readerId),
  );

export const readerColours = 6;

export const readerClass = (readers: readonly Reader[], readerId: string): string =>
  `reader-${readerNumber(readers, readerId) % readerColours}`;

export const readerName = (readers: readonly Reader[], readerId: string): string =>
  readers.find((one) => one.readerId === readerId)?.name ?? 'Someone';

/** Two letters for a reader, to stand beside a box. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? words.map(([first]) => first).slice(0, 2) : [...name.trim()].slice(0, 2);
  return letters.join('').toUpperCase();
}

const take = (view: ProjectView | null): boolean => {
  if (view) useProject.setState({ view });
  return view !== null;
};

/** Says what went wrong where the person looks: in the open dialog, which would hide a notice. */
function complain(thrown: unknown): void {
  const problem = toReadroomError(thrown).toPayload();
  if (useUi.getState().panel !== 'readers') useUi.getState().report(thrown);
  else if (problem.code !== 'cancelled') useProject.setState({ problem });
}

/** Runs a call that answers with the project. @returns it was not cancelled, and went well */
async function change(what: () => Promise<ProjectView | null>): Promise<boolean> {
  useProject.setState({ problem: null });
  try {
    return take(await what());
  } catch (thrown) {
    complain(thrown);
    return false;
  }
}

export const createProject = () => change(() => call('project.create', {}));
export const openProject = () => change(() => call('project.open', {}));
export const openLibrary = () => change(() => call('project.openLibrary', {}));
export const addReader = (name: string, role: Reader['role']) =>
  change(() => call('readers.add', { name, role }));
export const chooseReader = (readerId: string) => change(() => call('readers.choose', { readerId }));

/**
 * Sets a register whose present value the window may not know: what is shown can be a default, where nothing is there.
 * @returns true when it is on the disk
 */
async function setRegister(edit: (before: null | 'shown') => Edit): Promise<boolean> {
  for (const before of [null, 'shown'] as const) {
    try {
      await call('review.edit', { edits: [edit(before)] });
      return true;
    } catch (thrown) {
      // Refused because something else is there: that is what was shown.
      if (before === 'shown' || toReadroomError(thrown).code !== 'input-invalid') {
        complain(thrown);
        return false;
      }
    }
  }
  return false;
}

export async function setBlinding(after: Blinding): Promise<void> {
  const { view } = useProject.getState();
  if (!view) return;
  const shown = view.blinding;
  await setRegister((before) => ({ kind: 'blinding', before: before === null ? null : shown, after }));
}

export const renameCase = (caseId: string, shown: string, after: string): Promise<boolean> =>
  setRegister((before) => ({ kind: 'case-title', caseId, before: before === null ? null : shown, after }));

/** What came of taking something in is shown in a panel of its own: conflicts are to be read. */
export async function mergeProject(): Promise<void> {
  useProject.setState({ problem: null });
  try {
    const merged = await call('project.merge', {});
    if (!merged) return;
    useProject.setState({ merged });
    useUi.getState().openPanel('merged');
  } catch (thrown) {
    complain(thrown);
  }
}

export async function archiveProject(pixels: boolean): Promise<void> {
  useProject.setState({ problem: null, archived: null });
  try {
    const saved = await call('project.archive', { pixels });
    if (saved) useProject.setState({ archived: saved.name });
  } catch (thrown) {
    complain(thrown);
  }
}

/** Stops what is shown as under way; the call that began it fails as cancelled, which is no news. */
export async function stopTransfer(): Promise<void> {
  useProject.setState({ stopping: true });
  try {
    await call('project.cancelTransfer', {});
  } catch (thrown) {
    useProject.setState({ stopping: false });
    complain(thrown);
  }
}

export function connectProject(): void {
  on('project.changed', (view) => useProject.setState({ view, failure: null }));
  on('project.runAdded', ({ runId, caseId }) => rememberCase(runId, caseId));
  on('project.failed', ({ error }) => useUi.getState().report(ReadroomError.fromPayload(error)));
  on('project.progress', ({ what, done, total }) =>
    useProject.setState(
      done >= total ? { progress: null, stopping: false } : { progress: { what, done, total } },
    ),
  );
  void useProject.getState().load();
}
