/** The studies that are open: one process each, started when a study is opened and ended when it is closed. */
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { EventName, EventPayload, StudyView } from '../../../src-contract/channels.ts';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { Series, Study } from '../../../src-contract/study.ts';
import type {
  StudyEvent,
  StudyMethod,
  StudyParams,
  StudyResult,
} from '../../../src-contract/study-protocol.ts';
import type { Transport } from '../../engine/host/transport.ts';
import { StudyProcess } from '../../study/host/client.ts';
import { requireSeries } from '../../study/require-series.ts';

export type Emit = <E extends EventName>(name: E, payload: EventPayload<E>) => void;

/** How long opening may go on after it was cancelled. */
const cancelGraceMs = 1_000;

/** What a study is opened from, and the name it goes by. */
export interface StudySource {
  readonly paths: readonly string[];
  readonly title?: string;
  /** Known beforehand (a sample study): the files themselves may not say it. */
  readonly synthetic?: boolean;
  /** See openStudy. */
  readonly standIns?: Readonly<Record<string, string>>;
}

interface Entry {
  readonly studyId: string;
  readonly source: StudySource;
  readonly opening: AbortController;
  process: StudyProcess;
  /** Settled once `process` has the study open. */
  opened: Promise<Study>;
  study: Study | null;
  preview: Uint8Array | null;
  /** Series that are being decoded, so that the window hears of it when the process dies. */
  readonly decoding: Set<string>;
}

export interface StudiesOptions {
  readonly transport: Transport;
  readonly emit: Emit;
  readonly onOpened: (source: StudySource, title: string) => void;
}

