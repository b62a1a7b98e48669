/**
 * The question of a volume run, asked in 2D on the slices of its cuboid, one after the other in the queue of the window's
 * questions: what is asked meanwhile comes between. Each run is in the project as soon as it has ended, so a batch that is
 * stopped, or that the program's end cuts, goes on with the slices that are left.
 */
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { MethodResult } from '../../../src-contract/method-channel.ts';
import type { ProjectMethods } from '../../../src-contract/project-protocol.ts';
import type { ModelFacts } from '../../../src-contract/run-events.ts';
import type { Trace } from '../../../src-contract/trace.ts';
import type { Runs } from '../runs.ts';
import type { Emit, Studies } from '../studies/studies.ts';
import { openSeriesOf } from './figure-handlers.ts';
import type { Projects } from './projects.ts';

type Plan = MethodResult<ProjectMethods, 'slicePlan'>;

export interface SliceRunsOptions {
  readonly projects: Projects;
  readonly studies: Studies;
  readonly runs: Runs;
  readonly emit: Emit;
}

export class SliceRuns {
  readonly #options: SliceRunsOptions;
  readonly #underWay = new Map<string, AbortController>();
  readonly #batches = new Set<Promise<void>>();

  constructor(options: SliceRunsOptions) {
    this.#options = options;
  }

  /**
   * Begins; compare.slices events tell the rest.
   * @throws ReadroomError 'input-invalid' where the run drew no cuboid, where its images are not open, or while the same
   * batch is under way
   */
  async start(volumeRunId: string, every: number): Promise<{ total: number }> {
    if (this.#underWay.has(volumeRunId)) {
      throw new ReadroomError('input-invalid', 'The slices of this run are being asked already.');
    }
    const controller = new AbortController();
    this.#underWay.set(volumeRunId, controller);
    try {
      const plan = await this.#options.projects.call('slicePlan', { volumeRunId, every });
      const place = openSeriesOf(this.#options.studies, plan);
      const batch = this.#carryOut(volumeRunId, plan, place, controller.signal);
      this.#batches.add(batch);
      void batch.finally(() => this.#batches.delete(batch));
      return { total: plan.slices.length };
    } catch (thrown) {
      this.#underWay.delete(volumeRunId);
      throw thrown;
    }
  }

  stop(volumeRunId: string): void {
    this.#underWay.get(volumeRunId)?.abort();
  }

  stopAll(): void {
    for (const controller of this.#underWay.values()) controller.abort();
  }

  /** Every batch has ended, and what it made is kept. */
  async settled(): Promise<void> {
    await Promise.all(this.#batches);
  }

  async #carryOut(
    volumeRunId: string,
    plan: Plan,
    place: { studyId: string; seriesId: string },
    signal: AbortSignal,
  ): Promise<void> {
    const total = plan.slices.length;
    let done = 0;
    const tell = (
      state: 'running' | 'done' | 'stopped' | 'failed',
      error: ReadroomError | null = null,
    ): void =>
      this.#options.emit('compare.slices', {
        volumeRunId,
        done,
        total,
        state,
        error: error?.toPayload() ?? null,
      });
    try {
      for (const slice of plan.slices) {
        tell('running');
        await this.#ask(plan, place, slice, signal);
        done++;
      }
      tell('done');
    } catch (thrown) {
      const error = toReadroomError(thrown);
      if (error.code === 'cancelled') tell('stopped');
      else tell('failed', error);
    } finally {
      this.#underWay.delete(volumeRunId);
    }
  }

  async #ask(
    plan: Plan,
    place: { studyId: string; seriesId: string },
    slice: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { runs, projects } = this.#options;
    const { question, options, expected, preset, sampling, limits, window } = plan;
    let trace: Trace | null = null;
    try {
      await runs.aside(
        {
          ask: { ...place, target: { kind: 'slice', slice, ...(window ? { window } : {}) } },
          question: { question, options, ...(expected ? { expected } : {}) },
          settings: { preset, sampling, limits },
          checkModel: (facts) => checkModel(facts, plan),
          onTrace: (made) => {
            trace = made;
          },
        },
        signal,
      );
    } finally {
      // A run that was stopped in the middle is kept too, as everywhere; it does not count for the curve.
      if (trace) await projects.keep(trace, plan.title);
    }
  }
}

/** A curve is of one model: slices read by another one would not be found by it. */
function checkModel({ name, modelHash, precision }: ModelFacts, { model }: Plan): void {
  if (modelHash === model.modelHash && precision === model.precision) return;
  throw new ReadroomError(
    'input-invalid',
    `The volume was read by ${model.name} (${model.precision}); chosen is ${name} (${precision}).`,
    { remedy: `Choose ${model.name} in the Models panel, with the precision ${model.precision}.` },
  );
}
