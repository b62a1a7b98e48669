/**
 * A cheap name for what a checkpoint folder contains: no tensor is read. Good for a cache key, not for a trace: the
 * manifest's sha256 is over every byte.
 */
import { createHash } from 'node:crypto';
import { CheckpointFolder } from './source/checkpoint-folder.ts';
import { CheckpointTensors } from './source/checkpoint-tensors.ts';

/** Copied unchanged into the container, where they exist. */
export const companionFiles = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'chat_template.json',
  'preprocessor_config.json',
  'processor_config.json',
] as const;

/**
 * sha256 over the names, sizes and modification times of all files that matter, the bytes of config.json and the
 * headers of the tensor files.
 *
 * @throws ReadroomError as `CheckpointTensors.open`
 */
export async function fingerprintCheckpoint(folder: string): Promise<string> {
  const opened = await CheckpointFolder.open(folder);
  return fingerprintOpened(opened, await CheckpointTensors.open(opened));
}

export async function fingerprintOpened(
  folder: CheckpointFolder,
  tensors: CheckpointTensors,
): Promise<string> {
  const hash = createHash('sha256');
  for (const name of [...companionFiles, ...tensors.files]) {
    const info = await folder.stat(name);
    if (info !== null) hash.update(`${name}\0${info.size}\0${info.mtimeMs}\n`);
  }
  hash.update(await folder.readBytes('config.json'));
  for (const name of tensors.files) hash.update(tensors.headers.get(name) ?? '');
  return hash.digest('hex');
}
