/** Which checkpoint a name or path means, and the precision that suits it. Light: the window starts with it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Precision } from '../../src-contract/run-events.ts';
import { bundledModelsFolder } from '../storage/locations.ts';

export interface ModelFolder {
  readonly name: string;
  readonly folder: string;
  /** Comes with the program: a demonstration model, trained on synthetic lesions. */
  readonly bundled: boolean;
}

/** Checkpoints that come with the program. */
export function bundledModels(): ModelFolder[] {
  const folder = bundledModelsFolder();
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'config.json')))
    .map((entry) => ({ name: entry.name, folder: join(folder, entry.name), bundled: true }));
}

/** A bundled model's name, or a folder. */
export function findModel(nameOrFolder: string): ModelFolder {
  const bundled = bundledModels().find(({ name }) => name === nameOrFolder);
  if (bundled) return bundled;
  const folder = resolve(nameOrFolder);
  if (existsSync(folder) && statSync(folder).isDirectory()) {
    return { name: basename(folder), folder, bundled: false };
  }
  const names = bundledModels().map(({ name }) => name);
  throw new ReadroomError('checkpoint-missing-file', `There is no model folder '${nameOrFolder}'.`, {
    file: nameOrFolder,
    remedy: `Give the folder of a Hugging Face checkpoint (config.json, *.safetensors), or one of: ${names.join(', ')}. Readroom downloads nothing by itself.`,
  });
}

/** Above this, fp32 weights (4 bytes a parameter) no longer suit a desktop: int4 is the default. */
const largeCheckpointBytes = 2e9;

/** 'auto' follows the size of the weights. */
export function choosePrecision(model: ModelFolder, wish: Precision | 'auto'): Precision {
  if (wish !== 'auto') return wish;
  let bytes = 0;
  for (const name of readdirSync(model.folder)) {
    if (name.endsWith('.safetensors')) bytes += statSync(join(model.folder, name)).size;
  }
  return bytes > largeCheckpointBytes ? 'int4' : 'fp32';
}
