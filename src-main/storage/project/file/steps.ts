/**
 * Long work on a project in steps. SQLite's driver is synchronous: between two steps, and nowhere else, the process can
 * hear that the work is to be stopped, and answer other calls.
 */
import { setImmediate } from 'node:timers/promises';
import { ReadroomError } from '../../../../src-contract/errors.ts';

/** Pauses wherever it may be stopped: by an error thrown at that place, so that it undoes what it began. */
export type Steps<T> = Generator<void, T, void>;

/** Of all long work here: entries or images done, of how many. */
export type Progress = (done: number, total: number) => void;

/** Milliseconds of work before others get a turn. */
const turnMs = 20;

export function allAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * Lets others have a turn every few milliseconds. Work that has ended when the signal comes stays done.
 * @throws ReadroomError 'cancelled' once everything is as it was, and what the work throws
 */
export async function inTurns<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    if (signal?.aborted) {
      const cancelled = new ReadroomError('cancelled', 'Stopped; nothing was changed.');
      steps.throw(cancelled);
      throw cancelled;
    }
    const end = performance.now() + turnMs;
    do {
      const step = steps.next();
      if (step.done) return step.value;
    } while (performance.now() < end);
    await setImmediate();
  }
}
