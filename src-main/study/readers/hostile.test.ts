/** Files that lie: about their size, their compression, or who they are. Nothing may be allocated on their word. */
import { deflateSync, gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { decodeImage, type PlainFormat } from '../decode-image.ts';
import { detectFormat } from '../detect.ts';
import { defaultLimits, type ReaderInput, type ReadLimits } from '../reader.ts';
import { inflateAll, inflatePrefix, inflateRange } from './inflate.ts';
import { listZip, readAtOf, readZipMember } from './zip-archive.ts';

function input(bytes: Uint8Array, limits: ReadLimits = defaultLimits): ReaderInput {
  return { bytes, name: 'hostile', fileName: 'hostile', limits };
}

async function codeOf(format: PlainFormat, bytes: Uint8Array): Promise<string> {
  const before = process.memoryUsage().arrayBuffers;
  const code = await decodeImage(format, input(bytes)).then(
    () => 'ok',
    (error: { code: string }) => error.code,
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6);
  return code;
}

function nifti(dims: number[], datatype = 4): Uint8Array {
  const bytes = new Uint8Array(352);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [dims.length, ...dims].forEach((value, i) => {
    view.setInt16(40 + 2 * i, value, true);
  });
  view.setInt16(70, datatype, true);
  view.setFloat32(108, 352, true);
  bytes.set(Buffer.from('n+1\0'), 344);
  return bytes;
}

function text(header: string, body = ''): Uint8Array {
  return Uint8Array.from(Buffer.from(header + body, 'latin1'));
}

describe('headers that promise more than there is', () => {
  test('NIfTI', async () => {
    expect(await codeOf('nifti', nifti([32767, 32767, 2]))).toBe('file-too-large');
    expect(await codeOf('nifti', nifti([1000, 1000, 900]))).toBe('file-truncated');
    expect(await codeOf('nifti', Uint8Array.from(gzipSync(nifti([1000, 1000, 900]))))).toBe('file-truncated');
    expect(await codeOf('nifti', nifti([0, 5, 5]))).toBe('file-malformed');
    expect(await codeOf('nifti', nifti([5, -5, 5]))).toBe('file-malformed');
    expect(await codeOf('nifti', nifti([5, 5, 5], 32))).toBe('format-unsupported');
  });

  test('a NIfTI header that is not even whole', async () => {
    expect(await codeOf('nifti', nifti([5, 5, 5]).slice(0, 100))).toBe('file-malformed');
    expect(await codeOf('nifti', Uint8Array.from(gzipSync(new Uint8Array(10))))).toBe('file-malformed');
  });

  test('MetaImage', async () => {
    const head = (size: string, more = '') =>
      `ObjectType = Image\nNDims = 3\n${more}DimSize = ${size}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n`;
    expect(await codeOf('metaimage', text(head('1000 1000 900')))).toBe('file-truncated');
    expect(await codeOf('metaimage', text(head('1e9 1e9 1e9')))).toBe('file-too-large');
    expect(await codeOf('metaimage', text(head('5 5')))).toBe('file-malformed');
    expect(await codeOf('metaimage', text(head('5 x 5')))).toBe('file-malformed');
    expect(await codeOf('metaimage', text(head('9 9 9', 'CompressedData = True\n'), 'nonsense'))).toBe(
      'file-malformed',
    );
    expect(await codeOf('metaimage', text(head('9 9 9', 'HeaderSize = -1\n')))).toBe('file-truncated');
    expect(await codeOf('metaimage', text('ObjectType = Image\n'))).toBe('file-malformed');
  });

  test('NRRD', async () => {
    const head = (sizes: string, encoding: string) =>
      `NRRD0004\ntype: short\ndimension: 3\nsizes: ${sizes}\nencoding: ${encoding}\nendian: little\n\n`;
    expect(await codeOf('nrrd', text(head('1000 1000 900', 'raw')))).toBe('file-truncated');
    expect(await codeOf('nrrd', text(head('9 9 9', 'gzip'), '\x1f\x8bzzz'))).toBe('file-malformed');
    expect(await codeOf('nrrd', text(head('9 9 9', 'bzip2')))).toBe('format-unsupported');
    expect(await codeOf('nrrd', text('NRRD0004\ntype: short\n'))).toBe('file-malformed');
  });

  test('NumPy', async () => {
    const npy = (dict: string) => {
      const header = Buffer.from(dict);
      return Uint8Array.from(
        Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([header.length, 0]), header]),
      );
    };
    const dict = (shape: string, type = '<i2') =>
      `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape}), }`;
    expect(await codeOf('npy', npy(dict('1000, 1000, 900')))).toBe('file-truncated');
    expect(await codeOf('npy', npy(dict('99999999999, 9')))).toBe('file-too-large');
    expect(await codeOf('npy', npy(dict('3, 0')))).toBe('file-malformed');
    expect(await codeOf('npy', npy(dict('3, 3', '|O')))).toBe('format-unsupported');
    expect(await codeOf('npy', npy("__import__('os').system('x')"))).toBe('format-unsupported');
  });

  test('pictures', async () => {
    const tiff = Buffer.alloc(8 + 2 + 4 * 12 + 4);
    tiff.write('II*\0');
    tiff.writeUInt32LE(8, 4);
    tiff.writeUInt16LE(4, 8);
    const tag = (i: number, id: number, value: number) => {
      tiff.writeUInt16LE(id, 10 + i * 12);
      tiff.writeUInt16LE(4, 12 + i * 12);
      tiff.writeUInt32LE(1, 14 + i * 12);
      tiff.writeUInt32LE(value, 18 + i * 12);
    };
    tag(0, 256, 13000);
    tag(1, 257, 13000);
    tag(2, 258, 8);
    tag(3, 259, 8);
    expect(await codeOf('tiff', Uint8Array.from(tiff))).toBe('file-truncated');
    // The next page is this page.
    tiff.writeUInt32LE(8, tiff.length - 4);
    expect(await codeOf('tiff', Uint8Array.from(tiff))).toBe('file-malformed');
    const jpeg = text(
      '\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\x7f\xff\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xff\xda\x00\x02\xff\xd9',
    );
    expect(await codeOf('jpeg', jpeg)).toBe('file-too-large');
  });
});

