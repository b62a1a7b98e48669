/** A JPEG 2000 or high-throughput JPEG 2000 frame (ITU-T T.800, T.814) -> samples. */
import { malformed, unsupported } from '../../reader.ts';
import { checkShape, type DecodedFrame } from './codestream.ts';
import type { PixelDescription } from './pixel-description.ts';
import { runCodec } from './wasm-codecs.ts';

interface Siz {
  rows: number;
  columns: number;
  components: number;
  precision: number;
  signed: boolean;
  /** Positions of the Ssiz bytes. */
  depthAt: number[];
  highThroughput: boolean;
}

/** Tiles that a frame may have: each costs the codec time and memory, however empty it is. */
const maxTiles = 4096;

export async function decodeJpeg2000(
  frame: Uint8Array,
  pixels: PixelDescription,
  name: string,
): Promise<DecodedFrame> {
  const bytes = codestream(frame, name);
  const siz = readSiz(bytes, name);
  // A blank image takes a few bytes a code block of 64 x 64; packets of many blocks can be one empty byte.
  checkShape(siz, pixels, bytes.length, 65536, name);
  const { precision, components } = siz;
  if (precision > 16 || (components > 1 && precision > 8 && !siz.highThroughput)) {
    throw unsupported(
      name,
      `its JPEG 2000 frames have ${components} samples of ${precision} bits`,
      'Convert it to explicit little endian with gdcmconv --raw.',
    );
  }
  // The codecs clamp signed samples of 8 bits at zero. Without the sign bit in the header they give the sample plus
  // half its range instead, which is taken off again below.
  const shifted = siz.signed && precision <= 8;
  const decoded = await run(
    siz.highThroughput ? 'ht-jpeg-2000' : 'jpeg-2000',
    shifted ? unsign(bytes, siz) : bytes,
    siz.rows * siz.columns * components,
    name,
  );
  const count = siz.rows * siz.columns * components;
  const cell = precision <= 8 ? 1 : 2;
  if (decoded.length !== count * cell) {
    throw malformed(name, `a JPEG 2000 frame gave ${decoded.length} bytes where ${count * cell} are due`);
  }
  if (shifted) {
    const half = 2 ** (precision - 1);
    return { samples: Int16Array.from(decoded, (value) => value - half), precision, signed: true };
  }
  if (cell === 1) return { samples: clamp(decoded, 0, 2 ** precision - 1), precision, signed: false };
  if (siz.signed) {
    const half = 2 ** (precision - 1);
    return { samples: clamp(new Int16Array(decoded.buffer), -half, half - 1), precision, signed: true };
  }
  return { samples: clamp(new Uint16Array(decoded.buffer), 0, 2 ** precision - 1), precision, signed: false };
}

/** Drops the boxes of a JP2 file, which some writers leave around the codestream (PS3.5 section A.4.4 forbids them). */
function codestream(frame: Uint8Array, name: string): Uint8Array {
  const limit = Math.min(frame.length - 4, 65536);
  for (let at = 0; at <= limit; at++) {
    if (frame[at] === 0xff && frame[at + 1] === 0x4f && frame[at + 2] === 0xff && frame[at + 3] === 0x51) {
      return frame.subarray(at);
    }
  }
  throw malformed(name, 'a compressed frame is no JPEG 2000 codestream');
}

/** SIZ, which is always the first segment (T.800 section A.5.1). */
function readSiz(bytes: Uint8Array, name: string): Siz {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 45) throw malformed(name, 'a JPEG 2000 frame is cut short in its header');
  const components = view.getUint16(40);
  const end = 4 + view.getUint16(4);
  if (components < 1 || end < 42 + components * 3 || end > bytes.length) {
    throw malformed(name, 'a JPEG 2000 frame has a damaged header');
  }
  const [right, bottom, left, top] = [
    view.getUint32(8),
    view.getUint32(12),
    view.getUint32(16),
    view.getUint32(20),
  ];
  const [tileWidth, tileHeight] = [view.getUint32(24), view.getUint32(28)];
  const depthAt = Array.from({ length: components }, (_, i) => 42 + i * 3);
  const depth = bytes[42];
  const uniform = depthAt.every((at) => bytes[at] === depth && bytes[at + 1] === 1 && bytes[at + 2] === 1);
  if (!uniform || left !== 0 || top !== 0) {
    throw unsupported(
      name,
      'its JPEG 2000 frames are subsampled or offset',
      'Convert it to explicit little endian with gdcmconv --raw.',
    );
  }
  const tiles = Math.ceil(right / tileWidth) * Math.ceil(bottom / tileHeight);
  if (!(tiles <= maxTiles)) throw malformed(name, `a JPEG 2000 frame is cut into ${tiles} tiles`);
  return {
    rows: bottom,
    columns: right,
    components,
    precision: (depth & 0x7f) + 1,
    signed: depth >= 0x80,
    depthAt,
    // CAP follows SIZ in the high-throughput kind (T.814 section A.2).
    highThroughput: bytes[end] === 0xff && bytes[end + 1] === 0x50,
  };
}

function unsign(bytes: Uint8Array, siz: Siz): Uint8Array {
  const out = bytes.slice();
  for (const at of siz.depthAt) out[at] &= 0x7f;
  return out;
}

function clamp<T extends Uint8Array | Uint16Array | Int16Array>(samples: T, low: number, high: number): T {
  for (let i = 0; i < samples.length; i++) {
    if (samples[i] < low) samples[i] = low;
    else if (samples[i] > high) samples[i] = high;
  }
  return samples;
}

async function run(
  codec: 'jpeg-2000' | 'ht-jpeg-2000',
  bytes: Uint8Array,
  samples: number,
  name: string,
): Promise<Uint8Array> {
  try {
    return (await runCodec(codec, bytes, samples)).bytes;
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : undefined;
    throw malformed(name, 'a JPEG 2000 frame is damaged', detail);
  }
}
