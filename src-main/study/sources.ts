/** Where bytes come from: files on disk, and members of zip archives. Nothing here writes. */
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import { type ByteSource, formatBytes, type ReadLimits, tooLarge } from './reader.ts';
import { staysInFolder } from './readers/text-header.ts';
import { listZip, peekZipMember, type ReadAt, readZipMember, type ZipMember } from './readers/zip-archive.ts';

/** A file on disk. `stat` follows symbolic links. @throws ReadroomError 'file-not-found' | 'file-unreadable' */
export async function fileSource(filePath: string): Promise<ByteSource> {
  const found = await stat(filePath).catch((thrown: unknown) => {
    throw fileError(thrown, filePath);
  });
  // Devices and pipes would block or never end.
  if (!found.isFile()) {
    throw new ReadroomError('file-unreadable', `${filePath}: it is no ordinary file.`, {
      file: filePath,
      remedy: 'Choose a file, a folder or a zip archive.',
    });
  }
  const size = found.size;
  return {
    path: filePath,
    name: filePath,
    size,
    read: (limits) => {
      if (size > limits.maxFileBytes) throw tooLargeFile(filePath, size, limits);
      return withFile(filePath, (file) => readFully(file, 0, size));
    },
    head: (count) => withFile(filePath, (file) => readFully(file, 0, Math.min(count, size))),
    sibling: (relative) => fileSibling(filePath, relative),
  };
}

async function fileSibling(filePath: string, relative: string): Promise<ByteSource | undefined> {
  if (!staysInFolder(relative)) return undefined;
  const folder = path.dirname(filePath);
  const wanted = path.join(folder, ...relative.split(/[\\/]/));
  try {
    // A link in the folder could still lead out of it.
    const [realFolder, real] = await Promise.all([realpath(folder), realpath(wanted)]);
    if (!real.startsWith(realFolder.endsWith(path.sep) ? realFolder : realFolder + path.sep))
      return undefined;
    return await fileSource(wanted);
  } catch {
    return undefined;
  }
}

/** Members of an archive on disk, each a source; folders and the leavings of macOS are left out. */
export async function zipSources(archive: string): Promise<ByteSource[]> {
  const readAt: ReadAt = (offset, length) => withFile(archive, (file) => readFully(file, offset, length));
  const { size } = await stat(archive);
  const members = await listZip(readAt, size, archive);
  const byName = new Map(members.map((member) => [member.name, member]));
  const sourceOf = (member: ZipMember): ByteSource => ({
    path: archive,
    member: member.name,
    name: `${archive}: ${member.name}`,
    size: member.size,
    read: (limits) => readZipMember(readAt, member, archive, limits.maxFileBytes),
    head: (count) => peekZipMember(readAt, member, archive, count),
    sibling: async (relative) => {
      if (!staysInFolder(relative)) return undefined;
      const folder = member.name.slice(0, member.name.lastIndexOf('/') + 1);
      const found = byName.get(folder + relative.replaceAll('\\', '/'));
      return found && sourceOf(found);
    },
  });
  return members.filter((member) => !isHousekeeping(member.name)).map(sourceOf);
}

/** Files that operating systems leave behind, and hidden ones. */
export function isHousekeeping(name: string): boolean {
  return name
    .split(/[\\/]/)
    .some(
      (part) => /^\.(?!\.?$)/.test(part) || part === '__MACOSX' || /^(thumbs\.db|desktop\.ini)$/i.test(part),
    );
}

/** The last part of a path or member name. */
export function fileNameOf(source: { path: string; member?: string }): string {
  return (source.member ?? source.path).split(/[\\/]/).pop() ?? '';
}

async function withFile<T>(filePath: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(filePath, 'r');
    return await use(file);
  } catch (thrown) {
    throw fileError(thrown, filePath);
  } finally {
    await file?.close();
  }
}

async function readFully(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    // One read call moves at most 2 GiB on Linux; smaller pieces keep the thread pool fair.
    const { bytesRead } = await file.read(
      out,
      filled,
      Math.min(length - filled, 64 * 1024 * 1024),
      offset + filled,
    );
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === length ? out : out.slice(0, filled);
}

function tooLargeFile(name: string, size: number, limits: ReadLimits): ReadroomError {
  return tooLarge(
    name,
    `the file has ${formatBytes(size)}, more than the limit of ${formatBytes(limits.maxFileBytes)}`,
  );
}

export function fileError(thrown: unknown, filePath: string): ReadroomError {
  if (thrown instanceof ReadroomError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ReadroomError('file-not-found', `${filePath}: there is no such file.`, {
      file: filePath,
      remedy: 'Check the path.',
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new ReadroomError('file-unreadable', `${filePath}: reading it is not permitted.`, {
      file: filePath,
      remedy: 'Change its permissions, or copy it to a folder of your own.',
    });
  }
  return toReadroomError(thrown, 'file-unreadable', { file: filePath });
}
