/**
 * Sequential DCT JPEG with more than 8 bits a sample (ITU-T T.81 annexes A and F; DICOM's JPEG extended, process 4).
 * No package on npm reads it.
 */
import { malformed, unsupported } from '../../reader.ts';
import { inverseTransform, sixteenths } from './inverse-dct.ts';
import { BitReader } from './jpeg-entropy.ts';
import type { JpegHeader } from './jpeg-header.ts';
import { eachScan, type JpegScan } from './jpeg-scans.ts';

const zigzag = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
]);

/** Samples of one frame, interleaved by pixel. */
export function decodeJpeg12Bit(bytes: Uint8Array, header: JpegHeader, name: string): Uint16Array {
  const { rows, columns, components } = header;
  if (components.length > 1 && components.some((one) => one.horizontal !== 1 || one.vertical !== 1)) {
    throw unsupported(
      name,
      'its 12-bit JPEG frames are subsampled',
      'Convert it with dcmdjpeg or gdcmconv --raw.',
    );
  }
  const out = new Uint16Array(rows * columns * components.length);
  eachScan(bytes, header, name, (scan) => decodeScan(bytes, header, scan, out, name));
  return out;
}

function decodeScan(
  bytes: Uint8Array,
  header: JpegHeader,
  scan: JpegScan,
  out: Uint16Array,
  name: string,
): number {
  const { rows, columns, precision } = header;
  const channels = header.components.length;
  const parts = scan.components.map((component) => {
    const dc = scan.huffman[component.dc];
    const ac = scan.huffman[4 + component.ac];
    const steps = scan.quantization[header.components[component.index].quantization];
    if (!dc || !ac || !steps) throw malformed(name, 'a JPEG scan lacks one of its tables');
    return { channel: component.index, dc, ac, steps, previous: 0 };
  });
  const reader = new BitReader(bytes, scan.start, name);
  const block = new Float64Array(64);
  let untilRestart = scan.restartInterval;
  for (let top = 0; top < rows; top += 8) {
    for (let left = 0; left < columns; left += 8) {
      if (scan.restartInterval > 0 && untilRestart === 0) {
        reader.restart();
        untilRestart = scan.restartInterval;
        for (const part of parts) part.previous = 0;
      }
      untilRestart--;
      for (const part of parts) {
        block.fill(0);
        part.previous += reader.signed(Math.min(16, reader.code(part.dc)));
        block[0] = part.previous * part.steps[0];
        for (let k = 1; k < 64; k++) {
          const symbol = reader.code(part.ac);
          const size = symbol & 15;
          const run = symbol >> 4;
          if (size === 0 && run < 15) break;
          k += run;
          if (k > 63) throw malformed(name, 'a JPEG block has more than 64 coefficients');
          if (size > 0) block[zigzag[k]] = reader.signed(size) * part.steps[k];
        }
        inverseTransform(block);
        const height = Math.min(8, rows - top);
        const width = Math.min(8, columns - left);
        store(
          block,
          out,
          (top * columns + left) * channels + part.channel,
          width,
          height,
          columns,
          channels,
          precision,
        );
      }
    }
  }
  return reader.position;
}

function store(
  block: Float64Array,
  out: Uint16Array,
  start: number,
  width: number,
  height: number,
  columns: number,
  channels: number,
  precision: number,
): void {
  const centre = 2 ** (precision - 1);
  const top = 2 ** precision - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = Math.floor(block[y * 8 + x] / sixteenths + 0.5) + centre;
      out[start + (y * columns + x) * channels] = Math.max(0, Math.min(value, top));
    }
  }
}
