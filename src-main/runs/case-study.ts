/**
 * One question on a volume and then, as a 2D question, on the slices of the cuboid that the volume run drew: what the
 * figure and the consistency curve are made of. Each trace is handed over as soon as its run is over, so that a batch that
 * was stopped goes on where it was.
 */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { ModelFacts } from '../../src-contract/run-events.ts';
import type { Window } from '../../src-contract/study.ts';
import { summarizeEvents, type Trace } from '../../src-contract/trace.ts';
import type { EngineHost } from '../engine/host/client.ts';
import { cuboidSlices, thinned } from '../review/compare/consistency.ts';
import { targetOf } from '../review/compare/run-target.ts';
import type { SeriesPixels } from '../study/pixels.ts';
import { prepareSeriesInput } from './prepare-study.ts';
import type { PreparedInput } from './prepared-input.ts';
import { type Question, type RunHooks, type RunSettings, runQuestion } from './question-run.ts';

export interface CaseStudyWish {
  readonly pixels: SeriesPixels;
  readonly question: Question;
  /** For the volume and for a slice: the reference's limits differ. */
  readonly settings: { readonly '2d': RunSettings; readonly '3d': RunSettings };
  /** Display window of the slices. */
  readonly window?: Window;
  /** Every how many slices of the cuboid a 2D question is asked; 1 for each. */
  readonly every: number;
  /** Asked too, whatever `every` says. */
  readonly slice?: number;
}

export interface CaseStudyHooks extends Pick<RunHooks, 'signal' | 'onEvent'> {
  /** Before each run: null for the volume; `done` of `total` slices are over. */
  readonly onRun?: (slice: number | null, done: number, total: number) => void;
  /** Called once a run that came to an end of its own or of a limit. */
  readonly keep?: (trace: Trace, slice: number | null) => Promise<void>;
  /** Traces of an earlier attempt; those that answer the same question in the same way are not asked again. */
  readonly known?: readonly Trace[];
}

export interface CaseStudy {
  readonly volume: Trace;
  /** By slice, in rising order. */
  readonly slices: ReadonlyMap<number, Trace>;
}

/**
 * @throws ReadroomError 'input-invalid' where the series is no volume or the volume run draws no box; 'cancelled' (what was
 * done has been handed to `keep`); what a failed run failed with
 */
export async function studyCase(
  engine: EngineHost,
  facts: ModelFacts,
  wish: CaseStudyWish,
  hooks: CaseStudyHooks = {},
): Promise<CaseStudy> {
  const { pixels, question, every } = wish;
  const { series } = pixels;
  if (series.kind !== 'volume') {
    throw new ReadroomError('input-invalid', `'${series.description}' is no volume.`, {
      field: 'series',
      remedy: 'The comparison of 2D and 3D needs a volume: slices of one geometry, evenly spaced.',
    });
  }
  const ask = async (input: PreparedInput, settings: RunSettings, slice: number | null) => {
    const known = hooks.known?.find((trace) => sameRun(trace, input, question, settings, facts, slice));
    if (known) return known;
    const { trace, outcome } = await runQuestion(engine, input, question, settings, hooks);
    if (outcome.stopReason === 'cancelled') throw new ReadroomError('cancelled', 'The runs were stopped.');
    if (outcome.stopReason === 'failed') {
      throw outcome.error
        ? ReadroomError.fromPayload(outcome.error)
        : new ReadroomError('engine-failed', 'The run failed.');
    }
    await hooks.keep?.(trace, slice);
    return trace;
  };

  hooks.onRun?.(null, 0, 1);
  const volume = await ask(prepareSeriesInput(pixels), wish.settings['3d'], null);
  const covered = cuboidSlices(volume);
  const chosen = new Set(thinned(covered, every));
  const wanted = covered.filter((slice) => chosen.has(slice) || slice === wish.slice);
  const slices = new Map<number, Trace>();
  for (const [index, slice] of wanted.entries()) {
    if (hooks.signal?.aborted) throw new ReadroomError('cancelled', 'The runs were stopped.');
    hooks.onRun?.(slice, index, wanted.length);
    const input = prepareSeriesInput(pixels, { slice, window: wish.window });
    slices.set(slice, await ask(input, wish.settings['2d'], slice));
  }
  return { volume, slices };
}

/** A finished trace of an earlier attempt that a new run would only repeat. */
function sameRun(
  trace: Trace,
  input: PreparedInput,
  { question, options }: Question,
  { preset, sampling, limits }: RunSettings,
  facts: ModelFacts,
  slice: number | null,
): boolean {
  const { started, stopReason } = summarizeEvents(trace.events);
  if (!started || stopReason === null || stopReason === 'cancelled' || stopReason === 'failed') return false;
  const target = targetOf(trace);
  if (slice === null ? target.kind !== 'volume' : target.kind !== 'slice' || target.slice !== slice)
    return false;
  const hashes = (sources: PreparedInput['sources']) => sources.map(({ sha256 }) => sha256);
  const asked = [
    [hashes(trace.sources), hashes(input.sources)],
    [trace.series?.id, input.series?.id],
    [trace.normalization, input.normalization],
    [trace.question, question],
    [given(trace.options), given(options)],
    [started.preset, preset],
    [started.limits, limits],
    [
      [started.model.modelHash, started.model.precision],
      [facts.modelHash, facts.precision],
    ],
    [
      [started.sampling.temperature, started.sampling.topP, started.sampling.seed],
      [sampling.temperature, sampling.topP, sampling.seed],
    ],
    [started.sampling.topK, sampling.topK ?? facts.generation.topK],
  ];
  return asked.every(([was, now]) => JSON.stringify(was) === JSON.stringify(now));
}

const given = (options: Question['options']): [string, string][] =>
  Object.entries(options)
    .filter(([, text]) => text)
    .sort(([a], [b]) => a.localeCompare(b));
