/** Files that are there whole or not at all. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';

/** A file that is being written beside its target, and takes its place when it is whole. */
export class FileBeside {
  readonly #target: string;
  readonly #temporary: string;
  readonly handle: FileHandle;

  private constructor(target: string, temporary: string, handle: FileHandle) {
    this.#target = target;
    this.#temporary = temporary;
    this.handle = handle;
  }

  static async create(target: string): Promise<FileBeside> {
    const temporary = `${target}.${randomUUID()}.tmp`;
    return new FileBeside(target, temporary, await open(temporary, 'wx'));
  }

  /** Flushes, and renames over the target. */
  async finish(): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
    await rename(this.#temporary, this.#target);
  }

  /** Nothing was written; also after a `finish` that failed. */
  async abandon(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }
}

/**
 * Writes a whole file at once. Missing folders are made.
 * @throws ReadroomError 'disk-full' or 'file-unreadable', naming the file; the old content stays
 */
export async function writeFileAtomically(file: string, content: string | Uint8Array): Promise<void> {
  let beside: FileBeside | null = null;
  try {
    await mkdir(dirname(file), { recursive: true });
    beside = await FileBeside.create(file);
    await beside.handle.writeFile(content);
    await beside.finish();
  } catch (thrown) {
    await beside?.abandon();
    throw writeError(thrown, file);
  }
}

/** Why a file could not be written: 'disk-full', or 'file-unreadable' for any other reason. */
export function writeError(thrown: unknown, file: string): ReadroomError {
  if (thrown instanceof ReadroomError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new ReadroomError(
    full ? 'disk-full' : 'file-unreadable',
    full ? `There is no space left to write ${file}.` : `${file} could not be written.`,
    {
      file,
      detail: toReadroomError(thrown).message,
      remedy: full ? 'Free some space.' : 'Choose a folder you may write to.',
    },
  );
}
