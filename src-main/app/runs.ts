/** Questions of the window: one after the other through the engine, each with its trace, which is kept for the session. */
import { randomUUID } from 'node:crypto';
import type { Ask, Settings } from '../../src-contract/channels.ts';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import type { RunEvent } from '../../src-contract/run-events.ts';
import { serializeTrace, type Trace } from '../../src-contract/trace.ts';
import type { PreparedInput } from '../runs/prepared-input.ts';
import { type RunSettings, runQuestion } from '../runs/question-run.ts';
import { writeFileAtomically } from '../trace/atomic-write.ts';
import type { TraceRecorder } from '../trace/recorder.ts';
import type { EngineService } from './engine-service.ts';
import type { Models } from './models.ts';
import type { Emit, Studies } from './studies.ts';

interface Run {
  readonly controller: AbortController;
  recorder: TraceRecorder | null;
}

export interface RunsOptions {
  readonly studies: Studies;
  readonly models: Models;
  readonly engine: EngineService;
  readonly settings: () => Settings;
  readonly emit: Emit;
  /** Puts a run that has ended, however it ended, into the project. */
  readonly keep: (trace: Trace, title: string) => Promise<void>;
}

/** The reference's caps, 3D and 2D. */
const tokensPerRound = { '3d': 128, '2d': 256 } as const;

export class Runs {
  readonly #options: RunsOptions;
  readonly #runs = new Map<string, Run>();
  /** Settles when the last run that was asked for has ended. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #keeping = new Set<Promise<void>>();

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  /** Queues a run; events tell the rest. @throws ReadroomError 'input-invalid' for a series that is not there */
  ask(ask: Ask): { runId: string } {
    this.#options.studies.series(ask.studyId, ask.seriesId);
    const runId = randomUUID();
    const run: Run = { controller: new AbortController(), recorder: null };
    this.#runs.set(runId, run);
    // As they are now: what is changed while the run waits is for the next one.
    const settings = this.#options.settings();
    const before = this.#last;
    this.#last = this.#carryOut(runId, run, ask, settings, before);
    return { runId };
  }

  stop(runId: string): void {
    this.#runs.get(runId)?.controller.abort();
  }

  stopAll(): void {
    for (const { controller } of this.#runs.values()) controller.abort();
  }

  /** Every run that was asked for has ended and is kept. */
  async settled(): Promise<void> {
    await this.#last;
    await Promise.all(this.#keeping);
  }

  /** What was recorded so far. @throws ReadroomError 'input-invalid' where the run never began */
  trace(runId: string): Trace {
    const recorder = this.#runs.get(runId)?.recorder;
    if (recorder) return recorder.trace();
    throw new ReadroomError('input-invalid', 'There is no trace of this run.', { field: 'runId' });
  }

  async save(runId: string, file: string): Promise<void> {
    await writeFileAtomically(file, serializeTrace(this.trace(runId)));
  }

  async #carryOut(
    runId: string,
    run: Run,
    ask: Ask,
    settings: Settings,
    before: Promise<unknown>,
  ): Promise<void> {
    const { emit, engine } = this.#options;
    const { signal } = run.controller;
    const tell = (event: RunEvent): void => emit('run.event', { runId, event });
    try {
      await untilAborted(before, signal);
      const [input] = await Promise.all([this.#prepare(ask, signal), this.#loadModel(settings, signal)]);
      await engine.during(() =>
        runQuestion(engine.host, input, ask, runSettings(ask, settings, input.mode), {
          runId,
          signal,
          onEvent: tell,
          onRecorder: (recorder) => {
            run.recorder = recorder;
          },
        }),
      );
    } catch (thrown) {
      const error = toReadroomError(thrown);
      // The stream ends as every stream does, then the reason follows.
      for (const event of run.recorder?.close(error) ?? []) tell(event);
      emit('run.failed', { runId, error: error.toPayload() });
    }
    this.#keep(run, ask);
  }

  #keep({ recorder }: Run, { studyId, seriesId }: Ask): void {
    if (!recorder?.finished) return;
    const kept = this.#options.keep(recorder.trace(), titleOf(this.#options.studies, studyId, seriesId));
    this.#keeping.add(kept);
    void kept.finally(() => this.#keeping.delete(kept));
  }

  async #prepare({ studyId, seriesId, target }: Ask, signal: AbortSignal): Promise<PreparedInput> {
    const { studies } = this.#options;
    const input = await studies.call(studyId, 'prepare', { seriesId, target }, signal);
    return { ...input, synthetic: input.synthetic || studies.source(studyId).synthetic === true };
  }

  async #loadModel(settings: Settings, signal: AbortSignal): Promise<void> {
    const { models, engine } = this.#options;
    const model = models.find(settings.modelId);
    const precision = await models.precisionFor(model, settings);
    const containerDir = await models.container(model, precision, signal);
    await engine.load({ containerDir, precision, provider: settings.provider }, signal);
  }
}

/** Of the case that a run belongs to: the study's, and the series' where there are several. */
function titleOf(studies: Studies, studyId: string, seriesId: string): string {
  const study = studies.views().find((one) => one.studyId === studyId);
  if (!study) return '';
  const series = study.series.find(({ id }) => id === seriesId);
  return study.series.length > 1 && series
    ? `${study.title} · ${series.description || series.modality}`
    : study.title;
}

function runSettings({ preset }: Ask, settings: Settings, mode: PreparedInput['mode']): RunSettings {
  const { temperature, topP, seed, maxNewTokens, maxRounds } = settings;
  return {
    preset,
    sampling: { temperature, topP, seed },
    limits: { maxNewTokens, maxRounds, tokensPerRound: tokensPerRound[mode] },
  };
}

/** Waits for the runs before, whatever becomes of them, unless this one is stopped first. */
async function untilAborted(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(new ReadroomError('cancelled', 'The run was stopped before it began.'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  aborted.catch(() => undefined);
  await Promise.race([before, aborted]);
}
