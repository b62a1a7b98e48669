/** Uncompressed pixel data (PS3.5 section 8.1 and annex D) -> stored values. */
import type { FrameSet, StoredArray } from '../../pixels.ts';
import type { Part10 } from './part10.ts';
import { isSubsampled422, nativeFrameBytes, type PixelDescription } from './pixel-description.ts';
import { allocateStored, type IntegerArray, interleave, keepStoredBits } from './stored-array.ts';

/**
 * The caller has checked that the pixel data holds all frames.
 *
 * @param from The cells, where they do not lie in the file as one piece.
 */
export function decodeNative(file: Part10, pixels: PixelDescription, from?: Uint8Array): FrameSet {
  const { dataSet, pixel } = file;
  if (!pixel) throw new TypeError('no pixel data');
  const { rows, columns, frames, samples } = pixels;
  const needed = Math.ceil(nativeFrameBytes(pixels) * frames);
  const source = from ?? dataSet.bytes.subarray(pixel.offset, pixel.offset + pixel.length);
  const { littleEndian } = dataSet.encoding;
  // Cells of one byte (or bit) in a stream of big-endian words lie in swapped pairs.
  const swapped = !littleEndian && pixel.vr === 'OW' && pixels.bitsAllocated <= 8;
  const bytes = swapped ? swapPairs(source, needed) : source.subarray(0, needed);

  let data: StoredArray;
  if (pixels.bitsAllocated === 1) {
    data = unpackBits(bytes, rows * columns * frames * samples);
  } else {
    const cells = (needed * 8) / pixels.bitsAllocated;
    data = readCells(bytes, pixels, cells, littleEndian);
    if (pixels.kind === 'integer') {
      keepStoredBits(data as IntegerArray, pixels.bitsStored, pixels.lowBit, pixels.signed);
    }
  }
  if (samples === 3 && isSubsampled422(pixels.photometric)) data = expand422(data, pixels);
  else if (pixels.planar) data = interleaveFrames(data, pixels);
  return { rows, columns, frames, channels: samples, data };
}

function swapPairs(source: Uint8Array, needed: number): Uint8Array {
  const out = new Uint8Array(needed);
  for (let i = 0; i < needed; i++) out[i] = source[i ^ 1] ?? 0;
  return out;
}

/** Least significant bit first; frames are not padded to whole bytes (PS3.5 section 8.1.1). */
function unpackBits(bytes: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = (bytes[i >> 3] >> (i & 7)) & 1;
  return out;
}

/** A copy: the caller's bytes stay as they are, and the result can be handed to another thread. */
function readCells(
  bytes: Uint8Array,
  pixels: PixelDescription,
  count: number,
  littleEndian: boolean,
): StoredArray {
  const out = allocateStored(pixels, count);
  const size = out.BYTES_PER_ELEMENT;
  const target = new Uint8Array(out.buffer);
  target.set(bytes.subarray(0, count * size));
  if (!littleEndian && size > 1) {
    const buffer = Buffer.from(target.buffer, 0, count * size);
    if (size === 2) buffer.swap16();
    else if (size === 4) buffer.swap32();
    else buffer.swap64();
  }
  return out;
}

/** Y1 Y2 Cb Cr -> Y1 Cb Cr, Y2 Cb Cr: the chroma of a pair is that of its first pixel. */
function expand422(data: StoredArray, pixels: PixelDescription): StoredArray {
  const { rows, columns, frames } = pixels;
  const out = allocateStored(pixels, rows * columns * frames * 3);
  const pairs = Math.ceil(columns / 2);
  let to = 0;
  for (let row = 0; row < rows * frames; row++) {
    for (let column = 0; column < columns; column++) {
      const from = (row * pairs + (column >> 1)) * 4;
      out[to++] = data[from + (column & 1)];
      out[to++] = data[from + 2];
      out[to++] = data[from + 3];
    }
  }
  return out;
}

function interleaveFrames(data: StoredArray, pixels: PixelDescription): StoredArray {
  const count = pixels.rows * pixels.columns;
  const out = allocateStored(pixels, data.length);
  for (let frame = 0; frame < pixels.frames; frame++) {
    const start = frame * count * 3;
    interleave(data.subarray(start, start + count * 3), out, start, count);
  }
  return out;
}
