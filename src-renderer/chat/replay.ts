/** Shows a finished run again at the speed it came: the text, and each box in the viewer as it was found. */
import type { RunEvent } from '../../src-contract/run-events.ts';
import { goToStep, runBoxes, runLog, useRuns } from '../state/run-store.ts';
import type { StreamView } from './stream-view.ts';

/** When each event is due, in milliseconds after the first token: what came before it was waiting. */
export function schedule(events: readonly RunEvent[]): readonly number[] {
  const first = events.find(({ type }) => type === 'token')?.at ?? 0;
  return events.map(({ at }) => Math.max(0, at - first));
}

/** Returns what stops it. `onEnd` is called when it came to its end by itself. */
export function startReplay(runId: string, view: StreamView, onEnd: () => void): () => void {
  const { events } = runLog(runId);
  const due = schedule(events);
  const boxes = runBoxes(runId);
  const begin = performance.now();
  let next = 0;
  let frame = 0;
  useRuns.getState().showBoxes(runId, true);
  boxes?.show(0);
  const step = (): void => {
    const now = performance.now() - begin;
    for (; next < events.length && due[next] <= now; next++) {
      const event = events[next];
      view.draw(event);
      if (event.type === 'box') {
        boxes?.show(event.step + 1);
        goToStep(runId, event.step);
      }
    }
    if (next < events.length) frame = requestAnimationFrame(step);
    else onEnd();
  };
  frame = requestAnimationFrame(step);
  return () => {
    cancelAnimationFrame(frame);
    // Unless the run was deleted, or its boxes hidden, meanwhile.
    if (useRuns.getState().runs[runId]?.boxesShown) boxes?.show();
  };
}
