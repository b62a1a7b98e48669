/** One series: what it is, how far it is decoded, what is odd about it. */
import { type ReactElement, useEffect, useRef, useState } from 'react';
import { type SeriesView, thumbnailUrl } from '../../src-contract/channels.ts';
import { seriesKey, useStudies } from '../state/study-store.ts';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { Icon } from '../viewer/icons.tsx';
import { TagsDialog } from './tags-dialog.tsx';

const kinds = { volume: 'volume', image: 'image', stack: 'stack, no volume' } as const;

const millimetres = (value: number): string => String(Math.round(value * 100) / 100);

function sizeOf({ columns, rows, slices, kind }: SeriesView): string {
  return slices > 1 || kind === 'volume' ? `${columns} × ${rows} × ${slices}` : `${columns} × ${rows}`;
}

/** The picture comes in an idle moment: opening and the first slice go before. */
function Thumbnail({ studyId, seriesId }: { studyId: string; seriesId: string }): ReactElement {
  const [isDue, setIsDue] = useState(false);
  const [isMissing, setIsMissing] = useState(false);
  useEffect(() => {
    const request = requestIdleCallback(() => setIsDue(true), { timeout: 3000 });
    return () => cancelIdleCallback(request);
  }, []);
  return (
    <span className="thumbnail">
      {isDue && !isMissing ? (
        <img
          src={thumbnailUrl(studyId, seriesId)}
          alt=""
          decoding="async"
          onError={() => setIsMissing(true)}
        />
      ) : null}
    </span>
  );
}

export function SeriesItem({ studyId, series }: { studyId: string; series: SeriesView }): ReactElement {
  const ref = { studyId, seriesId: series.id };
  const key = seriesKey(ref);
  const isSelected = useStudies(({ selected }) => selected !== null && seriesKey(selected) === key);
  const progress = useStudies((state) => state.progress[key]);
  const error = useStudies((state) => state.seriesErrors[key]);
  const [showsTags, setShowsTags] = useState(false);
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isSelected) item.current?.scrollIntoView({ block: 'nearest' });
  }, [isSelected]);
  return (
    <li ref={item} className={`series${isSelected ? ' selected' : ''}`}>
      <button
        type="button"
        className="series-main"
        aria-pressed={isSelected}
        data-testid="series-item"
        data-series={series.id}
        onClick={() => useStudies.getState().select(ref)}
      >
        <Thumbnail studyId={studyId} seriesId={series.id} />
        <span className="series-text">
          <span className="series-title">{series.description || 'Without a name'}</span>
          <span className="dim">
            {series.modality} · {sizeOf(series)} · {kinds[series.kind]}
          </span>
          <span className="dim">
            {series.spacing ? `${series.spacing.map(millimetres).join(' × ')} mm` : 'No spacing known'}
            {series.synthetic ? <span className="badge">synthetic</span> : null}
          </span>
        </span>
      </button>
      {series.format === 'dicom' ? (
        <button
          type="button"
          className="bare tags-button"
          aria-label={`DICOM tags of ${series.description || 'the series'}`}
          title="DICOM tags (Ctrl+T)"
          data-testid="show-tags"
          onClick={() => setShowsTags(true)}
        >
          <Icon name="tags" />
        </button>
      ) : null}
      {progress ? (
        <div className="row decoding">
          <ProgressBar label="Decoding slices" {...progress} />
          <span className="dim">
            {progress.done}/{progress.total}
          </span>
          <button
            type="button"
            className="small"
            data-testid="cancel-series"
            onClick={() => void useStudies.getState().cancelDecoding(ref)}
          >
            Stop
          </button>
        </div>
      ) : null}
      {error ? (
        <p className="series-error" role="alert">
          {error.message} {error.remedy}
        </p>
      ) : null}
      {series.warnings.length > 0 ? (
        <ul className="warnings" data-testid="warnings">
          {series.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      ) : null}
      {showsTags ? (
        <TagsDialog series={series} studyId={studyId} onClose={() => setShowsTags(false)} />
      ) : null}
    </li>
  );
}
