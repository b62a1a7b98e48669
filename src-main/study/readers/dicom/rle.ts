/** RLE Lossless (PS3.5 annex G): one PackBits segment for each byte of each sample, most significant byte first. */
import { malformed, requireBytes } from '../../reader.ts';
import type { PixelDescription } from './pixel-description.ts';
import type { IntegerArray } from './stored-array.ts';

const headerBytes = 64;

/**
 * Decodes one frame into `out` from element `start` on, samples interleaved.
 *
 * @throws ReadroomError 'file-malformed' for a header that makes no sense, 'file-truncated' for a segment that ends
 * before its last pixel.
 */
export function decodeRleFrame(
  frame: Uint8Array,
  pixels: PixelDescription,
  out: IntegerArray,
  start: number,
  name: string,
): void {
  const { samples } = pixels;
  const count = pixels.rows * pixels.columns;
  const bytesPerSample = out.BYTES_PER_ELEMENT;
  requireBytes(frame.length, headerBytes, name, 'RLE header');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const segments = view.getUint32(0, true);
  if (segments !== samples * bytesPerSample) {
    throw malformed(name, `an RLE frame has ${segments} segments where ${samples * bytesPerSample} are due`);
  }
  const target = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  for (let segment = 0; segment < segments; segment++) {
    const from = view.getUint32(4 + segment * 4, true);
    const to = segment + 1 < segments ? view.getUint32(8 + segment * 4, true) : frame.length;
    if (from < headerBytes || from > to || to > frame.length) {
      throw malformed(name, `an RLE segment lies from byte ${from} to ${to} of a frame of ${frame.length}`);
    }
    const sample = Math.floor(segment / bytesPerSample);
    // Typed arrays are little endian on every platform that Readroom runs on.
    const byte = bytesPerSample - 1 - (segment % bytesPerSample);
    const first = (start + sample) * bytesPerSample + byte;
    unpack(frame, from, to, target, first, samples * bytesPerSample, count, name);
  }
}

/** PackBits: n < 128 copies n + 1 bytes, n > 128 repeats the next byte 257 - n times, 128 does nothing. */
function unpack(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  first: number,
  stride: number,
  count: number,
  name: string,
): void {
  let position = from;
  let done = 0;
  let at = first;
  while (done < count && position < to) {
    const control = source[position++];
    if (control === 128) continue;
    const run = Math.min(control < 128 ? control + 1 : 257 - control, count - done);
    if (control < 128) {
      const there = Math.min(run, to - position);
      for (let i = 0; i < there; i++, at += stride) target[at] = source[position + i];
      position += control + 1;
      done += there;
    } else {
      if (position >= to) break;
      const value = source[position++];
      for (let i = 0; i < run; i++, at += stride) target[at] = value;
      done += run;
    }
  }
  if (done < count) requireBytes(done, count, name, 'one RLE segment');
}
