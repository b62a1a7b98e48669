/** Asks the question of a volume run on the slices of its cuboid; shows how far that is. */
import { useState } from 'react';
import { useUi } from '../state/ui-store.ts';
import { ErrorNote } from '../ui/error-note.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { askSlices, stopSlices, useSlices } from './slices-batch.ts';

export function AskSlices({ volumeRunId }: { volumeRunId: string }) {
  const batch = useSlices((state) => state.batch);
  const [every, setEvery] = useState(1);
  const mine = batch?.volumeRunId === volumeRunId ? batch : null;
  if (mine?.state === 'running') return <SlicesUnderway />;
  return (
    <>
      <div className="form-row wrap">
        <select
          className="field select"
          aria-label="On which slices of the cuboid"
          value={every}
          onChange={(event) => setEvery(Number(event.target.value))}
        >
          <option value={1}>every slice</option>
          <option value={2}>every second slice</option>
          <option value={4}>every fourth slice</option>
        </select>
        <button
          type="button"
          className="button small-button"
          data-testid="ask-slices"
          title="The same question, model and preset; slices that were asked already are left out"
          onClick={() => void askSlices(volumeRunId, every).catch(useUi.getState().report)}
        >
          Ask in 2D
        </button>
        {mine?.state === 'done' && mine.total === 0 && (
          <span className="small dim">All of them were asked.</span>
        )}
      </div>
      {mine?.error && <ErrorNote error={mine.error} />}
    </>
  );
}

/** The batch that is under way, with what ends it. */
export function SlicesUnderway() {
  const batch = useSlices((state) => state.batch);
  if (batch?.state !== 'running') return null;
  const { done, total } = batch;
  return (
    <div className="form-row" role="status" data-testid="slices-underway">
      <ProgressBar label="Asking on the slices" done={done} total={total} />
      <span className="small nowrap">
        {done} of {total} slices
      </span>
      <button type="button" className="button small-button" onClick={stopSlices}>
        Stop
      </button>
    </div>
  );
}
