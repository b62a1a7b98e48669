/** Raw bytes -> typed arrays, in either byte order, for every element type that volume formats store. */
import { extent, type StoredArray } from '../pixels.ts';

export type ElementType =
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64';

export const elementBytes: Readonly<Record<ElementType, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

/**
 * Interprets bytes that the caller owns: they are swapped in place and become the array's buffer, so that the result
 * can be transferred to another thread as it is. Start at offset 0 of their buffer; the length is a multiple of the
 * element's.
 *
 * 64-bit integers become Int32 where all of them fit, else Float64 (exact up to 2^53). float16 becomes Float32.
 */
export function decodeElements(owned: Uint8Array, type: ElementType, littleEndian: boolean): StoredArray {
  const size = elementBytes[type];
  const count = Math.floor(owned.byteLength / size);
  if (!littleEndian && size > 1) swapInPlace(owned, size);
  const { buffer, byteOffset } = owned;
  switch (type) {
    case 'int8':
      return new Int8Array(buffer, byteOffset, count);
    case 'uint8':
      return new Uint8Array(buffer, byteOffset, count);
    case 'int16':
      return new Int16Array(buffer, byteOffset, count);
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, count);
    case 'int32':
      return new Int32Array(buffer, byteOffset, count);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'float32':
      return new Float32Array(buffer, byteOffset, count);
    case 'float64':
      return new Float64Array(buffer, byteOffset, count);
    case 'float16':
      return widenHalf(new Uint16Array(buffer, byteOffset, count));
    case 'int64':
    case 'uint64':
      return narrowLong(new DataView(buffer, byteOffset, count * 8), count, type === 'int64');
  }
}

/** A copy of `count` bytes at `offset`, in a buffer of its own. */
export function ownBytes(bytes: Uint8Array, offset: number, count: number): Uint8Array {
  const out = new Uint8Array(count);
  out.set(bytes.subarray(offset, offset + count));
  return out;
}

function swapInPlace(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength - (bytes.byteLength % size));
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else buffer.swap64();
}

function narrowLong(view: DataView, count: number, signed: boolean): StoredArray {
  const wide = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const high = signed ? view.getInt32(i * 8 + 4, true) : view.getUint32(i * 8 + 4, true);
    wide[i] = high * 4294967296 + view.getUint32(i * 8, true);
  }
  const [low, high] = extent(wide);
  return low >= -2147483648 && high <= 2147483647 ? Int32Array.from(wide) : wide;
}

/** IEEE 754 binary16 -> binary32. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function widenHalf(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halfToFloat(halves[i]);
  return out;
}
