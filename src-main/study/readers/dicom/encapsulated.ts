/** Compressed pixel data -> stored values of every frame. */
import type { FrameSet } from '../../pixels.ts';
import { malformed, throwIfCancelled } from '../../reader.ts';
import type { DecodedFrame } from './codestream.ts';
import { frameBytes } from './fragments.ts';
import { decodeJpeg } from './jpeg.ts';
import { decodeJpeg2000 } from './jpeg-2000.ts';
import { decodeNative } from './native.ts';
import type { Part10 } from './part10.ts';
import type { PixelDescription } from './pixel-description.ts';
import { decodeRleFrame } from './rle.ts';
import { allocateInteger, type IntegerArray, keepStoredBits } from './stored-array.ts';

export interface EncapsulatedPixels {
  frames: FrameSet;
  /** What the streams say of their colours, where they do. */
  colour?: 'rgb' | 'ybr';
}

export async function decodeEncapsulated(
  file: Part10,
  pixels: PixelDescription,
  signal?: AbortSignal,
): Promise<EncapsulatedPixels> {
  const { name } = file;
  const { rows, columns, frames, samples } = pixels;
  const streams = frameBytes(file, pixels);
  if (pixels.coding === 'native' && codingOf(streams[0]) === undefined) {
    return { frames: encapsulatedNative(file, pixels, streams) };
  }
  if (pixels.bitsAllocated === 1) throw malformed(name, 'single-bit pixels cannot be compressed');
  const frameLength = rows * columns * samples;
  let data: IntegerArray | undefined;
  let colour: 'rgb' | 'ybr' | undefined;
  for (let frame = 0; frame < frames; frame++) {
    throwIfCancelled(signal);
    const start = frame * frameLength;
    if (pixels.coding === 'rle' && codingOf(streams[frame]) === undefined) {
      data ??= allocateInteger(pixels.bitsAllocated, pixels.signed, frameLength * frames);
      decodeRleFrame(streams[frame], pixels, data, start, name);
      if (frame === frames - 1) keepStoredBits(data, pixels.bitsStored, pixels.lowBit, pixels.signed);
      continue;
    }
    const decoded = await decodeStream(streams[frame], pixels, name);
    // Allocated only now: a stream that proves to be damaged has cost nothing.
    data ??= allocateInteger(pixels.bitsAllocated, pixels.signed, frameLength * frames);
    colour ??= decoded.colour;
    store(decoded, pixels, data, start);
  }
  if (!data) throw malformed(name, 'its pixel data has no frames');
  return { frames: { rows, columns, frames, channels: samples, data }, colour };
}

/** The family that a stream's first bytes belong to. */
function codingOf(stream: Uint8Array): 'jpeg' | 'jpeg-2000' | undefined {
  const [a, b, c] = stream;
  if (a === 0xff && b === 0xd8 && c === 0xff) return 'jpeg';
  if (a === 0xff && b === 0x4f && c === 0xff) return 'jpeg-2000';
  // The signature box of a JP2 file.
  if (a === 0 && b === 0 && c === 0 && stream[3] === 12 && stream[4] === 0x6a) return 'jpeg-2000';
  return undefined;
}

function decodeStream(stream: Uint8Array, pixels: PixelDescription, name: string): Promise<DecodedFrame> {
  const found = codingOf(stream);
  const claimed = pixels.coding === 'jpeg-2000' || pixels.coding === 'ht-jpeg-2000' ? 'jpeg-2000' : 'jpeg';
  return (found ?? claimed) === 'jpeg-2000'
    ? decodeJpeg2000(stream, pixels, name)
    : decodeJpeg(stream, pixels, name);
}

/** Codec samples -> cells of the header's type, with the sign that the header gives them. */
function store(decoded: DecodedFrame, pixels: PixelDescription, data: IntegerArray, start: number): void {
  const { samples, precision } = decoded;
  data.set(samples, start);
  // The stream's precision counts, not Bits Stored: they differ in files whose signs are muddled (J2K unsigned, header
  // signed, or the other way round).
  if (decoded.signed === pixels.signed) return;
  const part = data.subarray(start, start + samples.length) as IntegerArray;
  keepStoredBits(part, Math.min(precision, data.BYTES_PER_ELEMENT * 8), 0, pixels.signed);
}

/** Uncompressed frames in fragments: put together, they are what the native syntaxes have. */
function encapsulatedNative(file: Part10, pixels: PixelDescription, streams: Uint8Array[]): FrameSet {
  const total = streams.reduce((sum, stream) => sum + stream.length, 0);
  const bytes = new Uint8Array(total);
  let position = 0;
  for (const stream of streams) {
    bytes.set(stream, position);
    position += stream.length;
  }
  const needed = Math.ceil(
    (pixels.rows * pixels.columns * pixels.samples * pixels.bitsAllocated * pixels.frames) / 8,
  );
  if (total < needed) throw malformed(file.name, `its fragments hold ${total} bytes where ${needed} are due`);
  return decodeNative(file, pixels, bytes);
}
