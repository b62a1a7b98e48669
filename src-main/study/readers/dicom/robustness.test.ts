import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ReadroomError } from '../../../../src-contract/errors.ts';
import { Random } from '../../fuzz/random.ts';
import { defaultLimits } from '../../reader.ts';
import { assembleSeries } from '../../series-assembly.ts';
import { type DicomElements, writeDicom } from '../../testing/dicom-writer.ts';
import { decodeDicom, parseDicom } from '../dicom.ts';

const folder = fileURLToPath(new URL('../../../../fixtures/dicom/files/', import.meta.url));
const corpus = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath, entry.name))
  .sort();

/** Header, stored pixels and values: everything that opening does. Gives 'ok', 'no image', or the error's code. */
async function readAll(bytes: Uint8Array): Promise<string> {
  try {
    const instance = parseDicom(
      bytes,
      { path: 'file', bytes: bytes.length, sha256: '0'.repeat(64) },
      defaultLimits,
    );
    if (!instance) return 'no image';
    await decodeDicom(bytes, 'file', defaultLimits);
    for (const series of assembleSeries([instance])) {
      await series.read(async () => bytes, { limits: defaultLimits });
    }
    return 'ok';
  } catch (thrown) {
    if (!(thrown instanceof ReadroomError)) throw thrown;
    expect(thrown.message).toContain('file');
    expect(thrown.remedy).toBeTruthy();
    return thrown.code;
  }
}

const foreseen = [
  'ok',
  'no image',
  'file-malformed',
  'file-truncated',
  'file-too-large',
  'format-unsupported',
];

/** Elements of group 0028 that set sizes and types. */
const sizeElements = [0x02, 0x08, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103];

function mutate(original: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(original);
  const view = new DataView(bytes.buffer);
  switch (random.below(5)) {
    case 0:
      for (let i = 0; i <= random.below(20); i++) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
      return bytes;
    case 1:
      return bytes.slice(0, random.below(bytes.length));
    case 2:
      for (let i = 0; i < 3; i++) {
        view.setUint32(
          random.below(bytes.length - 4),
          random.pick([0xffffffff, 0x7fffffff, 0xffffff, 0]),
          true,
        );
      }
      return bytes;
    case 3: {
      const tail = Math.max(0, bytes.length - 4000);
      for (let i = 0; i < 5; i++) bytes[tail + random.below(bytes.length - tail)] = random.below(256);
      return bytes;
    }
    default:
      for (let n = 0; n < 3; n++) {
        const element = random.pick(sizeElements);
        for (let at = 0; at + 10 < bytes.length; at++) {
          if (view.getUint32(at, true) !== element * 65536 + 0x28) continue;
          view.setUint16(at + 8, random.pick([0, 1, 8, 16, 32, 255, 65535, random.below(65536)]), true);
          break;
        }
      }
      return bytes;
  }
}

test('300 damaged files end in pixels or a typed error, none of them slow', async () => {
  const random = new Random(20261121);
  const seen = new Set<string>();
  for (let n = 0; n < 300; n++) {
    const file = random.pick(corpus);
    const bytes = mutate(readFileSync(file), random);
    const before = process.cpuUsage();
    const outcome = await readAll(bytes);
    expect(foreseen, `mutation ${n} of ${file}`).toContain(outcome);
    // Processor time: tests run beside others.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000, `mutation ${n} of ${file}`).toBeLessThan(2500);
    seen.add(outcome);
  }
  expect([...seen]).toEqual(expect.arrayContaining(['ok', 'no image', 'file-malformed', 'file-truncated']));
  expect(process.memoryUsage().rss).toBeLessThan(1024 ** 3);
}, 240_000);

const image: DicomElements = {
  '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.7'],
  '00280002': ['US', 1],
  '00280004': ['CS', 'MONOCHROME2'],
  '00280010': ['US', 4],
  '00280011': ['US', 4],
  '00280100': ['US', 8],
  '00280101': ['US', 8],
  '00280102': ['US', 7],
  '00280103': ['US', 0],
};
const withPixels: DicomElements = { ...image, '7FE00010': ['OB', new Uint8Array(16)] };

