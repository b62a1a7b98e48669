/**
 * Random access to the members of a zip archive (PKWARE APPNOTE 6.3), in memory or on disk, one member at a time.
 *
 * Nothing is ever written to disk, so a member's name can do no harm. The central directory is trusted for nothing but
 * where to look: sizes are checked against the archive, members that overlap (a zip bomb of one kind) are refused, and
 * inflating stops at the size that was announced (which ends a bomb of the other kind).
 */
import { malformed, tooLarge, unsupported } from '../reader.ts';
import { crc32 } from './crc32.ts';
import { inflatePrefix, inflateRange } from './inflate.ts';

/** Reads `length` bytes at `offset`, fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

export interface ZipMember {
  name: string;
  size: number;
  compressedSize: number;
  method: number;
  crc: number;
  encrypted: boolean;
  headerOffset: number;
}

export interface ZipLimits {
  maxMembers: number;
  /** Sum of the uncompressed sizes of all members. */
  maxTotalBytes: number;
}

export const defaultZipLimits: ZipLimits = { maxMembers: 50_000, maxTotalBytes: 64 * 1024 ** 3 };

const endRecordBytes = 22;
const longestComment = 65535;

/** Members of the archive, folders left out, in the order of the central directory. */
export async function listZip(
  readAt: ReadAt,
  size: number,
  name: string,
  limits: ZipLimits = defaultZipLimits,
): Promise<ZipMember[]> {
  const { offset, length, count } = await findDirectory(readAt, size, name);
  if (count > limits.maxMembers) {
    throw tooLarge(name, `it has ${count} members, more than the limit of ${limits.maxMembers}`);
  }
  if (offset + length > size || length > limits.maxMembers * 512) {
    throw malformed(name, 'its list of members lies outside the archive');
  }
  const directory = await readAt(offset, length);
  const members = parseDirectory(directory, name, limits.maxMembers);
  const total = members.reduce((sum, member) => sum + member.size, 0);
  if (total > limits.maxTotalBytes) throw tooLarge(name, `unpacked, it would take ${total} bytes`);
  refuseOverlaps(members, offset, name);
  return members.filter((member) => !member.name.endsWith('/'));
}

/** The bytes of a member, checked against its CRC-32. */
export async function readZipMember(
  readAt: ReadAt,
  member: ZipMember,
  name: string,
  limit: number,
): Promise<Uint8Array> {
  const label = `${name}: ${member.name}`;
  if (member.size > limit) throw tooLarge(label, `unpacked, it would take ${member.size} bytes`);
  const compressed = await readCompressed(readAt, member, name, member.compressedSize);
  const bytes =
    member.method === 0
      ? compressed
      : await inflateRange('raw', compressed, { skip: 0, count: member.size }, label);
  if (bytes.byteLength !== member.size || crc32(bytes) !== member.crc) {
    throw malformed(label, 'its checksum is wrong: the archive is damaged');
  }
  return bytes;
}

/** The first bytes of a member, unchecked. */
export async function peekZipMember(
  readAt: ReadAt,
  member: ZipMember,
  name: string,
  count: number,
): Promise<Uint8Array> {
  const compressed = await readCompressed(
    readAt,
    member,
    name,
    Math.min(member.compressedSize, count + 65536),
  );
  return member.method === 0 ? compressed.subarray(0, count) : inflatePrefix('raw', compressed, count);
}

async function readCompressed(readAt: ReadAt, member: ZipMember, name: string, count: number) {
  const label = `${name}: ${member.name}`;
  if (member.encrypted)
    throw unsupported(label, 'it is encrypted', 'Unpack the archive with its password first.');
  if (member.method !== 0 && member.method !== 8) {
    throw unsupported(
      label,
      `compression method ${member.method} is not read`,
      'Pack it again as an ordinary zip.',
    );
  }
  const header = viewOf(await readAt(member.headerOffset, 30));
  if (header.byteLength < 30 || header.getUint32(0, true) !== 0x04034b50) {
    throw malformed(label, 'its place in the archive holds something else');
  }
  const start = member.headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const bytes = await readAt(start, count);
  if (bytes.byteLength < count) throw malformed(label, 'the archive is cut short');
  return bytes;
}

