/** What the question is about: the whole volume, or the slice in view. */
import type { SeriesView } from '../../src-contract/channels.ts';
import { useStudies } from '../state/study-store.ts';
import { useViewer } from '../state/viewer-store.ts';
import { Segments } from '../ui/segments.tsx';
import { sliceInHand, targetsOf } from './asking.ts';
import type { Draft } from './composer-store.ts';

interface Props {
  readonly series: SeriesView;
  readonly value: Draft['target'];
  readonly onChange: (target: Draft['target']) => void;
}

export function TargetChoice({ series, value, onChange }: Props) {
  // Read again whenever the viewer moves to another slice.
  useViewer((state) => state.current);
  const selected = useStudies((state) => state.selected);
  if (series.kind === 'image') return <span className="small dim target-fixed">This image</span>;
  const slice = selected ? sliceInHand(selected, series.slices) + 1 : 1;
  const choices = targetsOf(series).map((target) =>
    target === 'volume'
      ? {
          value: target,
          label: 'Volume',
          title: 'All slices together, as the model was trained on CT and MR',
        }
      : { value: target, label: `Slice ${slice}`, title: 'The slice in view, as one image' },
  );
  return <Segments label="About" value={value} choices={choices} onChange={onChange} testId="target" />;
}
