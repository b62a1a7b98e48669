/** Files that are there whole or not at all. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';

/**
 * Writes beside the target, flushes, and renames over it. Missing folders are made.
 * @throws ReadroomError 'disk-full' or 'file-unreadable', naming the file; the old content stays
 */
export async function writeFileAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
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
