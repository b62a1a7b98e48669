/** Where the files of a case are on this machine: looked up by hash, remembered when they were found elsewhere. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { SourceFile } from '../../../src-contract/study.ts';
import { defaultLimits } from '../../study/reader.ts';
import { scanFolder } from '../../study/scan-folder.ts';
import { zipSources } from '../../study/sources.ts';
import type { Database } from './file/database.ts';
import { sha256Of } from './log/log.ts';

/** Where a source is, and what is there: the same to the byte, or the same image without its identifiers. */
export interface Place {
  readonly path: string;
  readonly member?: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Located {
  /** Files and archives that hold all of the sources; each once. */
  readonly paths: string[];
  /** Names of the files that are not where they were, or not what they were. */
  readonly missing: string[];
  /** Hashes of files that came without identifiers, each with the source that it stands for. */
  readonly standIns: Record<string, string>;
}

const throwIfCancelled = (signal?: AbortSignal): void => {
  if (signal?.aborted) throw new ReadroomError('cancelled', 'Cancelled.');
};

/** This machine found the source there. */
export function rememberPlace(db: Database, source: string, { path, member, bytes, sha256 }: Place): void {
  db.run(
    'INSERT OR REPLACE INTO places (sha256, path, member, bytes, actual_sha256) VALUES (?, ?, ?, ?, ?)',
    [source, path, member ?? null, bytes, sha256],
  );
}

interface PlaceRow {
  readonly path: string;
  readonly member: string | null;
  readonly bytes: number | null;
  readonly actual_sha256: string | null;
}

/** Where the source may be: where it was when it was read, and where this machine found it last. */
function placesOf(db: Database, source: SourceFile): Place[] {
  const row = db.get<PlaceRow>('SELECT path, member, bytes, actual_sha256 FROM places WHERE sha256 = ?', [
    source.sha256,
  ]);
  // A path of the log may be another machine's: a share on a network would be asked for by merely looking.
  const own: Place[] = isShare(source.path) ? [] : [source];
  if (!row) return own;
  const found = {
    path: row.path,
    bytes: row.bytes ?? source.bytes,
    sha256: row.actual_sha256 ?? source.sha256,
    ...(row.member === null ? {} : { member: row.member }),
  };
  return [...own, found];
}

/** Sources at the places where this machine found them last; images without identifiers are not taken for them. */
export function placedSources(db: Database, sources: readonly SourceFile[]): SourceFile[] {
  return sources.map((source) => {
    const found = placesOf(db, source).at(-1);
    if (!found || found.sha256 !== source.sha256) return source;
    const { member: _member, ...rest } = source;
    return { ...rest, path: found.path, ...(found.member === undefined ? {} : { member: found.member }) };
  });
}

const isShare = (path: string): boolean => /^[\\/]{2}/.test(path);

/** Shares that runs of this machine were read from may be looked at again. */
export function rememberShares(db: Database, sources: readonly SourceFile[]): void {
  for (const source of sources) if (isShare(source.path)) rememberPlace(db, source.sha256, source);
}

/** The bytes of a source, wherever it is; null where it is not to be found. */
export async function readPlaced(db: Database, source: SourceFile): Promise<Uint8Array | null> {
  const place = await firstOf(placesOf(db, source), new Archives());
  if (!place) return null;
  if (place.member !== undefined) return new Archives().read(place.path, place.member);
  return readFile(place.path).catch(() => null);
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
  const archives = new Archives();
  const open = new Map<string, SourceFile>();
  const paths = new Set<string>();
  const standIns: Record<string, string> = {};
  for (const [index, source] of sources.entries()) {
    throwIfCancelled(signal);
    const place = await firstOf(placesOf(db, source), archives);
    if (!place) open.set(source.sha256, source);
    else {
      paths.add(place.path);
      if (place.sha256 !== source.sha256) standIns[place.sha256] = source.sha256;
    }
    onProgress(index + 1, sources.length);
  }
  if (folder !== null && open.size > 0) {
    for (const [sha256, place] of await search(folder, open, archives, onProgress, signal)) {
      rememberPlace(db, sha256, place);
      paths.add(place.path);
      open.delete(sha256);
    }
  }
  const missing = [...open.values()].map(({ path, member }) => nameOf(member ?? path));
  return { paths: [...paths], missing, standIns };
}

const nameOf = (path: string): string => path.split(/[\\/]/).pop() ?? path;

async function firstOf(places: readonly Place[], archives: Archives): Promise<Place | null> {
  for (const place of places) {
    const found =
      place.member === undefined
        ? await hashOfFile(place.path, place.bytes)
        : await archives.hashOf(place.path, place.member);
    if (found === place.sha256) return place;
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

/** Members of archives: each archive is listed once. */
class Archives {
  readonly #members = new Map<string, ReturnType<typeof zipSources>>();

  members(archive: string): ReturnType<typeof zipSources> {
    let members = this.#members.get(archive);
    if (!members) {
      members = zipSources(archive).catch(() => []);
      this.#members.set(archive, members);
    }
    return members;
  }

  async read(archive: string, member: string): Promise<Uint8Array | null> {
    const found = (await this.members(archive)).find((one) => one.member === member);
    return (await found?.read(defaultLimits).catch(() => null)) ?? null;
  }

  async hashOf(archive: string, member: string): Promise<string | null> {
    const bytes = await this.read(archive, member);
    return bytes && sha256Of(bytes);
  }
}

/** Goes through a folder: what has the size of something missing is hashed. */
async function search(
  folder: string,
  missing: ReadonlyMap<string, SourceFile>,
  archives: Archives,
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
    if (sha256 !== null && missing.has(sha256)) found.set(sha256, { path, bytes: size, sha256 });
    else if (inArchives && /\.zip$/i.test(path)) {
      for (const member of await archives.members(path)) {
        if (member.member === undefined || !sizes.has(member.size)) continue;
        const inside = await archives.hashOf(path, member.member);
        if (inside === null || !missing.has(inside)) continue;
        found.set(inside, { path, member: member.member, bytes: member.size, sha256: inside });
      }
    }
  }
  onProgress(files.length, files.length);
  return found;
}
