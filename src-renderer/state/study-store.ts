/** Open studies as the window knows them: what is being opened, what is open, which series is in hand, what failed. */
import { create } from 'zustand';
import type { Recent, Sample, SeriesView, StudyView } from '../../src-contract/channels.ts';
import { type ErrorPayload, toReadroomError } from '../../src-contract/errors.ts';
import { call, on, openDropped } from './bridge.ts';

export interface SeriesRef {
  readonly studyId: string;
  readonly seriesId: string;
}

/** A study that is on its way: what was asked for, and how far it is. */
export interface Opening {
  readonly openId: string;
  readonly name: string;
  readonly done: number;
  readonly total: number;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
}

interface StudyState {
  /** Open studies, the newest first. */
  readonly studies: readonly StudyView[];
  readonly opening: readonly Opening[];
  /** The last opening that failed, until it is dismissed or another one begins. */
  readonly failure: ErrorPayload | null;
  /** The series in hand: what the viewer shows and the chat asks about. */
  readonly selected: SeriesRef | null;
  /** Decoding, by seriesKey. Absent once complete. */
  readonly progress: Readonly<Record<string, Progress>>;
  readonly seriesErrors: Readonly<Record<string, ErrorPayload>>;
  readonly samples: readonly Sample[];
  readonly recent: readonly Recent[];
  openSample(sampleId: string): Promise<void>;
  openRecent(recentId: string): Promise<void>;
  /** Shows the system's dialog. */
  pick(kind: 'file' | 'folder'): Promise<void>;
  openFiles(files: readonly File[]): Promise<void>;
  cancelOpen(openId: string): Promise<void>;
  close(studyId: string): Promise<void>;
  select(ref: SeriesRef | null): void;
  dismissFailure(): void;
}

export const seriesKey = ({ studyId, seriesId }: SeriesRef): string => `${studyId}/${seriesId}`;

/** Openings given up before main could say so: their late result is thrown away. */
const cancelled = new Set<string>();

export const useStudies = create<StudyState>()((set, get) => {
  const begin = async (asked: Promise<{ openId: string } | null>): Promise<void> => {
    set({ failure: null });
    try {
      const opened = await asked;
      if (!opened || settled.delete(opened.openId)) return;
      if (get().opening.some(({ openId }) => openId === opened.openId)) return;
      set(({ opening }) => ({ opening: [...opening, { ...opened, name: '', done: 0, total: 0 }] }));
    } catch (thrown) {
      set({ failure: toReadroomError(thrown).toPayload() });
    }
  };
  return {
    studies: [],
    opening: [],
    failure: null,
    selected: null,
    progress: {},
    seriesErrors: {},
    samples: [],
    recent: [],
    openSample: (sampleId) => begin(call('study.openSample', { sampleId })),
    openRecent: (recentId) => begin(call('study.openRecent', { recentId })),
    pick: (kind) => begin(call('study.pick', { kind })),
    openFiles: (files) => (files.length > 0 ? begin(openDropped([...files])) : Promise.resolve()),
    cancelOpen: async (openId) => {
      cancelled.add(openId);
      set(({ opening }) => ({ opening: opening.filter((one) => one.openId !== openId) }));
      await call('study.cancelOpen', { openId }).catch(() => undefined);
    },
    close: async (studyId) => {
      set(({ studies, selected, progress, seriesErrors }) => {
        const rest = studies.filter((study) => study.studyId !== studyId);
        const isGone = (key: string) => key.startsWith(`${studyId}/`);
        return {
          studies: rest,
          selected: selected?.studyId === studyId ? firstSeries(rest[0]) : selected,
          progress: without(progress, isGone),
          seriesErrors: without(seriesErrors, isGone),
        };
      });
      await call('study.close', { studyId }).catch(() => undefined);
    },
    select: (selected) => set({ selected }),
    dismissFailure: () => set({ failure: null }),
  };
});

/** Openings whose end was reported before the call that began them returned. */
const settled = new Set<string>();

function without<T>(record: Readonly<Record<string, T>>, gone: (key: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !gone(key)));
}

const voxels = ({ kind, columns, rows, slices }: SeriesView): number =>
  columns * rows * slices * (kind === 'volume' ? 1e6 : 1);

/** The series a reader most likely wants: the largest volume, else the largest picture. */
function firstSeries(study: StudyView | undefined): SeriesRef | null {
  if (!study || study.series.length === 0) return null;
  const best = study.series.reduce((a, b) => (voxels(b) > voxels(a) ? b : a));
  return { studyId: study.studyId, seriesId: best.id };
}

function endOpening(openId: string): void {
  const { opening } = useStudies.getState();
  if (!opening.some((one) => one.openId === openId)) settled.add(openId);
  useStudies.setState({ opening: opening.filter((one) => one.openId !== openId) });
}

/** Description of a series, or null when its study was closed. */
export function findSeries(ref: SeriesRef | null): SeriesView | null {
  if (!ref) return null;
  const study = useStudies.getState().studies.find(({ studyId }) => studyId === ref.studyId);
  return study?.series.find(({ id }) => id === ref.seriesId) ?? null;
}

export function useSeries(ref: SeriesRef | null): SeriesView | null {
  return useStudies(({ studies }) => {
    if (!ref) return null;
    const study = studies.find(({ studyId }) => studyId === ref.studyId);
    return study?.series.find(({ id }) => id === ref.seriesId) ?? null;
  });
}

/** Samples and recent studies change as studies are opened: read again. */
export async function refreshStarts(): Promise<void> {
  const { samples, recent } = await call('app.info', {});
  useStudies.setState({ samples, recent });
}

let connected = false;

/** Listens to main. Called by whoever mounts first; later calls do nothing. */
export function connectStudies(): void {
  if (connected) return;
  connected = true;
  on('study.progress', ({ openId, done, total, name }) => {
    if (cancelled.has(openId)) return;
    useStudies.setState(({ opening }) => ({
      opening: [...opening.filter((one) => one.openId !== openId), { openId, done, total, name }],
    }));
  });
  on('study.opened', ({ openId, study }) => {
    endOpening(openId);
    if (cancelled.delete(openId)) {
      void call('study.close', { studyId: study.studyId }).catch(() => undefined);
      return;
    }
    useStudies.setState(({ studies, selected }) => ({
      studies: [study, ...studies.filter(({ studyId }) => studyId !== study.studyId)],
      selected: firstSeries(study) ?? selected,
    }));
    void refreshStarts().catch(() => undefined);
  });
  on('study.failed', ({ openId, error }) => {
    endOpening(openId);
    if (cancelled.delete(openId) || error.code === 'cancelled') return;
    useStudies.setState({ failure: error });
  });
  on('series.progress', ({ studyId, seriesId, done, total }) => {
    const key = seriesKey({ studyId, seriesId });
    useStudies.setState(({ progress }) => ({
      progress:
        done >= total ? without(progress, (one) => one === key) : { ...progress, [key]: { done, total } },
    }));
  });
  on('series.failed', ({ studyId, seriesId, error }) => {
    const key = seriesKey({ studyId, seriesId });
    useStudies.setState(({ progress, seriesErrors }) => ({
      progress: without(progress, (one) => one === key),
      seriesErrors: { ...seriesErrors, [key]: error },
    }));
  });
  void refreshStarts().catch(() => undefined);
}
