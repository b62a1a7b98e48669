/**
 * Writes a zip archive member by member (PKWARE APPNOTE 6.3), with zip64 where it is needed; one member is in memory at
 * a time. Written beside the target and renamed over it when it is whole. fflate's streaming writer has no zip64.
 */
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { crc32 } from '../../../study/readers/crc32.ts';
import { FileBeside } from '../../../trace/atomic-write.ts';

const deflate = promisify(deflateRaw);

interface Entry {
  readonly name: Buffer;
  readonly method: 0 | 8;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  readonly offset: number;
}

const writtenTogether = 1 << 20;
const most32 = 0xffffffff;
const utf8Names = 0x0800;
/** 1 January 1980, the earliest that the format knows: the archive tells nothing of when. */
const date = 0x0021;

export class ZipWriter {
  readonly #file: FileBeside;
  readonly #entries: Entry[] = [];
  #offset = 0;
  /** Written together: headers are small and many. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  private constructor(file: FileBeside) {
    this.#file = file;
  }

  static async create(target: string): Promise<ZipWriter> {
    return new ZipWriter(await FileBeside.create(target));
  }

  /** @param name with forward slashes; @param packed false where the bytes are compressed already */
  async add(name: string, bytes: Uint8Array, packed = true): Promise<void> {
    const deflated = packed ? await deflate(bytes) : null;
    const smaller = deflated !== null && deflated.length < bytes.length;
    const data = smaller ? deflated : bytes;
    const entry: Entry = {
      name: Buffer.from(name, 'utf8'),
      method: smaller ? 8 : 0,
      crc: crc32(bytes),
      size: bytes.length,
      compressedSize: data.length,
      offset: this.#offset,
    };
    this.#entries.push(entry);
    await this.#write(localHeader(entry));
    await this.#write(data);
  }

  /** The archive is there from now on. */
  async finish(): Promise<void> {
    const start = this.#offset;
    for (const entry of this.#entries) await this.#write(directoryHeader(entry));
    await this.#write(endRecords(this.#entries.length, start, this.#offset - start, this.#offset));
    await this.#flush();
    await this.#file.finish();
  }

  /** Nothing was written. */
  abandon(): Promise<void> {
    return this.#file.abandon();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#offset += bytes.length;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= writtenTogether) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    let written = 0;
    while (written < bytes.length) {
      written += (await this.#file.handle.write(bytes, written, bytes.length - written)).bytesWritten;
    }
  }
}

function localHeader({ name, method, crc, size, compressedSize }: Entry): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  // A member is in memory when it is written, so it never needs zip64's sizes.
  common(header, 4, { method, crc, size, compressedSize, name });
  return Buffer.concat([header, name]);
}

/** Version needed to the length of the name: the same in both headers, four bytes apart. */
function common(
  header: Buffer,
  at: number,
  {
    method,
    crc,
    size,
    compressedSize,
    name,
  }: Pick<Entry, 'method' | 'crc' | 'size' | 'compressedSize' | 'name'>,
): void {
  header.writeUInt16LE(20, at);
  header.writeUInt16LE(utf8Names, at + 2);
  header.writeUInt16LE(method, at + 4);
  header.writeUInt16LE(date, at + 8);
  header.writeUInt32LE(crc, at + 10);
  header.writeUInt32LE(compressedSize, at + 14);
  header.writeUInt32LE(size, at + 18);
  header.writeUInt16LE(name.length, at + 22);
}

function directoryHeader(entry: Entry): Buffer {
  const far = entry.offset >= most32;
  const extra = Buffer.alloc(far ? 12 : 0);
  if (far) {
    extra.writeUInt16LE(0x0001, 0);
    extra.writeUInt16LE(8, 2);
    extra.writeBigUInt64LE(BigInt(entry.offset), 4);
  }
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(far ? 45 : 20, 4);
  common(header, 6, entry);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(far ? most32 : entry.offset, 42);
  return Buffer.concat([header, entry.name, extra]);
}

function endRecords(count: number, start: number, length: number, end: number): Buffer {
  const large = count >= 0xffff || start >= most32 || length >= most32;
  const tail = Buffer.alloc(22);
  tail.writeUInt32LE(0x06054b50, 0);
  tail.writeUInt16LE(Math.min(count, 0xffff), 8);
  tail.writeUInt16LE(Math.min(count, 0xffff), 10);
  tail.writeUInt32LE(large ? most32 : length, 12);
  tail.writeUInt32LE(large ? most32 : start, 16);
  if (!large) return tail;
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(length), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(end), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, tail]);
}
