/** One checkpoint: chosen or not, converted or not, and what can be done with it. */
import type { InstalledModel } from '../../src-contract/channels.ts';
import { useModels } from '../state/models-store.ts';
import { ErrorNote } from '../ui/error-note.tsx';
import { formatBytes, formatCount } from '../ui/format.ts';
import { IconButton } from '../ui/icon-button.tsx';
import { ConversionProgress } from './conversion-progress.tsx';
import { ConvertForm } from './convert-form.tsx';

interface Props {
  readonly model: InstalledModel;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

export function ModelRow({ model, isChosen, onChoose }: Props) {
  const { id, name, demonstration, sourceBytes, parameters, ready, problem } = model;
  const conversion = useModels(({ conversions }) => conversions[id]);
  const failure = useModels(({ failures }) => failures[id]);
  const remove = useModels((state) => state.remove);
  return (
    <li className="model-row" data-testid="model-row" data-model={id} data-chosen={isChosen}>
      <div className="model-row-head">
        <label className="model-choice">
          <input
            type="radio"
            name="model"
            checked={isChosen}
            disabled={problem !== null}
            onChange={onChoose}
          />
          <span className="model-name">{name}</span>
        </label>
        <span className="small dim">
          {problem ? '' : `${formatCount(parameters)} parameters · ${formatBytes(sourceBytes)}`}
        </span>
        <span className="spacer" />
        {!demonstration && (
          <IconButton icon="trash" label={`Take ${name} off the list`} onClick={() => void remove(id)} />
        )}
      </div>
      {demonstration && (
        <p className="small dim">
          Demonstration model, trained on synthetic lesions. It knows no real disease.
        </p>
      )}
      {problem ? (
        <ErrorNote error={problem} />
      ) : (
        <>
          {ready.length > 0 && <p className="small dim">Ready: {ready.join(', ')}</p>}
          {conversion ? <ConversionProgress conversion={conversion} /> : <ConvertForm model={model} />}
          {failure && <ErrorNote error={failure.error} />}
        </>
      )}
    </li>
  );
}