describe('compressed data that grow', () => {
  const bomb = Uint8Array.from(gzipSync(new Uint8Array(50_000_000)));

  test('inflating stops at the size that was asked for', async () => {
    const out = await inflateRange('gzip', bomb, { skip: 100, count: 1000 }, 'bomb');
    expect(out.byteLength).toBe(1000);
    expect((await inflatePrefix('gzip', bomb, 500)).byteLength).toBe(500);
    await expect(inflateAll('gzip', bomb, 1_000_000, 'bomb')).rejects.toMatchObject({
      code: 'file-too-large',
    });
  });

  test('a claim that no deflate stream can fulfil is refused without inflating', async () => {
    const range = { skip: 0, count: 1_500_000_000 };
    await expect(inflateRange('zlib', deflateSync(Buffer.from('x')), range, 'liar')).rejects.toMatchObject({
      code: 'file-truncated',
    });
  });

  test('a cut stream, and one with a wrong checksum', async () => {
    const data = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 251));
    const good = gzipSync(data);
    const range = { skip: 0, count: data.length };
    await expect(inflateRange('gzip', good.subarray(0, 100), range, 'cut')).rejects.toMatchObject({
      code: 'file-truncated',
    });
    const wrong = Uint8Array.from(good);
    wrong[good.length - 6] ^= 1;
    await expect(inflateRange('gzip', wrong, range, 'crc')).rejects.toMatchObject({ code: 'file-malformed' });
  });
});

