/** What takes a while with the project: images searched for, a project checked or taken in, a copy saved. */
import { ProgressBar } from '../ui/progress-bar.tsx';
import { stopTransfer, useProject } from './project-store.ts';

export function Underway() {
  const progress = useProject((state) => state.progress);
  const stopping = useProject((state) => state.stopping);
  if (!progress) return null;
  return (
    <div className="cases-underway small dim" role="status" data-testid="project-underway">
      <div className="cases-underway-what">
        <span className="grow clip">{stopping ? 'Stopping' : progress.what}</span>
        <button
          type="button"
          className="button small"
          title="What is stopped changes nothing and leaves no file"
          aria-label={`Stop: ${progress.what}`}
          data-testid="project-stop"
          disabled={stopping}
          onClick={() => void stopTransfer()}
        >
          Stop
        </button>
      </div>
      <ProgressBar label={progress.what} done={progress.done} total={progress.total} />
    </div>
  );
}
