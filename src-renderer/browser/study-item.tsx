/** One open study: its series, its unreadable files, its identifiers on demand. */
import { type ReactElement, useState } from 'react';
import type { StudyView } from '../../src-contract/channels.ts';
import { useStudies } from '../state/study-store.ts';
import { Icon } from '../viewer/icons.tsx';
import { Identifiers } from './identifiers.tsx';
import { ProblemList } from './problem-list.tsx';
import { SeriesItem } from './series-item.tsx';

export function StudyItem({ study }: { study: StudyView }): ReactElement {
  const [showsIdentifiers, setShowsIdentifiers] = useState(false);
  const { studyId, title, series, problems, skipped, synthetic } = study;
  return (
    <section className="study" aria-label={`Study ${title}`} data-testid="study-item">
      <header className="row">
        <h2 className="grow clip" title={title}>
          {title}
        </h2>
        {synthetic ? <span className="badge">synthetic</span> : null}
        <button
          type="button"
          className="bare"
          aria-label={showsIdentifiers ? 'Hide identifiers' : 'Show identifiers'}
          aria-pressed={showsIdentifiers}
          title={showsIdentifiers ? 'Hide identifiers' : 'Show identifiers'}
          data-testid="show-identifiers"
          onClick={() => setShowsIdentifiers(!showsIdentifiers)}
        >
          <Icon name="eye" />
        </button>
        <button
          type="button"
          className="bare"
          aria-label={`Close ${title}`}
          title="Close study (Ctrl+W)"
          data-testid="close-study"
          onClick={() => void useStudies.getState().close(studyId)}
        >
          <Icon name="close" />
        </button>
      </header>
      {showsIdentifiers && series[0] ? <Identifiers studyId={studyId} seriesId={series[0].id} /> : null}
      <ul className="series-list">
        {series.map((one) => (
          <SeriesItem key={one.id} studyId={studyId} series={one} />
        ))}
      </ul>
      {problems.length > 0 ? (
        <details className="unread">
          <summary>
            {problems.length} {problems.length === 1 ? 'file' : 'files'} could not be read
          </summary>
          <ProblemList problems={problems} />
        </details>
      ) : null}
      {skipped > 0 ? (
        <p className="dim">
          {skipped} {skipped === 1 ? 'file that is no image was' : 'files that are no images were'} skipped
        </p>
      ) : null}
    </section>
  );
}
