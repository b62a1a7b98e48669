/** Where the files of a case are on this machine: looked up by hash, remembered when they were found elsewhere. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { SourceFile } from '../../../src-contract/study.ts';
import { defaultLimits } from '../../study/reader.ts';
import { scanFolder } from '../../study/scan-folder.ts';
import { zipSources } from '../../study/sources.ts';
import type { Database } from './database.ts';
import { sha256Of } from './log.ts';

interface Place {
  readonly path: string;
  readonly member?: string;
}

export interface Located {
  /** Files and archives that hold all of the sources; each once. */
  readonly paths: string[];
  /** Names of the files that are not where they were, or not what they were. */
  readonly missing: string[];
}

const throwIfCancelled = (signal?: AbortSignal): void => {
  if (signal?.aborted) throw new ReadroomError('cancelled', 'Cancelled.');
};

/** Sources with the places where this machine found them last. */
export function placedSources(db: Database, sources: readonly SourceFile[]): SourceFile[] {
  return sources.map((source) => {
    const place = db.get<{ path: string; member: string | null }>(
      'SELECT path, member FROM places WHERE sha256 = ?',
      [source.sha256],
    );
    if (!place) return source;
    const { member: _member, ...rest } = source;
    return { ...rest, path: place.path, ...(place.member === null ? {} : { member: place.member }) };
  });
}

/**
 * Looks for the sources where they were and, where a folder is given, in that folder and below it.
 * @throws ReadroomError 'cancelled', 'file-not-found' for a folder that is not there
 */
export async function locate(
  db: Database,
  sources: readonly SourceFile[],
  folder: string | null,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<Located> {
  const placed = placedSources(db, sources);
  const hashes = new ArchiveHashes();
  const open = new Map<string, SourceFile>();
  const paths = new Set<string>();
  for (const [index, source] of placed.entries()) {
    throwIfCancelled(signal);
    // As the log has it, where the place that was remembered holds it no more.
    const places = [source, sources[index]];
    const place = await firstWith(places, source, hashes);
    if (place) paths.add(place.path);
    else open.set(source.sha256, source);
    onProgress(index + 1, placed.length);
  }
  if (folder !== null && open.size > 0) {
    for (const [sha256, place] of await search(folder, open, hashes, onProgress, signal)) {
      db.run('INSERT OR REPLACE INTO places (sha256, path, member) VALUES (?, ?, ?)', [
        sha256,
        place.path,
        place.member ?? null,
      ]);
      paths.add(place.path);
      open.delete(sha256);
    }
  }
  return { paths: [...paths], missing: [...open.values()].map(({ path, member }) => nameOf(member ?? path)) };
}

const nameOf = (path: string): string => path.split(/[\\/]/).pop() ?? path;

async function firstWith(
  places: readonly (Place & SourceFile)[],
  { sha256, bytes }: SourceFile,
  hashes: ArchiveHashes,
): Promise<Place | null> {
  for (const place of places) {
    const found =
      place.member === undefined
        ? await hashOfFile(place.path, bytes)
        : await hashes.of(place.path, place.member);
    if (found === sha256) return place;
  }
  return null;
}

/** Sha256 of a file of that size; null where there is none. */
async function hashOfFile(path: string, bytes: number): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile() || found.size !== bytes) return null;
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
      hash.update(chunk as Buffer);
  } catch {
    return null;
  }
  return hash.digest('hex');
}

/** Hashes of the members of archives: each archive is listed once. */
class ArchiveHashes {
  readonly #members = new Map<string, ReturnType<typeof zipSources>>();

  members(archive: string): ReturnType<typeof zipSources> {
    let members = this.#members.get(archive);
    if (!members) {
      members = zipSources(archive).catch(() => []);
      this.#members.set(archive, members);
    }
    return members;
  }

  async of(archive: string, member: string): Promise<string | null> {
    const found = (await this.members(archive)).find((one) => one.member === member);
    const bytes = await found?.read(defaultLimits).catch(() => null);
    return bytes ? sha256Of(bytes) : null;
  }
}

/** Goes through a folder: what has the size of something missing is hashed. */
async function search(
  folder: string,
  missing: ReadonlyMap<string, SourceFile>,
  archives: ArchiveHashes,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<Map<string, Place>> {
  const found = new Map<string, Place>();
  const sizes = new Set([...missing.values()].map(({ bytes }) => bytes));
  const inArchives = [...missing.values()].some(({ member }) => member !== undefined);
  const files = await scanFolder(folder, { signal, onUnreadable: () => undefined });
  for (const [index, path] of files.entries()) {
    throwIfCancelled(signal);
    onProgress(index + 1, files.length);
    if (found.size === missing.size) break;
    const size = (await stat(path).catch(() => null))?.size ?? -1;
    const sha256 = sizes.has(size) ? await hashOfFile(path, size) : null;
    if (sha256 !== null && missing.has(sha256)) found.set(sha256, { path });
    else if (inArchives && /\.zip$/i.test(path)) {
      for (const member of await archives.members(path)) {
        if (member.member === undefined || !sizes.has(member.size)) continue;
        const inside = await archives.of(path, member.member);
        if (inside !== null && missing.has(inside)) found.set(inside, { path, member: member.member });
      }
    }
  }
  onProgress(files.length, files.length);
  return found;
}
