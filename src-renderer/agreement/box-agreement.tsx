/** Boxes of two sides, matched one to one: how many, and a histogram of their overlap. */
import type { BoxAgreement, Estimate } from '../../src-contract/project.ts';

/** '0.62 (0.41 to 0.80)'. */
export function EstimateText({ estimate: { value, low, high } }: { estimate: Estimate }) {
  if (value === null) return <span className="dim">too little to say</span>;
  return (
    <span className="estimate">
      <b>{value.toFixed(2)}</b>
      {low !== null && high !== null && (
        <span className="dim">
          {' '}
          ({low.toFixed(2)} to {high.toFixed(2)})
        </span>
      )}
    </span>
  );
}

export function BoxAgreementRow({ boxes, a, b }: { boxes: BoxAgreement; a: string; b: string }) {
  const { mode, matched, onlyA, onlyB, detection, meanIou, histogram } = boxes;
  if (matched + onlyA + onlyB === 0) return null;
  return (
    <div className="box-agreement">
      <dl className="agreement-line">
        <div>
          <dt>{mode === '3d' ? 'Cuboids' : '2D boxes'} matched</dt>
          <dd>{matched}</dd>
        </div>
        <div>
          <dt>Only {a}</dt>
          <dd>{onlyA}</dd>
        </div>
        <div>
          <dt>Only {b}</dt>
          <dd>{onlyB}</dd>
        </div>
        <div>
          <dt>Detection (F1)</dt>
          <dd>
            <EstimateText estimate={detection} />
          </dd>
        </div>
        <div>
          <dt>Mean IoU</dt>
          <dd>
            <EstimateText estimate={meanIou} />
          </dd>
        </div>
      </dl>
      <Histogram counts={histogram} />
    </div>
  );
}

const [width, height] = [160, 48];

function Histogram({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  const bar = width / counts.length;
  const words = counts
    .flatMap((count, n) =>
      count > 0 ? [`${(n / 10).toFixed(1)} to ${((n + 1) / 10).toFixed(1)}: ${count}`] : [],
    )
    .join(', ');
  return (
    <svg
      viewBox={`0 0 ${width} ${height + 12}`}
      className="histogram"
      role="img"
      aria-label={`IoU of matched boxes. ${words}`}
    >
      <title>{words || 'No matched boxes'}</title>
      {counts.map((count, n) => {
        const tall = (count / most) * height;
        const from = n / counts.length;
        return <rect key={from} x={n * bar + 1} y={height - tall} width={bar - 2} height={tall} />;
      })}
      <line x1={0} x2={width} y1={height} y2={height} />
      <text x={0} y={height + 11}>
        IoU 0
      </text>
      <text x={width} y={height + 11} className="end">
        1
      </text>
    </svg>
  );
}
