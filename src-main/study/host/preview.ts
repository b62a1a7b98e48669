/** The first picture of a large study, found and decoded on its own while the rest is still being looked through. */
import { stat } from 'node:fs/promises';
import { openStudy } from '../open-study.ts';
import { scanFolder } from '../scan-folder.ts';
import { pictureOf, toPng } from './pictures.ts';

export interface Preview {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** Studies of fewer files are open before a preview would be made. */
const worthwhile = 24;
/** Files tried before giving up: a folder may begin with reports and notes. */
const attempts = 12;

/** Null where there is nothing to gain, or nothing to show. Never throws. */
export async function findPreview(paths: readonly string[], signal: AbortSignal): Promise<Preview | null> {
  try {
    const files = await listFiles(paths, signal);
    if (files.length < worthwhile) return null;
    for (const file of files.slice(0, attempts)) {
      if (signal.aborted || /\.zip$/i.test(file)) return null;
      const open = await openStudy([file], { signal });
      const [series] = open.study.series;
      if (!series) continue;
      const pixels = await open.readPixels(series.id, { signal });
      const picture = pictureOf(pixels, pixels.slices >> 1);
      return { width: picture.width, height: picture.height, png: toPng(picture) };
    }
    return null;
  } catch {
    // The opener meets the same files and says what is wrong with them.
    return null;
  }
}

async function listFiles(paths: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  if (paths.length > 1) return paths;
  const [only] = paths;
  if (!only || !(await stat(only)).isDirectory()) return paths;
  return scanFolder(only, { signal, onUnreadable: () => undefined });
}
