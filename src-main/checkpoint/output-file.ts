/** Writing a container's files: under a temporary name, hashed on the way, renamed only when whole and on the disk. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import type { ContainerFile } from './manifest.ts';

export const partSuffix = '.part';

/** Appends to the file being written; nothing is seekable, so that the hash is ready when the last byte is. */
export interface Sink {
  readonly position: number;
  write(bytes: Uint8Array): Promise<void>;
  /** Fills with zeros up to `position`. */
  padTo(position: number): Promise<void>;
}

/**
 * Writes `folder/name` through `fill`. A failure or a crash leaves at most `name.part`, which is never read.
 *
 * @throws ReadroomError 'disk-full', or what `fill` throws
 */
export async function writeOutputFile(
  folder: string,
  name: string,
  fill: (sink: Sink) => Promise<void>,
): Promise<ContainerFile> {
  const target = path.join(folder, name);
  const part = `${target}${partSuffix}`;
  try {
    const handle = await open(part, 'w');
    let sink: HashingSink;
    try {
      sink = new HashingSink(handle);
      await fill(sink);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, target);
    return { name, bytes: sink.position, sha256: sink.digest() };
  } catch (error) {
    await rm(part, { force: true });
    throw diskError(error, target);
  }
}

class HashingSink implements Sink {
  position = 0;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done);
      done += bytesWritten;
    }
    this.position += bytes.length;
  }

  async padTo(position: number): Promise<void> {
    if (position > this.position) await this.write(new Uint8Array(position - this.position));
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** Turns the system's error codes of writing into ours. */
export function diskError(error: unknown, file: string): ReadroomError {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(file);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new ReadroomError('file-unreadable', `${file} can't be written`, {
      file,
      detail: code,
      remedy: 'Choose a folder you may write to.',
    });
  }
  return toReadroomError(error, 'internal', { file });
}

export function diskFull(file: string, needed?: number, free?: number): ReadroomError {
  const sizes =
    needed === undefined || free === undefined
      ? ''
      : ` (${gigabytes(needed)} needed, ${gigabytes(free)} free)`;
  return new ReadroomError('disk-full', `The disk is full: ${file} could not be written${sizes}`, {
    file,
    remedy:
      'Free some space and start again: finished files are kept, the conversion goes on where it stopped.',
  });
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
