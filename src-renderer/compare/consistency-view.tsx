/** How the 2D runs on a cuboid's slices agree with it: a point a slice, and the figure of the slice that is chosen. */
import { useEffect, useState } from 'react';
import { AskSlices } from './ask-slices.tsx';
import { saveFigure, showSlice, useCompare } from './compare-store.ts';

const [width, height] = [360, 120];
const inset = { left: 28, right: 8, top: 8, bottom: 20 } as const;

export function ConsistencyView() {
  const consistency = useCompare((state) => state.consistency);
  const problem = useCompare((state) => state.noConsistency);
  const slice = useCompare((state) => state.slice);
  if (problem) return <p className="compare-note dim">{problem}</p>;
  if (!consistency) return null;
  const { points, meanIou } = consistency;
  if (points.length === 0) {
    return (
      <section className="consistency" aria-label="2D against 3D">
        <h3>2D on each slice against the cuboid</h3>
        <p className="dim">No slice of this volume was asked the same question in 2D yet.</p>
        <AskSlices volumeRunId={consistency.volumeRunId} />
      </section>
    );
  }
  const [first, last] = [points[0].slice, points[points.length - 1].slice];
  const x = (at: number) =>
    inset.left + ((at - first) / Math.max(1, last - first)) * (width - inset.left - inset.right);
  const y = (iou: number) => inset.top + (1 - iou) * (height - inset.top - inset.bottom);
  const line = points.flatMap(({ slice: at, iou }) => (iou === null ? [] : [`${x(at)},${y(iou)}`])).join(' ');
  return (
    <section className="consistency" aria-label="2D against 3D" data-testid="consistency">
      <h3>2D on each slice against the cuboid</h3>
      <svg viewBox={`0 0 ${width} ${height}`} className="curve" role="img" aria-label="IoU by slice">
        {[0, 0.5, 1].map((iou) => (
          <g key={iou}>
            <line className="grid" x1={inset.left} x2={width - inset.right} y1={y(iou)} y2={y(iou)} />
            <text x={inset.left - 4} y={y(iou)} className="tick end">
              {iou}
            </text>
          </g>
        ))}
        <text x={x(first)} y={height - 6} className="tick middle">
          {first + 1}
        </text>
        {last > first && (
          <text x={x(last)} y={height - 6} className="tick middle">
            {last + 1}
          </text>
        )}
        <polyline points={line} className="curve-line" />
        {points.map(({ slice: at, iou }) => (
          <circle
            key={at}
            cx={x(at)}
            cy={y(iou ?? 0)}
            r={at === slice ? 5 : 3.5}
            className={iou === null ? 'point none' : 'point'}
          />
        ))}
      </svg>
      <div className="form-row wrap">
        <label className="small">
          Slice{' '}
          <select
            className="field select"
            data-testid="figure-slice"
            value={slice ?? ''}
            onChange={(event) => showSlice(Number(event.target.value))}
          >
            {points.map(({ slice: at, iou }) => (
              <option key={at} value={at}>
                {at + 1} {iou === null ? '(no 2D box)' : `(IoU ${iou.toFixed(2)})`}
              </option>
            ))}
          </select>
        </label>
        <span className="small">Mean IoU {meanIou === null ? '–' : meanIou.toFixed(2)}</span>
        <span className="spacer" />
        <button
          type="button"
          className="button small-button"
          data-testid="save-figure"
          onClick={() => void saveFigure()}
        >
          Save figure…
        </button>
      </div>
      <AskSlices volumeRunId={consistency.volumeRunId} />
      <Figure />
    </section>
  );
}

/** The figure as it will be saved. */
function Figure() {
  const svg = useCompare((state) => state.figure);
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (svg === null) {
      setUrl(null);
      return;
    }
    const made = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [svg]);
  return url ? (
    <img
      className="figure"
      src={url}
      alt="2D boxes (green) and the section of the cuboid (red) on the slice"
    />
  ) : null;
}
