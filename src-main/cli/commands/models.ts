/** `models`: the checkpoints that are here, and which of them are converted. */
import { listContainers } from '../../checkpoint/container-cache.ts';
import { bundledModels } from '../../runs/model-folders.ts';
import { containersFolder } from '../../storage/locations.ts';
import { formatBytes } from '../terminal.ts';

export async function runModels(options: { json: boolean }): Promise<void> {
  const bundled = bundledModels();
  const containers = await listContainers(containersFolder());
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ bundled, containers }, null, 2)}\n`);
    return;
  }
  process.stdout.write('Bundled (demonstration models, trained on synthetic lesions):\n');
  for (const { name, folder } of bundled) process.stdout.write(`  ${name}  ${folder}\n`);
  process.stdout.write(`Converted, in ${containersFolder()}:\n`);
  if (containers.length === 0)
    process.stdout.write('  none yet: a model is converted when it is first used.\n');
  for (const { name, precision, bytes, complete, folder } of containers) {
    const state = complete ? formatBytes(bytes) : 'unfinished; it is resumed when the model is used';
    process.stdout.write(`  ${name}  ${precision}  ${state}  ${folder}\n`);
  }
}
