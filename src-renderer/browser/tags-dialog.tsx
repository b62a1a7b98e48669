/** The DICOM tags of a series' slice: a table that can be filtered. Values that identify the patient are masked. */
import { type ReactElement, useDeferredValue, useEffect, useRef, useState } from 'react';
import type { SeriesView, Tag } from '../../src-contract/channels.ts';
import { toReadroomError } from '../../src-contract/errors.ts';
import { call } from '../state/bridge.ts';
import { useViewer } from '../state/viewer-store.ts';
import { Icon } from '../viewer/icons.tsx';
import { isIdentifying } from './identifying-tags.ts';

interface TagsDialogProps {
  readonly studyId: string;
  readonly series: SeriesView;
  onClose(): void;
}

const matches = ({ tag, name, value, vr }: Tag, wish: string): boolean =>
  `${tag} ${vr} ${name} ${value}`.toLowerCase().includes(wish.toLowerCase().trim());

function useTags(
  studyId: string,
  seriesId: string,
  slice: number,
): { tags: readonly Tag[] | null; problem: string } {
  const [state, setState] = useState<{ tags: readonly Tag[] | null; problem: string }>({
    tags: null,
    problem: '',
  });
  useEffect(() => {
    let gone = false;
    call('study.tags', { studyId, seriesId, slice }).then(
      ({ tags }) => gone || setState({ tags, problem: '' }),
      (thrown: unknown) => gone || setState({ tags: null, problem: toReadroomError(thrown).message }),
    );
    return () => {
      gone = true;
    };
  }, [studyId, seriesId, slice]);
  return state;
}

export function TagsDialog({ studyId, series, onClose }: TagsDialogProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const [wish, setWish] = useState('');
  const filter = useDeferredValue(wish);
  const [showsAll, setShowsAll] = useState(false);
  const [slice, setSlice] = useState(() => {
    const { current } = useViewer.getState();
    return current?.seriesId === series.id && current.slice !== null ? current.slice : 0;
  });
  const { tags, problem } = useTags(studyId, series.id, slice);
  useEffect(() => dialog.current?.showModal(), []);
  const shown = tags?.filter((tag) =>
    matches(showsAll || !isIdentifying(tag) ? tag : { ...tag, value: '' }, filter),
  );
  return (
    <dialog
      ref={dialog}
      className="tags-dialog"
      aria-label="DICOM tags"
      data-testid="tags-dialog"
      onClose={onClose}
    >
      <div className="row tags-head">
        <h2 className="grow clip">DICOM tags · {series.description || 'Series without a name'}</h2>
        <button
          type="button"
          className="bare"
          aria-label="Close"
          title="Close (Esc)"
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </div>
      <div className="row tags-head">
        <input
          type="search"
          className="grow"
          aria-label="Filter tags"
          placeholder="Filter by tag, name or value"
          value={wish}
          onChange={(event) => setWish(event.target.value)}
        />
        {series.slices > 1 ? (
          <label>
            Slice{' '}
            <input
              type="number"
              min={1}
              max={series.slices}
              value={slice + 1}
              onChange={(event) => {
                const next = Number(event.target.value) - 1;
                if (Number.isInteger(next) && next >= 0 && next < series.slices) setSlice(next);
              }}
            />
          </label>
        ) : null}
        <label>
          <input type="checkbox" checked={showsAll} onChange={(event) => setShowsAll(event.target.checked)} />{' '}
          Show identifiers
        </label>
      </div>
      {problem ? <p role="alert">{problem}</p> : null}
      {tags?.length === 0 ? (
        <p className="tags-none">
          {series.format === 'dicom'
            ? 'This file has no tags that can be shown.'
            : 'Only DICOM files have tags; this series comes from another format.'}
        </p>
      ) : null}
      {/* A scrolling region must be reachable by keyboard. */}
      <section
        className="tags-scroll"
        aria-label="Tags"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        tabIndex={0}
      >
        <table>
          <thead>
            <tr>
              <th scope="col">Tag</th>
              <th scope="col">VR</th>
              <th scope="col">Name</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {shown?.map((tag, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: tags repeat in sequences; order is all they have
              <tr key={n}>
                <td className="mono" data-depth={Math.min(tag.depth, 4)}>
                  {tag.tag}
                </td>
                <td className="mono">{tag.vr}</td>
                <td>{tag.name}</td>
                <td className="tag-value">{showsAll || !isIdentifying(tag) ? tag.value : '••••'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="dim">
        {tags ? `${shown?.length ?? 0} of ${tags.length} tags` : problem ? '' : 'Reading…'}
      </p>
    </dialog>
  );
}
