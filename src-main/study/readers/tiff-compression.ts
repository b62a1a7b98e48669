/** The compressions of TIFF strips and tiles that scientific images use: none, PackBits, LZW, Deflate. */
import { constants, inflateSync } from 'node:zlib';
import { malformed, unsupported } from '../reader.ts';

/** The largest growth that each compression allows, for checks before allocating. */
export function largestRatio(compression: number): number {
  if (compression === 1) return 1;
  // PackBits: 128 bytes from 2. LZW: strings of up to 4096 bytes from 12 bits. Deflate: RFC 1951.
  return compression === 32773 ? 64 : compression === 5 ? 2731 : 1032;
}

/** Writes up to `out.length` bytes; what is missing stays 0. Returns how many were written. */
export function decompress(packed: Uint8Array, compression: number, out: Uint8Array, name: string): number {
  switch (compression) {
    case 1:
      out.set(packed.subarray(0, out.length));
      return Math.min(packed.length, out.length);
    case 5:
      return unpackLzw(packed, out, name);
    case 8:
    case 32946:
      return inflate(packed, out, name);
    case 32773:
      return unpackBits(packed, out);
    default:
      throw unsupported(
        name,
        `its compression (${compression}) is not read`,
        'Save it with LZW, Deflate or no compression, or as PNG.',
      );
  }
}

function inflate(packed: Uint8Array, out: Uint8Array, name: string): number {
  try {
    // A sync flush at the end takes what a cut stream gives; the caller notices that it is not enough.
    const raw = inflateSync(packed, {
      maxOutputLength: out.length + 65536,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    out.set(raw.subarray(0, out.length));
    return Math.min(raw.length, out.length);
  } catch (thrown) {
    throw malformed(
      name,
      'its compressed data is damaged',
      thrown instanceof Error ? thrown.message : undefined,
    );
  }
}

function unpackBits(packed: Uint8Array, out: Uint8Array): number {
  let to = 0;
  for (let from = 0; from < packed.length && to < out.length; ) {
    const control = packed[from++];
    if (control < 128) {
      const count = Math.min(control + 1, packed.length - from, out.length - to);
      out.set(packed.subarray(from, from + count), to);
      from += control + 1;
      to += count;
    } else if (control > 128) {
      const count = Math.min(257 - control, out.length - to);
      out.fill(packed[from++] ?? 0, to, to + count);
      to += count;
    }
  }
  return to;
}

const clearCode = 256;
const endCode = 257;

/**
 * TIFF's LZW (section 13): codes from the high bit down, the width grows one code early. The table holds, for each
 * code, where its string stands in the output already written.
 */
function unpackLzw(packed: Uint8Array, out: Uint8Array, name: string): number {
  const at = new Uint32Array(4097);
  const lengths = new Uint32Array(4097);
  let next = 258;
  let width = 9;
  let bits = 0;
  let held = 0;
  let to = 0;
  let previousAt = -1;
  let previousLength = 0;
  for (let from = 0; to < out.length; ) {
    while (held < width && from < packed.length) {
      bits = ((bits << 8) | packed[from++]) & 0xffffff;
      held += 8;
    }
    if (held < width) break;
    const code = (bits >> (held - width)) & ((1 << width) - 1);
    held -= width;
    if (code === endCode) break;
    if (code === clearCode) {
      next = 258;
      width = 9;
      previousAt = -1;
      continue;
    }
    const start = to;
    if (code < 256) {
      out[to++] = code;
    } else {
      if (previousAt < 0 || code > next) throw malformed(name, 'its LZW data is damaged');
      // A code that is being defined: the previous string and its own first byte, which follows it in the output.
      const source = code < next ? at[code] : previousAt;
      const length = code < next ? lengths[code] : previousLength + 1;
      for (let i = 0; i < length && to < out.length; i++) out[to++] = out[source + i];
    }
    if (previousAt >= 0 && next < 4096) {
      at[next] = previousAt;
      lengths[next] = previousLength + 1;
      next++;
    }
    if (next >= (1 << width) - 1 && width < 12) width++;
    previousAt = start;
    previousLength = to - start;
  }
  return to;
}
