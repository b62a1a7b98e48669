/** Reading a container: its manifest, and whether the files are the ones the manifest speaks of. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ReadroomError } from '../../src-contract/errors.ts';
import { type Manifest, manifestFileName, manifestSchema } from './manifest.ts';

const remedy = 'Delete the container folder and convert the checkpoint again.';

/**
 * The manifest of a container folder.
 *
 * @throws ReadroomError 'container-incomplete' when there is none (the conversion never finished), 'container-malformed'
 *   when it is not one this version understands
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, manifestFileName);
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) {
    throw new ReadroomError(
      'container-incomplete',
      `${folder} has no ${manifestFileName}: its conversion never finished`,
      {
        file,
        remedy: 'Run the conversion again: it goes on where it stopped.',
      },
    );
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new ReadroomError(
      'container-malformed',
      `${file} is no manifest this version of Readroom understands`,
      {
        file,
        detail: error instanceof Error ? error.message.slice(0, 500) : String(error),
        remedy,
      },
    );
  }
}

/**
 * Reads the manifest and checks that every file is there, plain and of the recorded size; with `hashes`, also that its
 * bytes are the recorded ones (reads the whole container).
 *
 * @throws ReadroomError as `readManifest`, or 'container-incomplete' / 'container-malformed' naming the file
 */
export async function verifyContainer(folder: string, { hashes = false } = {}): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const listed = new Set(manifest.files.map(({ name }) => name));
  for (const { file } of Object.values(manifest.graphs)) {
    if (!listed.has(file)) {
      throw new ReadroomError('container-malformed', `${folder}: the manifest lists no ${file}`, {
        file,
        remedy,
      });
    }
  }
  for (const { name, bytes, sha256 } of manifest.files) {
    const file = path.join(folder, name);
    // lstat: ONNX Runtime refuses data files that are links out of the folder, and we refuse all links.
    const info = await lstat(file).catch(() => null);
    if (info === null) {
      throw new ReadroomError('container-incomplete', `${name} is missing in ${folder}`, { file, remedy });
    }
    if (!info.isFile() || info.size !== bytes) {
      const what = info.isFile() ? `has ${info.size} bytes instead of ${bytes}` : 'is no plain file';
      throw new ReadroomError('container-malformed', `${name} in ${folder} ${what}`, { file, remedy });
    }
    if (hashes && (await sha256Of(file)) !== sha256) {
      throw new ReadroomError(
        'container-malformed',
        `${name} in ${folder} was changed after its conversion`,
        { file, remedy },
      );
    }
  }
  return manifest;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 4 * 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
