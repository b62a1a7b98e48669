/**
 * One question about one prepared input: sends the run to the engine, hands every event on as it comes, and keeps the
 * trace. Used by the command line and by the window alike.
 */
import { randomUUID } from 'node:crypto';
import type { RunOutcome } from '../../src-contract/engine-protocol.ts';
import { toReadroomError } from '../../src-contract/errors.ts';
import type { Limits, OptionLetter, Options, Preset, RunEvent } from '../../src-contract/run-events.ts';
import type { Trace } from '../../src-contract/trace.ts';
import { formatPrompt } from '../engine/grounding/prompts.ts';
import type { EngineHost } from '../engine/host/client.ts';
import { withProcessor } from '../slices/affine-chain.ts';
import { TraceRecorder } from '../trace/recorder.ts';
import type { PreparedInput } from './prepared-input.ts';
import { appVersion } from './version.ts';

export interface Question {
  readonly question: string;
  readonly options: Options;
  readonly expected?: OptionLetter;
}

export interface RunSettings {
  readonly preset: Preset;
  readonly sampling: {
    readonly temperature: number;
    readonly topP: number;
    readonly topK?: number;
    readonly seed: number;
  };
  readonly limits: Limits;
}

/** The reference's caps on one round, 3D and 2D. */
export const tokensPerRound = { '3d': 128, '2d': 256 } as const;

export interface QuestionRun {
  readonly trace: Trace;
  readonly outcome: RunOutcome;
}

export interface RunHooks {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Gets the recorder before the run begins, so that a partial trace can be had at any moment, a crash included. */
  readonly onRecorder?: (recorder: TraceRecorder) => void;
  /** Where the trace is written when the run is over, whatever became of it. */
  readonly traceFile?: string;
  readonly runId?: string;
}

/**
 * Runs one question on the model that the engine has loaded.
 * @throws ReadroomError when the run could not be carried out at all (engine died, bad input); a run that the model, a
 * limit or the person ended is an outcome.
 */
export async function runQuestion(
  engine: EngineHost,
  input: PreparedInput,
  { question, options, expected }: Question,
  settings: RunSettings,
  { signal, onEvent, onRecorder, traceFile, runId = randomUUID() }: RunHooks = {},
): Promise<QuestionRun> {
  const { width, height } = input.images[0];
  const processed = await engine.call('processedSize', { width, height }, { signal });
  const chain = withProcessor(input.chain, processed.width, processed.height);
  const recorder = new TraceRecorder({
    app: { name: 'readroom', version: appVersion() },
    createdAt: new Date().toISOString(),
    synthetic: input.synthetic,
    sources: [...input.sources],
    series: input.series,
    chain,
    normalization: input.normalization,
    question,
    options,
    expected: expected ?? null,
  });
  onRecorder?.(recorder);
  try {
    const outcome = await engine.call(
      'run',
      {
        runId,
        mode: input.mode,
        images: [...input.images],
        promptText: formatPrompt(input.mode, question, options),
        options,
        preset: settings.preset,
        sampling: settings.sampling,
        limits: settings.limits,
        chain,
      },
      {
        signal,
        onEvent: (event: RunEvent) => {
          recorder.record(event);
          onEvent?.(event);
        },
      },
    );
    return { trace: recorder.trace(), outcome };
  } catch (thrown) {
    // The process died or the call was refused: what was shown until then is kept, closed with the reason.
    const error = toReadroomError(thrown, 'engine-failed');
    for (const event of recorder.close(error)) onEvent?.(event);
    throw error;
  } finally {
    if (traceFile) await recorder.save(traceFile);
  }
}
