/** What takes a while with the project: images searched for, a project taken in, a copy saved. */
import { ProgressBar } from '../ui/progress-bar.tsx';
import { useProject } from './project-store.ts';

export function Underway() {
  const progress = useProject((state) => state.progress);
  if (!progress) return null;
  return (
    <div className="cases-underway small dim" role="status">
      {progress.what}
      <ProgressBar label={progress.what} done={progress.done} total={progress.total} />
    </div>
  );
}