describe('hostile headers', () => {
  test('the plain image is read', async () => {
    expect(await readAll(writeDicom(withPixels))).toBe('ok');
  });

  test('sizes that the bytes cannot hold are refused before anything is allocated', async () => {
    const huge: DicomElements = { ...withPixels, '00280010': ['US', 65535], '00280011': ['US', 65535] };
    expect(await readAll(writeDicom(huge))).toBe('file-too-large');
    expect(await readAll(writeDicom({ ...withPixels, '00280008': ['IS', '20000000'] }))).toBe(
      'file-truncated',
    );
    expect(await readAll(writeDicom({ ...withPixels, '00280008': ['IS', '1e300'] }))).not.toBe('ok');
    expect(await readAll(writeDicom({ ...withPixels, '00280008': ['IS', '-3'] }))).toBe('file-malformed');
    const blank = { transferSyntax: '1.2.840.10008.1.2.5', fragments: [new Uint8Array(64)] };
    const wide: DicomElements = { ...image, '00280010': ['US', 30000], '00280011': ['US', 30000] };
    expect(await readAll(writeDicom(wide, blank))).toBe('file-malformed');
  });

  test('sequences nested 50,000 deep', async () => {
    // Undefined lengths throughout: a sequence of private tag 0009,1001, its item, and again.
    const level = Buffer.from('0900011053510000ffffffff' + 'feff00e0ffffffff', 'hex');
    const plain = Buffer.from(writeDicom(withPixels));
    const meta = writeDicom({}).length;
    const deep = Buffer.concat([
      plain.subarray(0, meta),
      ...new Array(50_000).fill(level),
      plain.subarray(meta),
    ]);
    expect(await readAll(new Uint8Array(deep))).toBe('file-malformed');
  });

  test('a deflate bomb', async () => {
    const header = writeDicom({}, { transferSyntax: '1.2.840.10008.1.2.1.99' });
    const meta = header.subarray(0, header.length - deflateRawSync(new Uint8Array(0)).length);
    const bomb = deflateRawSync(new Uint8Array(300 * 1024 ** 2));
    expect(await readAll(new Uint8Array(Buffer.concat([meta, bomb])))).toBe('file-too-large');
  });

  test("compressed frames whose own size is not the header's", async () => {
    const j2k = readFileSync(path.join(folder, 'made/j2k-unsigned-12.dcm'));
    const at = j2k.indexOf(Buffer.from('ff4fff51', 'hex'));
    const bytes = Uint8Array.from(j2k);
    new DataView(bytes.buffer).setUint32(at + 8, 60000);
    new DataView(bytes.buffer).setUint32(at + 12, 60000);
    expect(await readAll(bytes)).toBe('file-malformed');
  });

  test('a codec that failed does not spoil the next frame', async () => {
    for (const name of [
      'JPEG2000.dcm',
      'MR_small_jpeg_ls_lossless.dcm',
      'SC_rgb_jpeg_dcmtk.dcm',
      'made/htj2k-rgb.dcm',
    ]) {
      const good = readFileSync(path.join(folder, name));
      const bad = Uint8Array.from(good);
      // Everything in the middle of the stream is noise.
      const random = new Random(3);
      for (let i = bad.length >> 1; i < bad.length - 40; i++) bad[i] = random.below(256);
      const outcome = await readAll(bad);
      expect(foreseen).toContain(outcome);
      expect(await readAll(Uint8Array.from(good)), name).toBe('ok');
    }
  });

  test('fragments fewer than frames, and a bad palette', async () => {
    const rle = { transferSyntax: '1.2.840.10008.1.2.5', fragments: [new Uint8Array(80)] };
    expect(await readAll(writeDicom({ ...image, '00280008': ['IS', 2] }, rle))).toBe('file-truncated');
    const palette: DicomElements = { ...withPixels, '00280004': ['CS', 'PALETTE COLOR'] };
    expect(await readAll(writeDicom(palette))).toBe('file-malformed');
  });
});
