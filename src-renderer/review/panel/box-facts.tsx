/** Where a box lies and how large it is; the corrected one against the model's, live while it is dragged. */
import { compareBoxes, sliceAxis } from '../../../src-contract/box-measures.ts';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import { boxInHand, keepBox, useReaderBoxes } from '../../state/reader-boxes.ts';
import { setSide } from '../../viewer/layers/box-handles.ts';
import { describeComparison } from '../../viewer/layers/measure-words.ts';
import { useReview } from '../review-store.ts';
import { describeSize, slicesOf } from '../words.ts';

interface Props {
  readonly model: SourceBox | null;
  /** The reader's own; null while there is none. */
  readonly box: SourceBox | null;
  readonly id: string;
  readonly sliceZeroOnly?: boolean;
  readonly editing: boolean;
}

export function BoxFacts({ model, box, id, sliceZeroOnly, editing }: Props) {
  const trace = useReview(({ session }) => session?.trace);
  const is3d = useReview(({ session }) => session?.summary.started?.mode === '3d');
  const dragged = useReaderBoxes((state) =>
    boxInHand(state)?.id === id ? (state.draft?.box ?? null) : null,
  );
  if (!trace) return null;
  const spacing = trace.series?.spacing ?? null;
  const now = dragged ?? box;
  const shown = now ?? model;
  if (!shown) return null;
  const measures = now && model ? describeComparison(compareBoxes(trace.chain, model, now), is3d) : [];
  return (
    <div className="box-facts small">
      <p className="dim">
        {describeSize(shown, spacing, is3d)}
        {is3d && !editing ? `, slices ${slicesOf(trace.chain, shown).join('–')}` : ''}
        {sliceZeroOnly ? '. Four numbers in a 3D run: the first slice only, as the reference does.' : ''}
      </p>
      {measures.length > 0 && (
        <p className="box-measures" data-testid="box-measures" title="Your box against the model's">
          {measures.map((words) => (
            <span key={words.split(' ')[0]}>{words}</span>
          ))}
        </p>
      )}
      {editing && is3d && <SliceFields id={id} box={shown} />}
    </div>
  );
}

/** First and last slice as numbers, for those who would rather type. */
function SliceFields({ id, box }: { id: string; box: SourceBox }) {
  const chain = useReview(({ session }) => session?.trace.chain);
  if (!chain) return null;
  const axis = sliceAxis(chain);
  const [first, last] = slicesOf(chain, box);
  const set = (side: 'low' | 'high', slice: number): void => {
    if (!Number.isFinite(slice)) return;
    const value = side === 'low' ? slice - 1.5 : slice - 0.5;
    keepBox(id, setSide(box, axis, side, value, { size: chain.sourceSize, snap: true }));
  };
  return (
    <p className="slice-fields">
      <label>
        Slices{' '}
        <input
          key={`first ${first}`}
          className="field number"
          type="number"
          min={1}
          max={last}
          defaultValue={first}
          aria-label="First slice of the box"
          data-testid="first-slice"
          onChange={(event) => set('low', event.target.valueAsNumber)}
        />
      </label>
      <label>
        to{' '}
        <input
          key={`last ${last}`}
          className="field number"
          type="number"
          min={first}
          max={chain.sourceSize[axis]}
          defaultValue={last}
          aria-label="Last slice of the box"
          data-testid="last-slice"
          onChange={(event) => set('high', event.target.valueAsNumber)}
        />
      </label>
      <span className="dim">
        <kbd>[</kbd> <kbd>]</kbd> take the slice on screen
      </span>
    </p>
  );
}
