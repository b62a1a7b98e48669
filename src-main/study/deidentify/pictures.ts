/** Pictures without their metadata: what a decoder does not need for the pixels is left out. */
import { malformed } from '../reader.ts';
import { crc32 } from '../readers/crc32.ts';

/** Chunks that decide on pixels and how they are shown (PNG, W3C, section 11). */
const pngChunks = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'sBIT', 'pHYs']);

export function deidentifyPng(bytes: Uint8Array, name: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [bytes.subarray(0, 8)];
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) break;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (pngChunks.has(type)) {
      if (crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4)) break;
      parts.push(bytes.subarray(at, end));
    }
    if (type === 'IEND') return new Uint8Array(Buffer.concat(parts));
    at = end;
  }
  throw malformed(name, 'its chunks are damaged or cut short');
}

/** JFIF and Adobe's colour transform decide on colours; other application segments and comments go (T.81 annex B). */
const keptSegment = (marker: number, payload: Uint8Array): boolean => {
  if (marker === 0xfe) return false;
  if (marker < 0xe0 || marker > 0xef) return true;
  const starts = (text: string): boolean =>
    Buffer.from(payload.subarray(0, text.length)).toString('latin1') === text;
  return (marker === 0xe0 && starts('JFIF\0')) || (marker === 0xee && starts('Adobe'));
};

export function deidentifyJpeg(bytes: Uint8Array, name: string): Uint8Array {
  const parts = [bytes.subarray(0, 2)];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) break;
    // The first scan: from here on everything is coded pixels and tables, up to the end marker.
    if (marker === 0xda) {
      const last = endOfImage(bytes, end);
      return new Uint8Array(Buffer.concat([...parts, bytes.subarray(at, last)]));
    }
    if (keptSegment(marker, bytes.subarray(at + 4, end))) parts.push(bytes.subarray(at, end));
    at = end;
  }
  throw malformed(name, 'its segments are damaged or cut short');
}

/** After the end marker some cameras put a second picture, or text. */
function endOfImage(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 1 < bytes.length; at++) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return at + 2;
  }
  return bytes.length;
}
