/** One container a checkpoint, precision and converter: made on first use, found afterwards. */
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Precision } from '../../src-contract/run-events.ts';
import { throwIfCancelled } from './cancel.ts';
import { type ConversionProgress, convertCheckpoint } from './convert.ts';
import { fingerprintCheckpoint } from './fingerprint.ts';
import { converterRevision, manifestFileName } from './manifest.ts';
import { diskError } from './output-file.ts';
import { readManifest, verifyContainer } from './verify.ts';

export interface EnsureContainerOptions {
  /** A checkpoint folder, or a container made before. */
  readonly model: string;
  readonly precision: Precision;
  /** Where containers are kept; made when missing. */
  readonly cacheRoot: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ConversionProgress) => void;
}

/** How often a process that waits for another one's conversion looks again, in milliseconds. */
const pollInterval = 300;

/**
 * The folder of a whole, verified container for the model. `model` itself where it already is one: then its own
 * precision must be the one asked for. Two processes that ask at the same time convert once; the second waits.
 *
 * @throws ReadroomError as `convertCheckpoint` and `verifyContainer`; 'input-invalid' when a container of another
 *   precision was given
 */
export async function ensureContainer(options: EnsureContainerOptions): Promise<string> {
  const { model, precision, cacheRoot, signal, onProgress } = options;
  if (await exists(path.join(model, manifestFileName))) return acceptContainer(model, precision);
  const fingerprint = await fingerprintCheckpoint(model);
  const key = containerKey(model, precision, fingerprint);
  const out = path.join(cacheRoot, key);
  await mkdir(cacheRoot, { recursive: true }).catch((error: unknown) => {
    throw diskError(error, cacheRoot);
  });
  const unlock = await lock(path.join(cacheRoot, `${key}.lock`), signal);
  try {
    if (await exists(path.join(out, manifestFileName))) {
      // A damaged container of our own making is simply made again.
      if (await isWhole(out)) return out;
      await rm(out, { recursive: true });
    }
    await convertCheckpoint({ source: model, out, precision, signal, onProgress });
    for (let older = 1; older < converterRevision; older++) {
      // Gigabytes that nothing looks for any more. Where one can't be removed (a program of before may have it open),
      // it is only disk space.
      const outdated = path.join(cacheRoot, containerKey(model, precision, fingerprint, older));
      await rm(outdated, { recursive: true, force: true }).catch(() => {});
    }
    return out;
  } finally {
    await unlock();
  }
}

/** The name of a checkpoint's container in the cache. */
export function containerKey(
  model: string,
  precision: Precision,
  fingerprint: string,
  revision: number = converterRevision,
): string {
  const name = path.basename(path.resolve(model)).replace(/[^A-Za-z0-9._-]+/g, '-');
  return `${name}-${precision}-r${revision}-${fingerprint.slice(0, 16)}`;
}

/** A folder of the cache, for a list of what is there. */
export interface CachedContainer {
  readonly folder: string;
  /** Of the checkpoint; of the folder while the conversion is unfinished. */
  readonly name: string;
  /** Null while unfinished. */
  readonly precision: Precision | null;
  readonly bytes: number;
  readonly complete: boolean;
}

/** Every folder of the cache, whole or not, sorted by folder name; empty where there is no cache yet. */
export async function listContainers(cacheRoot: string): Promise<CachedContainer[]> {
  const entries = await readdir(cacheRoot, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(names.sort().map((name) => describeContainer(path.join(cacheRoot, name))));
}

async function describeContainer(folder: string): Promise<CachedContainer> {
  const manifest = await readManifest(folder).catch(() => null);
  if (manifest === null)
    return { folder, name: path.basename(folder), precision: null, bytes: 0, complete: false };
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  return { folder, name: manifest.source.name, precision: manifest.precision, bytes, complete: true };
}

async function acceptContainer(folder: string, precision: Precision): Promise<string> {
  const manifest = await verifyContainer(folder);
  if (manifest.precision === precision) return folder;
  throw new ReadroomError(
    'input-invalid',
    `${folder} is a container in ${manifest.precision}; ${precision} was asked for`,
    {
      file: folder,
      field: 'precision',
      remedy: `Ask for ${manifest.precision}, or give the checkpoint it was converted from.`,
    },
  );
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}

async function isWhole(folder: string): Promise<boolean> {
  return verifyContainer(folder).then(
    () => true,
    () => false,
  );
}

/** Waits until the lock file is ours. It holds our process id, so that the lock of a dead process counts for nothing. */
async function lock(file: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  for (;;) {
    throwIfCancelled(signal);
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, file);
    }
    if (await isStale(file)) await rm(file, { force: true });
    else await sleep(pollInterval);
  }
}

async function isStale(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return false;
  const holder = Number(text);
  if (!Number.isInteger(holder) || holder <= 0) {
    // Between its creation and its first byte, or of a process killed right there.
    const info = await stat(file).catch(() => null);
    return info !== null && Date.now() - info.mtimeMs > 10_000;
  }
  try {
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
