/** Ways to damage an image file: flipped, cut, and lying about its lengths, also beneath compression and checksums. */
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { crc32 } from '../readers/crc32.ts';
import type { Random } from './random.ts';

export interface Mutation {
  bytes: Uint8Array;
  /** What was done, for the report. */
  how: string;
}

type Mutate = (bytes: Uint8Array, random: Random) => Mutation;

/** Headers of all formats lie within this; most mutations aim there, where they hurt. */
const headerZone = 600;

const hugeValues = [
  0xffffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffff, 0x7fff, 0x8000, 0x10000, 0x1000000, 0, 1,
];

const flipBits: Mutate = (bytes, random) => {
  const zone = random.next() < 0.6 ? Math.min(headerZone, bytes.length) : bytes.length;
  const count = 1 + random.below(16);
  for (let i = 0; i < count; i++) bytes[random.below(zone)] ^= 1 << random.below(8);
  return { bytes, how: `${count} bits flipped in the first ${zone} bytes` };
};

const truncate: Mutate = (bytes, random) => {
  const length = random.next() < 0.3 ? random.below(headerZone) : random.below(bytes.length);
  return { bytes: bytes.slice(0, Math.min(length, bytes.length)), how: `cut to ${length} bytes` };
};

const hugeLength: Mutate = (bytes, random) => {
  const width = random.pick([2, 4, 8]);
  const zone = random.next() < 0.7 ? Math.min(headerZone, bytes.length) : bytes.length;
  const at = random.below(Math.max(1, zone - width));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = random.pick(hugeValues);
  const little = random.next() < 0.5;
  if (at + width > bytes.length) return { bytes, how: 'nothing' };
  if (width === 2) view.setUint16(at, value & 0xffff, little);
  else if (width === 4) view.setUint32(at, value, little);
  else view.setBigUint64(at, BigInt(value) << 16n, little);
  return { bytes, how: `${width}-byte value ${value} at ${at}` };
};

/** Digits of text headers (MetaImage, NRRD, npy) become longer or shorter numbers. */
const otherNumbers: Mutate = (bytes, random) => {
  const head = Buffer.from(bytes.subarray(0, headerZone)).toString('latin1');
  const found = [...head.matchAll(/\d+/g)];
  if (found.length === 0) return hugeLength(bytes, random);
  const number = random.pick(found);
  const replacement = random.pick(['99999999', '0', '-1', '4294967296', '1e30', 'nan', '65536', '']);
  const at = number.index;
  const rest = bytes.subarray(at + number[0].length);
  const changed = Buffer.concat([bytes.subarray(0, at), Buffer.from(replacement), rest]);
  return { bytes: Uint8Array.from(changed), how: `'${number[0]}' at ${at} replaced by '${replacement}'` };
};

const fillRange: Mutate = (bytes, random) => {
  const at = random.below(bytes.length);
  const length = 1 + random.below(Math.min(64, bytes.length));
  const value = random.pick([0, 0xff, 0x20, 0x80]);
  bytes.fill(value, at, at + length);
  return { bytes, how: `${length} bytes of ${value} at ${at}` };
};

const repeatRange: Mutate = (bytes, random) => {
  const at = random.below(bytes.length);
  const part = bytes.subarray(at, at + 1 + random.below(256));
  const changed = Buffer.concat([bytes.subarray(0, at), part, part, part, bytes.subarray(at)]);
  return { bytes: Uint8Array.from(changed), how: `${part.length} bytes at ${at} repeated` };
};

const plain: readonly Mutate[] = [flipBits, truncate, hugeLength, otherNumbers, fillRange, repeatRange];

/** Damages a copy of a file. Half of the gzipped, and of the PNG files are damaged beneath their checksums. */
export function mutate(original: Uint8Array, random: Random): Mutation {
  const mutation = random.pick(plain);
  if (random.next() < 0.5) {
    if (original[0] === 0x1f && original[1] === 0x8b) {
      const inner = mutation(Uint8Array.from(gunzipSync(original)), random);
      return { bytes: gzipSync(inner.bytes), how: `within gzip, ${inner.how}` };
    }
    if (original[0] === 0x89 && original[1] === 0x50) return mutatePng(original, mutation, random);
  }
  const copy = Uint8Array.from(original);
  return mutation(copy, random);
}

/** Damages one chunk of a PNG (its pixels before compression) and makes its checksum right again. */
function mutatePng(original: Uint8Array, mutation: Mutate, random: Random): Mutation {
  const chunks: { type: Buffer; body: Uint8Array }[] = [];
  const source = Buffer.from(original);
  for (let at = 8; at + 12 <= source.length; ) {
    const length = source.readUInt32BE(at);
    chunks.push({
      type: source.subarray(at + 4, at + 8),
      body: Uint8Array.from(source.subarray(at + 8, at + 8 + length)),
    });
    at += length + 12;
  }
  const chosen = random.pick(chunks.filter((chunk) => chunk.body.length > 0));
  const isPixels =
    chosen.type.toString('latin1') === 'IDAT' &&
    chunks.filter((c) => c.type.equals(chosen.type)).length === 1;
  const inner = mutation(isPixels ? Uint8Array.from(inflateSync(chosen.body)) : chosen.body, random);
  chosen.body = isPixels ? deflateSync(inner.bytes) : inner.bytes;
  const parts: Uint8Array[] = [source.subarray(0, 8)];
  for (const { type, body } of chunks) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    const content = Buffer.concat([type, body]);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(content));
    parts.push(length, content, sum);
  }
  return {
    bytes: Uint8Array.from(Buffer.concat(parts)),
    how: `within ${chosen.type.toString('latin1')}, ${inner.how}`,
  };
}
