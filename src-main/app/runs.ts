/** Questions of the window: one after the other through the engine, each with its trace, which is kept for the session. */
import { randomUUID } from 'node:crypto';
import type { Ask, Settings } from '../../src-contract/channels.ts';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import type { ModelFacts, RunEvent } from '../../src-contract/run-events.ts';
import type { Trace } from '../../src-contract/trace.ts';
import type { PreparedInput } from '../runs/prepared-input.ts';
import { type Question, type RunSettings, runQuestion, tokensPerRound } from '../runs/question-run.ts';
import type { TraceRecorder } from '../trace/recorder.ts';
import type { EngineService } from './models/engine-service.ts';
import type { Models } from './models/models.ts';
import type { Emit, Studies } from './studies/studies.ts';

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

/** A run that the window does not show as it goes: see slice-runs.ts. */
export interface AsideRun {
  readonly ask: Pick<Ask, 'studyId' | 'seriesId' | 'target'>;
  readonly question: Question;
  readonly settings: RunSettings;
  /** May refuse the model that is loaded, by throwing. */
  readonly checkModel: (facts: ModelFacts) => void;
  /** The trace, however the run ended. */
  readonly onTrace: (trace: Trace) => void;
}

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

  /**
   * Waits its turn among the questions, and resolves when the run has ended by itself or by a limit.
   * @throws ReadroomError 'cancelled', and what the run failed with
   */
  aside(run: AsideRun, signal: AbortSignal): Promise<void> {
    const before = this.#last;
    const own = this.#carryOutAside(run, signal, before);
    this.#last = own.catch(() => undefined);
    return own;
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

  /** Asked for since the program began, and recorded from. */
  has(runId: string): boolean {
    return Boolean(this.#runs.get(runId)?.recorder);
  }

  /** What was recorded so far. @throws ReadroomError 'input-invalid' where the run never began */
  trace(runId: string): Trace {
    const recorder = this.#runs.get(runId)?.recorder;
    if (recorder) return recorder.trace();
    throw new ReadroomError('input-invalid', 'There is no trace of this run.', { field: 'runId' });
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

  async #carryOutAside(
    { ask, question, settings, checkModel, onTrace }: AsideRun,
    signal: AbortSignal,
    before: Promise<unknown>,
  ): Promise<void> {
    const { engine } = this.#options;
    await untilAborted(before, signal);
    const chosen = this.#options.settings();
    const [input, facts] = await Promise.all([this.#prepare(ask, signal), this.#loadModel(chosen, signal)]);
    checkModel(facts);
    let recorder: TraceRecorder | null = null;
    const keep = (made: TraceRecorder): void => {
      recorder = made;
    };
    try {
      const { outcome } = await engine.during(() =>
        runQuestion(engine.host, input, question, settings, { signal, onRecorder: keep }),
      );
      if (outcome.stopReason === 'cancelled') throw new ReadroomError('cancelled', 'The run was stopped.');
      if (outcome.stopReason === 'failed') {
        throw outcome.error
          ? ReadroomError.fromPayload(outcome.error)
          : new ReadroomError('engine-failed', 'The run failed.');
      }
    } finally {
      const made = recorder as TraceRecorder | null;
      if (made?.finished) onTrace(made.trace());
    }
  }

  #keep({ recorder }: Run, { studyId, seriesId }: Ask): void {
    if (!recorder?.finished) return;
    const kept = this.#options.keep(recorder.trace(), titleOf(this.#options.studies, studyId, seriesId));
    this.#keeping.add(kept);
    void kept.finally(() => this.#keeping.delete(kept));
  }

  async #prepare(
    { studyId, seriesId, target }: AsideRun['ask'],
    signal: AbortSignal,
  ): Promise<PreparedInput> {
    const { studies } = this.#options;
    const input = await studies.call(studyId, 'prepare', { seriesId, target }, signal);
    return { ...input, synthetic: input.synthetic || studies.source(studyId).synthetic === true };
  }

  async #loadModel(settings: Settings, signal: AbortSignal): Promise<ModelFacts> {
    const { models, engine } = this.#options;
    const model = models.find(settings.modelId);
    const precision = await models.precisionFor(model, settings);
    const containerDir = await models.container(model, precision, signal);
    return engine.load({ containerDir, precision, provider: settings.provider }, signal);
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