async function findDirectory(readAt: ReadAt, size: number, name: string) {
  const tailBytes = Math.min(size, endRecordBytes + longestComment);
  const tailAt = size - tailBytes;
  const tail = viewOf(await readAt(tailAt, tailBytes));
  for (let at = tail.byteLength - endRecordBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue;
    const count = tail.getUint16(at + 10, true);
    const length = tail.getUint32(at + 12, true);
    const offset = tail.getUint32(at + 16, true);
    if (count === 0xffff || length === 0xffffffff || offset === 0xffffffff) {
      return findDirectory64(readAt, tail, at - 20, name);
    }
    return { count, length, offset };
  }
  throw malformed(name, 'it has no list of members: the archive is cut short, or is none');
}

async function findDirectory64(readAt: ReadAt, tail: DataView, locator: number, name: string) {
  if (locator >= 0 && tail.getUint32(locator, true) === 0x07064b50) {
    const record = viewOf(await readAt(Number(tail.getBigUint64(locator + 8, true)), 56));
    if (record.byteLength === 56 && record.getUint32(0, true) === 0x06064b50) {
      return {
        count: Number(record.getBigUint64(32, true)),
        length: Number(record.getBigUint64(40, true)),
        offset: Number(record.getBigUint64(48, true)),
      };
    }
  }
  throw malformed(name, 'its zip64 list of members is damaged');
}

function parseDirectory(directory: Uint8Array, name: string, maxMembers: number): ZipMember[] {
  const view = viewOf(directory);
  const members: ZipMember[] = [];
  for (let at = 0; at + 46 <= view.byteLength; ) {
    if (view.getUint32(at, true) !== 0x02014b50) break;
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const commentLength = view.getUint16(at + 32, true);
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > view.byteLength || members.length >= maxMembers)
      throw malformed(name, 'its list of members is damaged');
    const flags = view.getUint16(at + 8, true);
    const member: ZipMember = {
      name: Buffer.from(directory.subarray(at + 46, at + 46 + nameLength)).toString(
        flags & 0x800 ? 'utf8' : 'latin1',
      ),
      encrypted: (flags & 1) !== 0,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      headerOffset: view.getUint32(at + 42, true),
    };
    readZip64Extra(view, at + 46 + nameLength, extraLength, member);
    members.push(member);
    at = end;
  }
  return members;
}

/** Sizes and offsets that need 64 bits stand in extra field 1, in this order, only those that are all ones. */
function readZip64Extra(view: DataView, from: number, length: number, member: ZipMember): void {
  for (let at = from; at + 4 <= from + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let field = at + 4;
    const end = Math.min(field + view.getUint16(at + 2, true), from + length);
    for (const key of ['size', 'compressedSize', 'headerOffset'] as const) {
      if (member[key] === 0xffffffff && field + 8 <= end) {
        member[key] = Number(view.getBigUint64(field, true));
        field += 8;
      }
    }
    return;
  }
}

function refuseOverlaps(members: readonly ZipMember[], directoryOffset: number, name: string): void {
  const ordered = [...members].sort((a, b) => a.headerOffset - b.headerOffset);
  ordered.forEach((member, index) => {
    const next = ordered[index + 1]?.headerOffset ?? directoryOffset;
    if (member.headerOffset + 30 + member.compressedSize > next) {
      throw malformed(name, `its members overlap ('${member.name.slice(0, 80)}')`);
    }
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Access to an archive that is in memory already. */
export function readAtOf(bytes: Uint8Array): ReadAt {
  return async (offset, length) => bytes.subarray(offset, offset + length);
}
