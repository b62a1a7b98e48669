/** What applies to the whole chat: following the run, token confidence. */
import { useSettings } from '../state/settings-store.ts';
import { useUi } from '../state/ui-store.ts';
import { Switch } from '../ui/switch.tsx';
import { bands } from './confidence.ts';

export function ChatHead({ count }: { count: number }) {
  const following = useUi((state) => state.following);
  const setFollow = useUi((state) => state.setFollow);
  const showConfidence = useSettings(({ settings }) => settings.showConfidence);
  const change = useSettings((state) => state.change);
  return (
    <header className="chat-head">
      <div className="chat-head-row">
        <h2>{count === 0 ? 'Questions' : `Questions (${count})`}</h2>
        <Switch
          label="Confidence"
          title="Tint every token by the probability the model gave it"
          on={showConfidence}
          onChange={(on) => change({ showConfidence: on })}
          testId="confidence-toggle"
        />
        <Switch
          label="Follow"
          title="Take the viewer to each new box; it stops when you scroll or click in the viewer"
          on={following}
          onChange={setFollow}
          testId="follow-toggle"
        />
      </div>
      {showConfidence && <ConfidenceLegend />}
    </header>
  );
}

function ConfidenceLegend() {
  return (
    <p className="confidence-legend">
      {bands.map(({ name, label }) => (
        <span key={name} className={`token token-${name}`}>
          {label}
        </span>
      ))}
    </p>
  );
}
