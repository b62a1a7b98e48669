/** Why a run ended, where the model did not end it itself. */
import type { Run } from '../state/run-store.ts';
import { describeStop } from './wording.ts';

/** What the record is then: a whole run that a limit cut, or a part of one. */
function badge(reason: string): string {
  if (reason === 'cancelled') return 'stopped';
  if (reason === 'failed') return 'failed';
  return reason === 'invalid-box' ? 'ended' : 'cut';
}

export function StopNote({ run: { phase, finished, error } }: { run: Run }) {
  if (phase !== 'ended') return null;
  if (!finished) {
    const stopped = error?.code === 'cancelled';
    return (
      <p className="stop-note" data-testid="stop-note">
        <span className="badge">{stopped ? 'stopped' : 'failed'}</span>
        {stopped ? 'Stopped before it began.' : 'It never began.'}
      </p>
    );
  }
  const { stopReason } = finished;
  if (stopReason === 'end-of-turn') return null;
  const isPart = stopReason === 'cancelled' || stopReason === 'failed';
  const words = describeStop(stopReason);
  return (
    <p className="stop-note" data-testid="stop-note" data-reason={stopReason}>
      <span className="badge">{badge(stopReason)}</span>
      {words.charAt(0).toUpperCase() + words.slice(1)}
      {isPart ? '; the trace up to here is kept.' : '.'}
    </p>
  );
}
