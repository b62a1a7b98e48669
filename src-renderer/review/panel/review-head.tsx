/** Who reads, how far, how long, and whether everything is on the disk. */
import { useEffect, useReducer } from 'react';
import { openSteps } from '../../../src-contract/review.ts';
import { useProject } from '../../project/project-store.ts';
import { useUi } from '../../state/ui-store.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import { retryUnsaved } from '../edits.ts';
import { redo, undo } from '../reading.ts';
import { useReview } from '../review-store.ts';
import { switchReader } from '../switch-reader.ts';
import { activeMs, listenToTimer, pausedBecause } from '../timer.ts';
import { clock } from '../words.ts';

export function ReviewHead() {
  const view = useProject((state) => state.view);
  const openPanel = useUi((state) => state.openPanel);
  const hasRun = useReview(({ session }) => session !== null);
  return (
    <header className="review-head">
      <div className="review-head-row">
        <select
          className="field select reader-choice"
          aria-label="Reader"
          title="Who reads now"
          data-testid="reader"
          value={view?.readerId ?? ''}
          onChange={(event) => {
            if (event.target.value === '+') openPanel('readers');
            else void switchReader(event.target.value);
          }}
        >
          {view?.readers.map(({ readerId, name, role }) => (
            <option key={readerId} value={readerId}>
              {role === 'adjudicator' ? `${name} (adjudicator)` : name}
            </option>
          ))}
          <option value="+">Readers…</option>
        </select>
        {hasRun && <Progress />}
        <span className="spacer" />
        {hasRun && <Timer />}
        <IconButton
          icon="undo"
          label={view?.undo.undo ? `Undo: ${view.undo.undo} (Ctrl+Z)` : 'Nothing to undo'}
          aria-disabled={!view?.undo.undo}
          data-testid="undo"
          onClick={() => void undo()}
        />
        <IconButton
          icon="redo"
          label={view?.undo.redo ? `Redo: ${view.undo.redo} (Ctrl+Shift+Z)` : 'Nothing to redo'}
          aria-disabled={!view?.undo.redo}
          data-testid="redo"
          onClick={() => void redo()}
        />
      </div>
      {hasRun && <Saved />}
    </header>
  );
}

function Progress() {
  const total = useReview(({ session }) => session?.summary.steps.length ?? 0);
  const open = useReview(({ session, own }) => (session && own ? openSteps(own, session.summary).length : 0));
  if (total === 0) return null;
  const text = `${total - open} of ${total} decided`;
  return (
    <span className="review-progress small" data-testid="review-progress" title={text}>
      <progress className="progress" aria-label={text} value={total - open} max={total} />
      {text}
    </span>
  );
}

function Timer() {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => listenToTimer(redraw), []);
  const paused = pausedBecause();
  return (
    <span
      className={`review-timer small ${paused ? 'dim' : ''}`}
      title={
        paused === 'idle'
          ? 'The clock stands: nothing was done for a minute.'
          : paused === 'finished'
            ? 'Time of the finished reading'
            : 'Time at this run; it stands while the window is in the background or nothing is done for a minute.'
      }
      data-testid="review-timer"
    >
      {clock(activeMs())}
      {paused === 'idle' ? ' paused' : ''}
    </span>
  );
}

/** Nothing is saved by hand; this says that it was. */
function Saved() {
  const saving = useReview((state) => state.saving);
  const savedAt = useReview((state) => state.savedAt);
  const unsaved = useReview((state) => state.unsaved);
  if (unsaved) {
    return (
      <div className="review-unsaved" role="alert" data-testid="unsaved">
        <p>
          The last change could not be saved. {unsaved.error.message} {unsaved.error.remedy}
        </p>
        <button type="button" className="button small-button" onClick={() => void retryUnsaved()}>
          Try again
        </button>
        <button
          type="button"
          className="button small-button"
          onClick={() => useReview.setState({ unsaved: null })}
        >
          Give it up
        </button>
      </div>
    );
  }
  const state = saving > 0 ? 'saving' : savedAt === null ? 'idle' : 'saved';
  return (
    <p className="review-saved small dim" role="status" data-testid="saved" data-state={state}>
      {state === 'saving' ? 'Saving' : state === 'saved' ? 'Saved' : 'Every change is saved as you make it.'}
    </p>
  );
}
