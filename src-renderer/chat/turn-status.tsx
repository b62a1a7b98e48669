/** One line that says what a run does now. Its height never changes. */
import type { RefObject } from 'react';
import { useEngine } from '../state/engine-store.ts';
import { type Conversion, useModels } from '../state/models-store.ts';
import { activeRun, type Run, useRuns } from '../state/run-store.ts';
import { formatDuration } from '../ui/format.ts';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { describeProgress } from './wording.ts';

interface Status {
  readonly text: string;
  readonly done?: number;
  readonly total?: number;
}

/** The conversion that the question waits for: the first one under way. */
function useConversion(): Conversion | undefined {
  return useModels(({ conversions }) => Object.values(conversions)[0]);
}

function useStatus(run: Run): Status {
  const engine = useEngine((state) => state.status);
  const conversion = useConversion();
  const isNext = useRuns((state) => activeRun(state)?.runId === run.runId);
  if (run.stopping) return { text: 'Stopping' };
  switch (run.phase) {
    case 'waiting':
      if (!isNext) return { text: 'Waits for the question before it' };
      if (conversion) {
        const { done, total } = conversion;
        return { text: 'Preparing the model for this machine, once', done, total };
      }
      if (engine === 'starting' || engine === 'loading') return { text: 'Loading the model' };
      return { text: 'Preparing the images' };
    case 'reading': {
      const { progress, started } = run;
      if (!progress) return { text: started?.mode === '3d' ? 'Reading the slices' : 'Reading the image' };
      const text = describeProgress(progress, started?.mode ?? '2d');
      return { text, done: progress.done, total: progress.total };
    }
    case 'writing':
      return { text: 'Writing' };
    case 'ended':
      return { text: endedText(run) };
  }
}

function endedText({ finished, error }: Run): string {
  if (!finished) return error?.code === 'cancelled' ? 'Stopped' : 'Failed';
  const time = formatDuration(finished.timings.totalMs);
  switch (finished.stopReason) {
    case 'cancelled':
      return `Stopped after ${time}`;
    case 'failed':
      return `Failed after ${time}`;
    case 'end-of-turn':
      return `Answered in ${time}`;
    default:
      return `Ended after ${time}`;
  }
}

export function TurnStatus({ run, count }: { run: Run; count: RefObject<HTMLSpanElement | null> }) {
  const { text, done, total } = useStatus(run);
  const busy = run.phase !== 'ended';
  return (
    <div className="turn-status small dim" data-testid="run-status" data-phase={run.phase}>
      {busy && <span className="pulse" aria-hidden="true" />}
      <span>{text}</span>
      <span ref={count} />
      {busy && run.phase !== 'writing' && <ProgressBar label={text} done={done ?? 0} total={total ?? 0} />}
    </div>
  );
}
