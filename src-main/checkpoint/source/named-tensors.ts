/**
 * The two namings of the same weights. Checkpoints saved by transformers before 4.52 (Qwen's own among them) say
 * 'visual.…', 'model.layers.…'; later saves say 'model.visual.…', 'model.language_model.layers.…'.
 */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { TensorLookup } from '../graphs/tensor-lookup.ts';
import type { CheckpointTensor, CheckpointTensors } from './checkpoint-tensors.ts';

const floatTypes = ['F32', 'F16', 'BF16'];

export class NamedTensors implements TensorLookup {
  readonly #tensors: CheckpointTensors;
  readonly #used = new Map<string, CheckpointTensor>();

  constructor(tensors: CheckpointTensors) {
    this.#tensors = tensors;
  }

  /** True when a tensor of this name is there, under either naming. */
  has(name: string): boolean {
    return spellings(name).some((spelling) => this.#tensors.get(spelling) !== undefined);
  }

  /** See TensorLookup. Also refuses element types that hold no plain floats. */
  require(name: string, shape: readonly number[]): string {
    const names = spellings(name);
    const tensor = names.map((spelling) => this.#tensors.get(spelling)).find((found) => found !== undefined);
    if (tensor === undefined) {
      throw new ReadroomError('checkpoint-malformed', `Tensor '${names[0]}' is missing in the checkpoint`, {
        file: this.#tensors.files.join(', '),
        field: names[0],
        remedy: 'Adapters (LoRA) and partial saves have to be merged into a whole checkpoint first.',
      });
    }
    if (tensor.shape.join() !== shape.join()) {
      throw new ReadroomError(
        'checkpoint-malformed',
        `Tensor '${tensor.name}' has shape [${tensor.shape.join(', ')}], but config.json says [${shape.join(', ')}]`,
        {
          file: tensor.file,
          field: tensor.name,
          remedy: 'config.json and the weights are of different models.',
        },
      );
    }
    if (!floatTypes.includes(tensor.type)) {
      throw new ReadroomError(
        'checkpoint-unsupported',
        `Tensor '${tensor.name}' is ${tensor.type}; only ${floatTypes.join(', ')} are read`,
        { file: tensor.file, field: tensor.name, remedy: 'Use the checkpoint before it was quantised.' },
      );
    }
    this.#used.set(tensor.name, tensor);
    return tensor.name;
  }

  /** The distinct tensors that were required so far. */
  used(): readonly CheckpointTensor[] {
    return [...this.#used.values()];
  }
}

function spellings(name: string): string[] {
  if (name.startsWith('visual.')) return [`model.${name}`, name];
  const text = 'language_model.';
  if (name.startsWith(text)) return [`model.${name}`, `model.${name.slice(text.length)}`];
  return [name];
}