describe('zip archives', () => {
  const zip = zipSync({ 'a.txt': Buffer.from('hello hello hello hello') });

  test('a wrong checksum, a wrong size, an encrypted member', async () => {
    const [member] = await listZip(readAtOf(zip), zip.length, 'a.zip');
    const read = (changes: object) => readZipMember(readAtOf(zip), { ...member, ...changes }, 'a.zip', 1e9);
    expect(Buffer.from(await read({})).toString()).toBe('hello hello hello hello');
    await expect(read({ crc: 1 })).rejects.toMatchObject({ code: 'file-malformed' });
    await expect(read({ size: 2_000_000 })).rejects.toMatchObject({ code: 'file-truncated' });
    await expect(read({ size: 5 })).rejects.toMatchObject({ code: 'file-malformed' });
    await expect(read({ encrypted: true })).rejects.toMatchObject({ code: 'format-unsupported' });
    await expect(read({ method: 99 })).rejects.toMatchObject({ code: 'format-unsupported' });
    await expect(read({ size: 2e9 })).rejects.toMatchObject({ code: 'file-too-large' });
  });

  test('an archive with 64-bit records', async () => {
    const end = zip.length - 22;
    const plain = Buffer.from(zip);
    const [directoryBytes, directoryAt] = [plain.readUInt32LE(end + 12), plain.readUInt32LE(end + 16)];
    // The size of the one member moves to its extra field.
    const entry = Buffer.concat([
      plain.subarray(directoryAt, directoryAt + directoryBytes),
      Buffer.alloc(12),
    ]);
    entry.writeUInt32LE(0xffffffff, 24);
    entry.writeUInt16LE(12, 30);
    entry.writeUInt16LE(1, directoryBytes);
    entry.writeUInt16LE(8, directoryBytes + 2);
    entry.writeBigUInt64LE(23n, directoryBytes + 4);
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(1n, 32);
    record.writeBigUInt64LE(BigInt(entry.length), 40);
    record.writeBigUInt64LE(BigInt(directoryAt), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(directoryAt + entry.length), 8);
    const last = Buffer.from(plain.subarray(end));
    last.fill(0xff, 8, 20);
    const whole = Buffer.concat([plain.subarray(0, directoryAt), entry, record, locator, last]);
    const [member] = await listZip(readAtOf(whole), whole.length, 'a.zip');
    const content = await readZipMember(readAtOf(whole), member, 'a.zip', 1e9);
    expect(Buffer.from(content).toString()).toBe('hello hello hello hello');
  });

  test('members that overlap, and archives without end', async () => {
    const twice = zipSync({ a: new Uint8Array(100), b: new Uint8Array(100) }, { level: 0 });
    const overlapping = Uint8Array.from(twice);
    const view = new DataView(overlapping.buffer);
    // Point the second entry of the directory at the first member.
    const second = Buffer.from(overlapping).lastIndexOf('PK\x01\x02', undefined, 'latin1');
    view.setUint32(second + 42, 0, true);
    await expect(listZip(readAtOf(overlapping), overlapping.length, 'z')).rejects.toMatchObject({
      code: 'file-malformed',
    });
    const cut = zip.subarray(0, zip.length - 10);
    await expect(listZip(readAtOf(cut), cut.length, 'z')).rejects.toMatchObject({ code: 'file-malformed' });
    const limits = { maxMembers: 50_000, maxTotalBytes: 10 };
    await expect(listZip(readAtOf(zip), zip.length, 'z', limits)).rejects.toMatchObject({
      code: 'file-too-large',
    });
  });
});

describe('detection', () => {
  const head = (content: string) => text(content.padEnd(600, '\0'));
  test.each([
    ['NRRD0005\n', 'x.bin', 'nrrd'],
    ['ObjectType = Image\n', 'x', 'metaimage'],
    [`${'\0'.repeat(128)}DICM`, 'image.png', 'dicom'],
    ['\x08\x00\x05\x00CS\x0a\x00ISO_IR 100', 'x', 'dicom'],
    ['whatever', 'x.nii', 'nifti'],
  ])('%j named %s is %s', async (content, name, format) => {
    expect(await detectFormat(head(content), name)).toEqual({ is: 'format', format });
  });
  test('archives and strangers', async () => {
    expect(await detectFormat(head('PK\x03\x04'), 'x')).toEqual({ is: 'zip' });
    expect(await detectFormat(head('PK\x03\x04'), 'x.npz')).toEqual({ is: 'format', format: 'npz' });
    expect(await detectFormat(Uint8Array.from(gzipSync('tar')), 'x.tar.gz')).toMatchObject({ is: 'unread' });
    expect(await detectFormat(head('Dear colleague'), 'letter.txt')).toEqual({ is: 'unknown' });
    expect(await detectFormat(new Uint8Array(0), 'empty')).toEqual({ is: 'unknown' });
  });
});
