/** What lists show of a trace, and which case it belongs to: read out of the trace when it comes in. */

import { sliceAxis } from '../../../src-contract/box-measures.ts';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { applyAffine, point, processorToSource } from '../../../src-contract/geometry.ts';
import type { Case, RunRow } from '../../../src-contract/project.ts';
import { type SourceBox, sourceBoxOf } from '../../../src-contract/source-box.ts';
import { summarizeEvents, type Trace } from '../../../src-contract/trace.ts';
import { canonicalJson, sha256Of } from './log/log.ts';

export type RunFacts = Pick<
  RunRow,
  | 'createdAt'
  | 'mode'
  | 'slice'
  | 'preset'
  | 'model'
  | 'precision'
  | 'question'
  | 'options'
  | 'answer'
  | 'expected'
  | 'steps'
  | 'stopReason'
> & {
  /** As the trace has it. */
  readonly runId: string;
  /** Source axis along which the model's slices run. */
  readonly axis: 0 | 1 | 2;
  /** The model's box of each step. */
  readonly boxes: readonly SourceBox[];
};

/** @throws ReadroomError 'input-invalid' for a trace of a run that never began */
export function factsOf(trace: Trace): RunFacts {
  const { started, steps, answer, stopReason } = summarizeEvents(trace.events);
  if (!started) {
    throw new ReadroomError('input-invalid', 'The trace tells of a run that never began.', {
      remedy: 'Runs are kept from their first event on.',
    });
  }
  return {
    runId: started.runId,
    createdAt: trace.createdAt,
    mode: started.mode,
    slice: sliceOf(trace, started.mode),
    preset: started.preset,
    model: started.model.name,
    precision: started.model.precision,
    question: trace.question,
    options: trace.options,
    answer: answer?.answers.inference ?? null,
    expected: trace.expected,
    steps: steps.length,
    stopReason,
    axis: sliceAxis(trace.chain),
    boxes: steps.map(({ box }) => sourceBoxOf(box.located)),
  };
}

/** The source slice that a 2D run looked at, where it was one of several. */
function sliceOf({ chain, series }: Trace, mode: '2d' | '3d'): number | null {
  if (mode === '3d' || !series || series.slices < 2) return null;
  const place = applyAffine(processorToSource(chain), point('processor', 0, 0, 0));
  return Math.round(place[sliceAxis(chain)]);
}

/**
 * The same pixels give the same case on every machine: the id is taken from the hashes of the files and the series in
 * them. A trace without sources is a case of its own.
 */
export function caseIdOf({ sources, series }: Trace, runId: string): string {
  const files = [...new Set(sources.map(({ sha256, member }) => `${sha256} ${member ?? ''}`))].sort();
  const identity = files.length === 0 ? { runId } : { files, series: series?.id ?? null };
  return sha256Of(canonicalJson(identity)).slice(0, 32);
}

export function caseOf(trace: Trace, runId: string, title: string): Case {
  return {
    caseId: caseIdOf(trace, runId),
    title: title.slice(0, 1_000) || 'Untitled',
    synthetic: trace.synthetic,
    sources: trace.sources,
    series: trace.series,
  };
}

/** Where nobody gave the case a name: the file, or the folder of many. */
export function titleOfSources({ sources }: Pick<Trace, 'sources'>): string {
  const parts = (sources[0]?.path ?? '').split(/[\\/]/).filter(Boolean);
  const name = sources.length > 1 ? (parts.at(-2) ?? parts.at(-1)) : parts.at(-1);
  return name || 'Untitled';
}
