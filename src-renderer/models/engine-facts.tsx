/** What is loaded, what it takes, and why it is not on something faster. */
import { useEngine } from '../state/engine-store.ts';
import { useModels } from '../state/models-store.ts';
import { ErrorNote } from '../ui/error-note.tsx';
import { formatBytes, formatCount } from '../ui/format.ts';
import { providerNames } from '../ui/provider-names.ts';

export function EngineFacts() {
  const { status, model, rssBytes, error } = useEngine();
  const unload = useModels((state) => state.unload);
  return (
    <section className="engine-facts" aria-label="Engine" data-testid="engine-facts">
      {model ? (
        <>
          <p>
            <b>{model.name}</b> runs on <b>{providerNames[model.provider]}</b> in {model.precision}
            {rssBytes !== null && `, taking ${formatBytes(rssBytes)} of memory`}.
          </p>
          {model.refused.length > 0 && (
            <ul className="refused small dim">
              {model.refused.map(({ provider, reason }) => (
                <li key={provider}>
                  Not on {providerNames[provider]}: {reason.split('\n')[0]}
                </li>
              ))}
            </ul>
          )}
          {model.notes.map((note) => (
            <p key={note} className="small dim">
              {note}
            </p>
          ))}
          <p className="engine-facts-row small dim">
            {formatCount(model.parameters)} parameters, context of {model.contextLimit.toLocaleString('en')}{' '}
            tokens
            <button
              type="button"
              className="button small-button"
              data-testid="unload"
              disabled={status !== 'ready'}
              onClick={() => void unload()}
            >
              Unload
            </button>
          </p>
        </>
      ) : (
        <p className="dim">
          {status === 'starting' || status === 'loading'
            ? 'The model is being loaded …'
            : 'Nothing is loaded. The chosen model is loaded with the first question.'}
        </p>
      )}
      {error && <ErrorNote error={error} />}
    </section>
  );
}
