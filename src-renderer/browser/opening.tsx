/** Studies on their way, and those that did not arrive. */
import type { ReactElement } from 'react';
import { type Failure, type Opening, useStudies } from '../state/study-store.ts';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { Icon } from '../viewer/icons.tsx';
import { ProblemList, withoutFolders } from './problem-list.tsx';

export function OpeningItem({ opening }: { opening: Opening }): ReactElement {
  const { openId, title, name, done, total } = opening;
  return (
    <section className="opening" aria-label={`Opening ${title}`} data-testid="opening">
      <div className="row">
        <span className="grow clip">Opening {title}</span>
        <button
          type="button"
          className="small"
          data-testid="cancel-open"
          onClick={() => void useStudies.getState().cancelOpen(openId)}
        >
          Cancel
        </button>
      </div>
      <ProgressBar label={`Opening ${title}`} done={done} total={total} />
      <p className="dim clip">{total > 0 ? `${done} of ${total} · ${name}` : 'Looking at the files'}</p>
    </section>
  );
}

export function FailureNote({ failure }: { failure: Failure }): ReactElement {
  const { error } = failure;
  // One file, one reason: said once.
  const problems = failure.problems.filter(({ error: own }) => own.message !== error.message);
  return (
    <section className="failure" role="alert" data-testid="open-failure">
      <div className="row">
        <p className="grow">{withoutFolders(error)}</p>
        <button
          type="button"
          className="bare"
          aria-label="Dismiss"
          title="Dismiss"
          onClick={() => useStudies.getState().dismissFailure()}
        >
          <Icon name="close" />
        </button>
      </div>
      {error.remedy ? <p className="dim">{error.remedy}</p> : null}
      {problems.length > 0 ? <ProblemList problems={problems} /> : null}
    </section>
  );
}
