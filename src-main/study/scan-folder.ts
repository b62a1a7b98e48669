/** The files below a folder, in natural order, without walking in circles or without end. */
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { throwIfCancelled, tooLarge } from './reader.ts';
import { isHousekeeping } from './sources.ts';

export interface ScanLimits {
  maxDepth: number;
  maxFiles: number;
}

export const defaultScanLimits: ScanLimits = { maxDepth: 32, maxFiles: 200_000 };

/** 'slice2' before 'slice10'. The same order on every machine, whatever its language. */
export const naturalOrder = new Intl.Collator('en', { numeric: true, sensitivity: 'variant' });

/**
 * Paths of all ordinary files. Links to files and folders are followed (datasets are often trees of links), each real
 * folder once. Folders that can't be listed are reported to `onUnreadable` and left out.
 *
 * @throws ReadroomError 'file-too-large' beyond `maxFiles`, 'cancelled'
 */
export async function scanFolder(
  root: string,
  options: {
    signal?: AbortSignal;
    limits?: ScanLimits;
    onUnreadable?: (folder: string, thrown: unknown) => void;
  } = {},
): Promise<string[]> {
  const limits = options.limits ?? defaultScanLimits;
  const visited = new Set<string>();
  const files: string[] = [];

  const walk = async (folder: string, depth: number): Promise<void> => {
    throwIfCancelled(options.signal);
    if (depth > limits.maxDepth) return;
    try {
      const real = await realpath(folder);
      if (visited.has(real)) return;
      visited.add(real);
      const entries = await readdir(folder, { withFileTypes: true });
      entries.sort((a, b) => naturalOrder.compare(a.name, b.name));
      for (const entry of entries) {
        if (isHousekeeping(entry.name)) continue;
        const full = path.join(folder, entry.name);
        const kind = entry.isSymbolicLink() ? await stat(full).catch(() => entry) : entry;
        if (kind.isDirectory()) await walk(full, depth + 1);
        else if (kind.isFile()) files.push(full);
        if (files.length > limits.maxFiles) {
          throw tooLarge(root, `the folder holds more than ${limits.maxFiles} files`);
        }
      }
    } catch (thrown) {
      if (depth === 0 || isLimit(thrown)) throw thrown;
      options.onUnreadable?.(folder, thrown);
    }
  };

  await walk(root, 0);
  return files;
}

function isLimit(thrown: unknown): boolean {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    'code' in thrown &&
    (thrown.code === 'file-too-large' || thrown.code === 'cancelled')
  );
}
