/** Open studies as the window knows them: what is being opened, what is open, which series is in hand, what failed. */
import { create } from 'zustand';
import type { Recent, Sample, SeriesView, StudyView } from '../../src-contract/channels.ts';
import { type ErrorPayload, toReadroomError } from '../../src-contract/errors.ts';
import type { StudyProblem } from '../../src-contract/study.ts';
import { call, on, openDropped } from './bridge.ts';

export interface SeriesRef {
  readonly studyId: string;
  readonly seriesId: string;
}

/** A study that is on its way: what was asked for, and how far it is. */
export interface Opening {
  readonly openId: string;
  readonly title: string;
  /** The file looked at last. */
  readonly name: string;
  readonly done: number;
  readonly total: number;
  /** A first picture is there, at previewUrl(openId). */
  readonly preview: { readonly width: number; readonly height: number } | null;
}

/** Why a study could not be opened, file by file where there were several. */
export interface Failure {
  readonly error: ErrorPayload;
  readonly problems: readonly StudyProblem[];
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
  readonly failure: Failure | null;
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
  /** Stops decoding a series: what is there stays. */
  cancelDecoding(ref: SeriesRef): Promise<void>;
  close(studyId: string): Promise<void>;
  select(ref: SeriesRef | null): void;
  dismissFailure(): void;
}

export const seriesKey = ({ studyId, seriesId }: SeriesRef): string => `${studyId}/${seriesId}`;

export const useStudies = create<StudyState>()((set) => {
  /** What is being opened, and how it ends, comes as events; only a refusal comes here. */
  const begin = async (asked: () => Promise<unknown>): Promise<void> => {
    set({ failure: null });
    try {
      await asked();
    } catch (thrown) {
      set({ failure: { error: toReadroomError(thrown).toPayload(), problems: [] } });
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
    openSample: (sampleId) => begin(() => call('study.openSample', { sampleId })),
    openRecent: (recentId) => begin(() => call('study.openRecent', { recentId })),
    pick: (kind) => begin(() => call('study.pick', { kind })),
    openFiles: (files) => (files.length > 0 ? begin(() => openDropped([...files])) : Promise.resolve()),
    cancelOpen: async (openId) => {
      set(({ opening }) => ({ opening: opening.filter((one) => one.openId !== openId) }));
      await call('study.cancelOpen', { openId }).catch(() => undefined);
    },
    cancelDecoding: async (ref) => {
      set(({ progress }) => ({ progress: without(progress, (key) => key === seriesKey(ref)) }));
      await call('study.cancelPixels', ref).catch(() => undefined);
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

function changeOpening(openId: string, change: Partial<Opening>): void {
  useStudies.setState(({ opening }) => ({
    opening: opening.map((one) => (one.openId === openId ? { ...one, ...change } : one)),
  }));
}

function endOpening(openId: string): void {
  useStudies.setState(({ opening }) => ({ opening: opening.filter((one) => one.openId !== openId) }));
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

async function readStart(): Promise<void> {
  const { samples, recent, open } = await call('app.info', {});
  useStudies.setState(({ studies, selected }) => {
    const news = open.filter((one) => !studies.some(({ studyId }) => studyId === one.studyId));
    const all = [...studies, ...news];
    return { samples, recent, studies: all, selected: selected ?? firstSeries(all[0]) };
  });
}

let connected = false;

/** Listens to main. Called by whoever mounts first; later calls do nothing. */
export function connectStudies(): void {
  if (connected) return;
  connected = true;
  on('study.opening', ({ openId, title }) => {
    const begun: Opening = { openId, title, name: '', done: 0, total: 0, preview: null };
    useStudies.setState(({ opening }) => ({ failure: null, opening: [...opening, begun] }));
  });
  on('study.progress', ({ openId, done, total, name }) => changeOpening(openId, { done, total, name }));
  on('study.preview', ({ openId, width, height }) => changeOpening(openId, { preview: { width, height } }));
  on('study.opened', ({ openId, study }) => {
    endOpening(openId);
    useStudies.setState(({ studies, selected }) => ({
      studies: [study, ...studies.filter(({ studyId }) => studyId !== study.studyId)],
      selected: firstSeries(study) ?? selected,
    }));
  });
  on('study.failed', ({ openId, error, problems }) => {
    endOpening(openId);
    if (error.code !== 'cancelled') useStudies.setState({ failure: { error, problems } });
  });
  on('recent.changed', ({ recent }) => useStudies.setState({ recent }));
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
      seriesErrors: error.code === 'cancelled' ? seriesErrors : { ...seriesErrors, [key]: error },
    }));
  });
  void readStart().catch(() => undefined);
}
