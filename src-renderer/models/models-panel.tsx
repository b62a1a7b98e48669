/** Installed checkpoints, what is loaded and why it runs where it runs. */
import { useModels } from '../state/models-store.ts';
import { useSettings } from '../state/settings-store.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { EngineFacts } from './engine-facts.tsx';
import { ModelRow } from './model-row.tsx';

export function ModelsPanel() {
  const close = useUi((state) => state.closePanel);
  const models = useModels((state) => state.models);
  const listed = useModels((state) => state.listed);
  const add = useModels((state) => state.add);
  const { settings, change } = useSettings();
  // No choice made: the bundled one, which comes first.
  const chosen = settings.modelId ?? models[0]?.id;
  const addAndChoose = async (): Promise<void> => {
    const modelId = await add();
    if (modelId) change({ modelId });
  };
  return (
    <Dialog title="Models" className="models" onClose={close} testId="models">
      <EngineFacts />
      <ul className="model-list" aria-label="Installed models">
        {models.map((model) => (
          <ModelRow
            key={model.id}
            model={model}
            isChosen={model.id === chosen}
            onChoose={() => change({ modelId: model.demonstration ? null : model.id })}
          />
        ))}
      </ul>
      {!listed && <p className="dim">Looking at the installed models …</p>}
      {listed && models.length === 0 && <p className="dim">There is no model yet. Add the folder of one.</p>}
      <div className="dialog-foot">
        <button type="button" className="button" data-testid="add-model" onClick={() => void addAndChoose()}>
          <Icon name="plus" />
          Add a Hugging Face folder…
        </button>
        <p className="small dim">
          A Qwen2.5-VL checkpoint: config.json, tokenizer.json, *.safetensors. Readroom downloads nothing by
          itself.
        </p>
      </div>
    </Dialog>
  );
}