export class Studies {
  readonly #options: StudiesOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: StudiesOptions) {
    this.#options = options;
  }

  /** Begins to open; events tell the rest. */
  open(source: StudySource): { openId: string } {
    const studyId = randomUUID();
    const { emit } = this.#options;
    emit('study.opening', { openId: studyId, title: titleOf(source) });
    const opening = new AbortController();
    const process = this.#start(studyId);
    const opened = process.call('open', openParams(source), opening.signal);
    const entry: Entry = {
      studyId,
      source,
      opening,
      process,
      opened,
      study: null,
      preview: null,
      decoding: new Set(),
    };
    this.#entries.set(studyId, entry);
    void this.#settle(entry);
    return { openId: studyId };
  }

  cancelOpen(openId: string): void {
    const entry = this.#entries.get(openId);
    if (!entry || entry.study) return;
    entry.opening.abort();
    // A decoder in the middle of a file does not hear: ending the process ends it too.
    setTimeout(() => {
      if (!entry.study) void entry.process.dispose();
    }, cancelGraceMs).unref();
  }

  async close(studyId: string): Promise<void> {
    const entry = this.#entries.get(studyId);
    this.#entries.delete(studyId);
    await entry?.process.dispose();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((studyId) => this.close(studyId)));
  }

  /** Studies that are open, as the window sees them. */
  views(): StudyView[] {
    return [...this.#entries.values()].flatMap((entry) => (entry.study ? [viewOf(entry, entry.study)] : []));
  }

  /** @throws ReadroomError 'input-invalid' when there is no such study or series */
  series(studyId: string, seriesId: string): Series {
    const series = this.#entry(studyId).study?.series.find(({ id }) => id === seriesId);
    if (series) return series;
    throw new ReadroomError('input-invalid', 'There is no such series.', { field: 'seriesId' });
  }

  source(studyId: string): StudySource {
    return this.#entry(studyId).source;
  }

  /** The first picture of a study that is still being opened. */
  preview(openId: string): Uint8Array | null {
    return this.#entries.get(openId)?.preview ?? null;
  }

  /**
   * Calls the study's process. One that died is started again, and the study opened anew: series keep their ids, which
   * come from the files' content.
   */
  async call<M extends StudyMethod>(
    studyId: string,
    method: M,
    params: StudyParams<M>,
    signal?: AbortSignal,
  ): Promise<StudyResult<M>> {
    const entry = this.#entry(studyId);
    if (!entry.process.alive && entry.study) {
      entry.process = this.#start(studyId);
      entry.opened = entry.process.call('open', openParams(entry.source));
    }
    await entry.opened;
    if (method === 'pixels') entry.decoding.add((params as StudyParams<'pixels'>).seriesId);
    return entry.process.call(method, params, signal);
  }

  async #settle(entry: Entry): Promise<void> {
    const { studyId, source } = entry;
    const { emit } = this.#options;
    try {
      const study = await entry.opened;
      try {
        requireSeries(study);
      } catch (thrown) {
        this.#drop(entry, toReadroomError(thrown), study);
        return;
      }
      if (!this.#entries.has(studyId)) return;
      // The preview stays: the page may be about to fetch it.
      entry.study = study;
      const view = viewOf(entry, study);
      this.#options.onOpened(source, view.title);
      emit('study.opened', { openId: studyId, study: view });
    } catch (thrown) {
      this.#drop(entry, toReadroomError(thrown), null);
    }
  }

  #drop(entry: Entry, error: ReadroomError, study: Study | null): void {
    this.#entries.delete(entry.studyId);
    void entry.process.dispose();
    const problems = study?.problems ?? [];
    this.#options.emit('study.failed', { openId: entry.studyId, error: error.toPayload(), problems });
  }

  #entry(studyId: string): Entry {
    const entry = this.#entries.get(studyId);
    if (entry) return entry;
    throw new ReadroomError('input-invalid', 'The study is not open any more.', { field: 'studyId' });
  }

  #start(studyId: string): StudyProcess {
    return new StudyProcess(this.#options.transport, {
      onEvent: (event) => this.#tell(studyId, event),
      onDeath: (error) => {
        const entry = this.#entries.get(studyId);
        if (!entry) return;
        for (const seriesId of entry.decoding) {
          this.#options.emit('series.failed', { studyId, seriesId, error: error.toPayload() });
        }
        entry.decoding.clear();
      },
    });
  }

  #tell(studyId: string, event: StudyEvent): void {
    const entry = this.#entries.get(studyId);
    const { emit } = this.#options;
    switch (event.type) {
      case 'progress':
        // A process that was started again opens the study without a word.
        if (entry && !entry.study) {
          const { done, total, name } = event;
          emit('study.progress', { openId: studyId, done, total, name: basename(name) });
        }
        break;
      case 'preview':
        if (!entry || entry.study) break;
        entry.preview = event.png;
        emit('study.preview', { openId: studyId, width: event.width, height: event.height });
        break;
      case 'series-progress': {
        const { seriesId, done, total, range } = event;
        if (done === total) entry?.decoding.delete(seriesId);
        emit('series.progress', { studyId, seriesId, done, total, range });
        break;
      }
      case 'series-retyped':
        emit('series.retyped', { studyId, seriesId: event.seriesId });
        break;
      case 'series-failed':
        entry?.decoding.delete(event.seriesId);
        emit('series.failed', { studyId, seriesId: event.seriesId, error: event.error });
        break;
    }
  }
}

const openParams = ({ paths, standIns }: StudySource): StudyParams<'open'> => ({
  paths: [...paths],
  ...(standIns ? { standIns } : {}),
});

function titleOf({ paths, title }: StudySource): string {
  return title ?? basename(paths[0] ?? '');
}

function viewOf({ studyId, source }: Entry, study: Study): StudyView {
  const series = study.series.map(({ sources, identifiers: _kept, ...rest }) => ({
    ...rest,
    synthetic: rest.synthetic || source.synthetic === true,
    bytes: sources.reduce((sum, { bytes }) => sum + bytes, 0),
    files: sources.length,
  }));
  return {
    studyId,
    title: source.title ?? study.title,
    synthetic: series.some(({ synthetic }) => synthetic),
    series,
    problems: study.problems,
    skipped: study.skipped.length,
  };
}
