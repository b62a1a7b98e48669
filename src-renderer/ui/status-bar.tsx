/** The line at the bottom: what runs where, what it takes, and what all of this is not for. */
import type { EngineState } from '../../src-contract/channels.ts';
import { researchNotice } from '../../src-contract/trace.ts';
import { useEngine } from '../state/engine-store.ts';
import { useModels } from '../state/models-store.ts';
import { useUi } from '../state/ui-store.ts';
import { formatBytes } from './format.ts';
import { providerNames } from './provider-names.ts';

const states: Readonly<Record<EngineState['status'], string>> = {
  stopped: 'idle',
  starting: 'starting',
  loading: 'loading',
  ready: 'ready',
  running: 'running',
  died: 'stopped working',
};

function EngineStatus() {
  const { status, model, rssBytes } = useEngine();
  const converting = useModels(({ conversions }) => Object.keys(conversions).length > 0);
  const openPanel = useUi((state) => state.openPanel);
  const parts = [
    model ? `${model.name} · ${model.precision} · ${providerNames[model.provider]}` : 'No model loaded',
    rssBytes === null ? null : formatBytes(rssBytes),
  ].filter((part) => part !== null);
  return (
    <button
      type="button"
      className="status-engine"
      data-testid="engine-status"
      data-status={status}
      title="Models: what runs, where, and why"
      onClick={() => openPanel('models')}
    >
      <span className={`status-dot status-${converting ? 'loading' : status}`} aria-hidden="true" />
      <span>{converting ? 'converting' : states[status]}</span>
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
    </button>
  );
}

export function StatusBar() {
  return (
    <footer className="status-bar">
      <EngineStatus />
      <p className="status-research">{researchNotice}</p>
    </footer>
  );
}
