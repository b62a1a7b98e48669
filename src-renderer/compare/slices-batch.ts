/** The question of a volume run, asked in 2D on the slices of its cuboid: how far it is, and what it leads to. */
import { create } from 'zustand';
import type { EventPayload } from '../../src-contract/channels.ts';
import { openStudyOf } from '../review/open-run.ts';
import { call, on } from '../state/bridge.ts';
import { useUi } from '../state/ui-store.ts';
import { type Chosen, compare, findConsistency, useCompare } from './compare-store.ts';

type Batch = EventPayload<'compare.slices'>;

interface SlicesState {
  /** The batch that is under way, or ended last. */
  readonly batch: Batch | null;
}

export const useSlices = create<SlicesState>()(() => ({ batch: null }));

/** Asks on every n-th slice that was not asked yet; resolves when that has ended, one way or the other. */
export async function askSlices(volumeRunId: string, every: number): Promise<Batch['state']> {
  let stop = (): void => undefined;
  const ended = new Promise<Batch['state']>((resolve) => {
    stop = on('compare.slices', (event) => {
      if (event.volumeRunId === volumeRunId && event.state !== 'running') resolve(event.state);
    });
  });
  try {
    const { total } = await call('compare.askSlices', { volumeRunId, every });
    useSlices.setState(({ batch }) =>
      // A small one may have ended before this answer.
      batch?.volumeRunId === volumeRunId && batch.state !== 'running'
        ? {}
        : { batch: { volumeRunId, done: 0, total, state: 'running', error: null } },
    );
    return await ended;
  } finally {
    stop();
  }
}

export function stopSlices(): void {
  const { batch } = useSlices.getState();
  if (batch) void call('compare.stopSlices', { volumeRunId: batch.volumeRunId }).catch(() => undefined);
}

/** 2D beside 3D of one volume run: on the slices that were asked, or on some that are asked now. */
export async function compareWithSlices(volume: Chosen): Promise<void> {
  const { runId } = volume;
  useUi.getState().showSide('compare');
  useCompare.setState({ first: null, pair: null, failure: null });
  try {
    let { points } = await call('compare.consistency', { runId });
    if (points.length === 0) {
      // The slices are cut from the images.
      if (!(await openStudyOf(volume.caseId))) return;
      await askSlices(runId, 2);
      ({ points } = await call('compare.consistency', { runId }));
    }
    const point = points[points.length >> 1];
    if (!point) return;
    await compare({ a: { ...volume, runId: point.runId }, b: volume });
  } catch (thrown) {
    useUi.getState().report(thrown);
  }
}

export function connectSlices(): void {
  on('compare.slices', (batch) => {
    useSlices.setState({ batch });
    // The curve grows point by point.
    if (useCompare.getState().consistency?.volumeRunId === batch.volumeRunId)
      void findConsistency(batch.volumeRunId);
  });
}
