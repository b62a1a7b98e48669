/** A conversion under way: how far, and the way out. What is done stays, and the next one goes on from there. */
import { type Conversion, useModels } from '../state/models-store.ts';
import { formatBytes } from '../ui/format.ts';
import { ProgressBar } from '../ui/progress-bar.tsx';

export function ConversionProgress({ conversion }: { conversion: Conversion }) {
  const { modelId, precision, phase, done, total } = conversion;
  const cancel = useModels((state) => state.cancelConvert);
  const amount = total > 0 ? `${formatBytes(done)} of ${formatBytes(total)}` : '';
  return (
    <div className="conversion" data-testid="conversion">
      <span className="small">
        Converting to {precision}
        {phase === 'starting' ? ' …' : ''}
      </span>
      <ProgressBar label={`Converting to ${precision}`} done={done} total={total} />
      <span className="small dim">{amount}</span>
      <button
        type="button"
        className="button small-button"
        title="What is done so far stays: the conversion can be resumed."
        onClick={() => void cancel(modelId)}
      >
        Cancel
      </button>
    </div>
  );
}
