/** Members of a zip archive on disk by name, each read whole and checked. */
import { open, stat } from 'node:fs/promises';
import { ReadroomError } from '../../../../src-contract/errors.ts';
import { listZip, type ReadAt, readZipMember } from '../../../study/readers/zip-archive.ts';
import { fileError } from '../../../study/sources.ts';

export interface ZipFile {
  has(name: string): boolean;
  /** @throws ReadroomError 'file-malformed' where it is missing or damaged, 'file-too-large' beyond `limit` bytes */
  read(name: string, limit: number): Promise<Buffer>;
}

/** More than any project has; images come one file each. */
const limits = { maxMembers: 1_000_000, maxTotalBytes: 4 * 1024 ** 4 };

export async function openZip(file: string): Promise<ZipFile> {
  const readAt: ReadAt = async (offset, length) => {
    const handle = await open(file, 'r');
    try {
      const buffer = Buffer.alloc(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } catch (thrown) {
      throw fileError(thrown, file);
    } finally {
      await handle.close();
    }
  };
  const { size } = await stat(file).catch((thrown: unknown) => {
    throw fileError(thrown, file);
  });
  const members = new Map((await listZip(readAt, size, file, limits)).map((member) => [member.name, member]));
  return {
    has: (name) => members.has(name),
    async read(name, limit) {
      const member = members.get(name);
      if (!member) {
        throw new ReadroomError('file-malformed', `${file}: its member ${name} is missing.`, {
          file,
          remedy: 'Get the archive again from where it came from.',
        });
      }
      return Buffer.from(await readZipMember(readAt, member, file, limit));
    },
  };
}
