/**
 * How well 2D runs on the slices of a cuboid agree with the volume run that drew it: one point a slice. The cuboid is the
 * volume run's last box with slices of its own, a slice's box the 2D run's last one: the last look before the answer.
 */
import { planeIou } from '../../../src-contract/box-measures.ts';
import type { Consistency } from '../../../src-contract/comparison.ts';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { type Options, optionLetters } from '../../../src-contract/run-events.ts';
import { type SourceBox, sourceBoxOf } from '../../../src-contract/source-box.ts';
import { summarizeEvents, type Trace } from '../../../src-contract/trace.ts';
import type { ComparedRun } from './compare-runs.ts';
import { samePixels, sectionAt, slicesOf, targetOf } from './run-target.ts';

/** Source axis of a series' own slices: those that 2D runs are asked on. */
export const storedSliceAxis = 2;

/** The cuboid that a volume run ended on; null where it drew none. */
export function cuboidOf(trace: Trace): SourceBox | null {
  if (targetOf(trace).kind !== 'volume') return null;
  // A box of four numbers in a volume run names no slices.
  const last = summarizeEvents(trace.events).steps.findLast(({ box }) => !box.sliceZeroOnly);
  return last ? sourceBoxOf(last.box.located) : null;
}

/** The box that a 2D run ended on. */
export function lastBoxOf(trace: Trace): SourceBox | null {
  const last = summarizeEvents(trace.events).steps.at(-1);
  return last ? sourceBoxOf(last.box.located) : null;
}

/** @throws ReadroomError 'input-invalid' for a run that is not about a volume, or drew no cuboid */
export function requireCuboid(trace: Trace): SourceBox {
  const cuboid = cuboidOf(trace);
  if (cuboid) return cuboid;
  const volume = targetOf(trace).kind === 'volume';
  throw new ReadroomError(
    'input-invalid',
    volume ? 'The run on the volume drew no box.' : 'The run is about one image, not about a volume.',
    {
      remedy: volume
        ? 'Ask a question whose answer has a place, with the preset "grounded".'
        : 'Choose a run on a volume; runs on its slices are found by themselves.',
    },
  );
}

/** Source slices that the cuboid covers. */
export const cuboidSlices = (trace: Trace): number[] =>
  slicesOf(requireCuboid(trace), storedSliceAxis, trace.chain.sourceSize[storedSliceAxis]);

/** Every n-th slice, counted from the middle, so that the slice shown large by default is among them. */
export function thinned(slices: readonly number[], every: number): number[] {
  const middle = slices.length >> 1;
  return slices.filter((_, index) => (index - middle) % every === 0);
}

/**
 * Runs that belong to a volume run: on one slice of the same pixels, the same question and choices, the same model,
 * precision and preset, carried out to an end of their own or to a limit. Of several on one slice the newest.
 */
export function sliceRunsOf(volume: ComparedRun, runs: Iterable<ComparedRun>): Map<number, ComparedRun> {
  const asked = askedOf(volume.trace);
  const found = new Map<number, ComparedRun>();
  for (const run of runs) {
    const target = targetOf(run.trace);
    if (target.kind !== 'slice' || target.axis !== storedSliceAxis) continue;
    if (askedOf(run.trace) !== asked || !samePixels(volume.trace, run.trace)) continue;
    const { stopReason } = summarizeEvents(run.trace.events);
    if (stopReason === null || stopReason === 'cancelled' || stopReason === 'failed') continue;
    const other = found.get(target.slice);
    if (!other || other.trace.createdAt <= run.trace.createdAt) found.set(target.slice, run);
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

function askedOf({ question, options, events }: Trace): string {
  const { started } = summarizeEvents(events);
  const choices = (each: Options) => optionLetters.map((letter) => each[letter] ?? '');
  const model = started && [started.model.modelHash, started.model.precision, started.preset];
  return JSON.stringify([question, choices(options), model]);
}

/**
 * One point a slice of the cuboid that has a 2D run. The mean counts a slice on which the 2D run drew no box as 0.
 * @throws ReadroomError as requireCuboid does
 */
export function consistencyOf(volume: ComparedRun, runs: Iterable<ComparedRun>): Consistency {
  const cuboid = requireCuboid(volume.trace);
  const points: Consistency['points'] = [];
  for (const [slice, { runId, trace }] of sliceRunsOf(volume, runs)) {
    const section = sectionAt(cuboid, storedSliceAxis, slice);
    if (!section) continue;
    const box = lastBoxOf(trace);
    points.push({ slice, runId, box, iou: box && planeIou(section, box, storedSliceAxis) });
  }
  const sum = points.reduce((total, { iou }) => total + (iou ?? 0), 0);
  return { volumeRunId: volume.runId, points, meanIou: points.length > 0 ? sum / points.length : null };
}
