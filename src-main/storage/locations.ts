/** Where Readroom keeps things on this machine, and where its own resources are. No Electron: the CLI uses it too. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import envPaths from 'env-paths';
import { ReadroomError } from '../../src-contract/errors.ts';

/**
 * The folder that holds package.json, resources/ and out/: found by walking up from this module, since it runs from
 * out/main when built and from src-main under test.
 */
function findProjectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if (existsSync(join(folder, 'resources', 'models')) && existsSync(join(folder, 'package.json')))
      return folder;
    const parent = dirname(folder);
    if (parent === folder) {
      throw new ReadroomError(
        'internal',
        'The resources folder of Readroom was not found beside the program.',
        {
          remedy: 'Install Readroom again, or run it from its own folder.',
        },
      );
    }
    folder = parent;
  }
}

let projectRootCache: string | undefined;
export function projectRoot(): string {
  projectRootCache ??= findProjectRoot();
  return projectRootCache;
}

/** Checkpoints that come with the program: folders in Hugging Face layout. */
export const bundledModelsFolder = (): string => join(projectRoot(), 'resources', 'models');

/** The bundled case(s), each described by a case.json. */
export const samplesFolder = (): string => join(projectRoot(), 'resources', 'samples');

/** The font of figures: the same letters in every PNG and PDF, on every machine. */
export const fontFile = (weight: 'regular' | 'bold'): string =>
  join(projectRoot(), 'resources', 'fonts', weight === 'bold' ? 'Arimo-Bold.ttf' : 'Arimo-Regular.ttf');

/** The bundled process that hosts ONNX Runtime. */
export const engineHostEntry = (): string => join(projectRoot(), 'out', 'main', 'engine-host.js');

/**
 * Converted checkpoints and other things that can be made again. READROOM_CACHE moves it, for machines whose home
 * has no room for a 7B container and for tests.
 */
export function cacheFolder(): string {
  return process.env.READROOM_CACHE || envPaths('Readroom', { suffix: '' }).cache;
}

/** One folder a converted checkpoint. */
export const containersFolder = (): string => join(cacheFolder(), 'containers');
