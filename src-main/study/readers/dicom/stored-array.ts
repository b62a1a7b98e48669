/** Cells of pixels -> typed arrays of stored values, and the clean-up of bits that carry no value. */
import type { StoredArray } from '../../pixels.ts';
import type { PixelDescription } from './pixel-description.ts';

export type IntegerArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

/** An array for all frames, of the type that the header's cells have. */
export function allocateStored(pixels: PixelDescription, length: number): StoredArray {
  if (pixels.kind === 'float') return new Float32Array(length);
  if (pixels.kind === 'double') return new Float64Array(length);
  return allocateInteger(pixels.bitsAllocated, pixels.signed, length);
}

export function allocateInteger(bits: number, signed: boolean, length: number): IntegerArray {
  // A single bit has no sign, whatever the header says.
  if (bits === 1) return new Uint8Array(length);
  if (bits <= 8) return signed ? new Int8Array(length) : new Uint8Array(length);
  if (bits <= 16) return signed ? new Int16Array(length) : new Uint16Array(length);
  return signed ? new Int32Array(length) : new Uint32Array(length);
}

/**
 * Keeps `bitsStored` bits from `lowBit` up and extends their sign: the other bits of a cell may hold anything
 * (PS3.5 section 8.1.1; older files keep overlays there). In place.
 */
export function keepStoredBits(
  data: IntegerArray,
  bitsStored: number,
  lowBit: number,
  signed: boolean,
): void {
  const cell = data.BYTES_PER_ELEMENT * 8;
  if (bitsStored >= cell && lowBit === 0) return;
  const left = 32 - bitsStored - lowBit;
  const right = 32 - bitsStored;
  if (signed) for (let i = 0; i < data.length; i++) data[i] = (data[i] << left) >> right;
  else for (let i = 0; i < data.length; i++) data[i] = (data[i] << left) >>> right;
}

/** RRR…GGG…BBB… -> RGBRGB… for one frame. */
export function interleave(planes: StoredArray, out: StoredArray, outStart: number, count: number): void {
  for (let channel = 0; channel < 3; channel++) {
    const plane = channel * count;
    for (let i = 0; i < count; i++) out[outStart + i * 3 + channel] = planes[plane + i];
  }
}
