/** All tensors of a checkpoint, single-file or sharded, and streamed reading of their rows. */
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { CheckpointFolder } from './checkpoint-folder.ts';
import { readExactly, readSafetensorsHeader, type TensorEntry } from './safetensors-header.ts';

const singleFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

export interface CheckpointTensor extends TensorEntry {
  /** Name of the file in the checkpoint folder. */
  readonly file: string;
}

export class CheckpointTensors {
  /** Names of the files that hold tensors, sorted. */
  readonly files: readonly string[];
  /** Raw header bytes of each file, for the fingerprint. */
  readonly headers: ReadonlyMap<string, Buffer>;
  readonly #tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly #handles = new Map<string, FileHandle>();
  readonly #folder: CheckpointFolder;

  private constructor(
    folder: CheckpointFolder,
    tensors: ReadonlyMap<string, CheckpointTensor>,
    headers: ReadonlyMap<string, Buffer>,
  ) {
    this.#folder = folder;
    this.#tensors = tensors;
    this.headers = headers;
    this.files = [...headers.keys()].sort();
  }

  /**
   * Reads every header, no tensor.
   *
   * @throws ReadroomError naming the file (and tensor) that is missing, damaged or described twice
   */
  static async open(folder: CheckpointFolder): Promise<CheckpointTensors> {
    const weightMap = await readIndex(folder);
    const files = weightMap === null ? [singleFile] : [...new Set(Object.values(weightMap))].sort();
    const tensors = new Map<string, CheckpointTensor>();
    const headers = new Map<string, Buffer>();
    for (const file of files) {
      const handle = await folder.open(file);
      try {
        const header = await readSafetensorsHeader(handle, file);
        headers.set(file, header.raw);
        for (const entry of header.tensors.values()) {
          const other = tensors.get(entry.name);
          if (other !== undefined) {
            throw new ReadroomError(
              'checkpoint-malformed',
              `Tensor '${entry.name}' is in both ${other.file} and ${file}`,
              { file, field: entry.name, remedy: 'Remove the shards that belong to another checkpoint.' },
            );
          }
          tensors.set(entry.name, { ...entry, file });
        }
      } finally {
        await handle.close();
      }
    }
    if (weightMap !== null) checkIndex(weightMap, tensors);
    return new CheckpointTensors(folder, tensors, headers);
  }

  get(name: string): CheckpointTensor | undefined {
    return this.#tensors.get(name);
  }

  values(): Iterable<CheckpointTensor> {
    return this.#tensors.values();
  }

  /** Fills `target` with the tensor's bytes from `offset` (bytes from its start). */
  async read(tensor: CheckpointTensor, offset: number, target: Uint8Array): Promise<void> {
    let handle = this.#handles.get(tensor.file);
    if (handle === undefined) {
      handle = await this.#folder.open(tensor.file);
      this.#handles.set(tensor.file, handle);
    }
    await readExactly(handle, target, tensor.start + offset, tensor.file);
  }

  async close(): Promise<void> {
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

/** tensor -> file, or null when the checkpoint is a single file. */
async function readIndex(folder: CheckpointFolder): Promise<Record<string, string> | null> {
  if ((await folder.stat(singleFile)) !== null) return null;
  if ((await folder.stat(indexFile)) === null) {
    throw new ReadroomError(
      'checkpoint-missing-file',
      `Neither ${singleFile} nor ${indexFile} is in ${folder.given}`,
      {
        file: folder.given,
        remedy:
          'Give a Hugging Face folder with safetensors weights. Pickled weights (.bin, .pt) are not read.',
      },
    );
  }
  const parsed = indexSchema.safeParse(await folder.readJson(indexFile));
  if (!parsed.success) {
    throw new ReadroomError('checkpoint-malformed', `${indexFile} has no usable weight_map`, {
      file: indexFile,
      field: 'weight_map',
      detail: parsed.error.issues[0]?.message,
      remedy: 'Download the file again.',
    });
  }
  for (const file of Object.values(parsed.data.weight_map)) {
    if (!file.endsWith('.safetensors')) {
      throw new ReadroomError(
        'checkpoint-malformed',
        `${indexFile} points to '${file}', no .safetensors file`,
        {
          file: indexFile,
          field: 'weight_map',
        },
      );
    }
  }
  return parsed.data.weight_map;
}

function checkIndex(weightMap: Record<string, string>, tensors: ReadonlyMap<string, CheckpointTensor>): void {
  for (const [name, file] of Object.entries(weightMap)) {
    const found = tensors.get(name)?.file;
    if (found === file) continue;
    const where = found === undefined ? 'in no shard' : `in ${found}`;
    throw new ReadroomError(
      'checkpoint-malformed',
      `${indexFile} says '${name}' is in ${file}, but it is ${where}`,
      {
        file: indexFile,
        field: name,
        remedy: 'The index and the shards are of different downloads: download the checkpoint again.',
      },
    );
  }
}
