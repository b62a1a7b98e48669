/**
 * JPEG lossless, Huffman-coded (ITU-T T.81 annex H): 2 to 16 bits, any predictor, restart intervals, one component a
 * scan or interleaved. Our own, because jpeg-lossless-decoder-js returns a half-empty image for a damaged stream and
 * predicts wrongly after restart markers.
 */
import { malformed, unsupported } from '../../reader.ts';
import { BitReader, type HuffmanTable } from './jpeg-entropy.ts';
import type { JpegHeader } from './jpeg-header.ts';
import { eachScan, type JpegScan } from './jpeg-scans.ts';

/** Samples of one frame, interleaved by pixel; two's complement where the caller knows them to be signed. */
export function decodeJpegLossless(bytes: Uint8Array, header: JpegHeader, name: string): Uint16Array {
  const { rows, columns, components } = header;
  if (components.some((one) => one.horizontal !== 1 || one.vertical !== 1) && components.length > 1) {
    throw unsupported(
      name,
      'its lossless JPEG frames are subsampled',
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
  const { selection, pointTransform, restartInterval } = scan;
  if (selection < 1 || selection > 7)
    throw malformed(name, `a lossless JPEG scan has predictor ${selection}`);
  if (pointTransform >= precision) throw malformed(name, 'a lossless JPEG scan shifts all its bits away');
  const initial = 1 << (precision - pointTransform - 1);
  const parts = scan.components.map((component) => {
    const table = scan.huffman[component.dc];
    if (!table) throw malformed(name, 'a lossless JPEG scan lacks its Huffman table');
    return { channel: component.index, table };
  });
  const reader = new BitReader(bytes, scan.start, name);
  let untilRestart = restartInterval;
  // After a restart the first line's rule holds for the rest of that line (T.81 section H.1.1).
  let firstLine = true;
  let lineStart = 0;
  for (let row = 0; row < rows; row++) {
    if (row > 0) firstLine = false;
    for (let column = 0; column < columns; column++) {
      if (restartInterval > 0 && untilRestart === 0) {
        reader.restart();
        untilRestart = restartInterval;
        firstLine = true;
        lineStart = row * columns + column;
      }
      untilRestart--;
      const fresh = row * columns + column === lineStart;
      for (const { channel, table } of parts) {
        const at = (row * columns + column) * channels + channel;
        const predicted = fresh
          ? initial
          : firstLine
            ? out[at - channels]
            : column === 0
              ? out[at - columns * channels]
              : predict(selection, out, at, channels, columns * channels);
        out[at] = predicted + difference(reader, table);
      }
    }
  }
  if (pointTransform > 0) {
    for (const { channel } of parts) {
      for (let at = channel; at < out.length; at += channels) out[at] <<= pointTransform;
    }
  }
  return reader.position;
}

/** A difference modulo 2^16 (T.81 section H.1.2.2); category 16 stands for 32768 and has no further bits. */
function difference(reader: BitReader, table: HuffmanTable): number {
  const size = reader.code(table);
  return size >= 16 ? 32768 : reader.signed(size);
}

/** T.81 table H.1: a is left, b above, c above left. */
function predict(selection: number, out: Uint16Array, at: number, channels: number, line: number): number {
  const a = out[at - channels];
  const b = out[at - line];
  const c = out[at - line - channels];
  switch (selection) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + ((b - c) >> 1);
    case 6:
      return b + ((a - c) >> 1);
    default:
      return (a + b) >> 1;
  }
}
