/** Walks the scans of a JPEG stream (ITU-T T.81 section B.2.3), for the lossless and the 12-bit decoder. */
import { malformed, unsupported } from '../../reader.ts';
import { type HuffmanTable, readHuffmanTables } from './jpeg-entropy.ts';
import { type JpegHeader, readSegment } from './jpeg-header.ts';

export interface JpegScan {
  /** Index into the frame's components, with the tables each uses. */
  components: { index: number; dc: number; ac: number }[];
  /** Ss: predictor of the lossless process. */
  selection: number;
  /** Al: point transform of the lossless process. */
  pointTransform: number;
  /** Units between restart markers; 0 for none. */
  restartInterval: number;
  huffman: (HuffmanTable | undefined)[];
  /** Sixteen-bit steps, in zigzag order. */
  quantization: (Uint16Array | undefined)[];
  /** Where the entropy-coded data begins. */
  start: number;
}

/** More scans than components would be decoding the same pixels twice. */
const maxScans = 4;

/** Calls `decode` for every scan; it returns the position after the scan's data. */
export function eachScan(
  bytes: Uint8Array,
  header: JpegHeader,
  name: string,
  decode: (scan: JpegScan) => number,
): void {
  const huffman: (HuffmanTable | undefined)[] = [];
  const quantization: (Uint16Array | undefined)[] = [];
  const seen = new Set<number>();
  let restartInterval = 0;
  let scans = 0;
  let position = 2;
  while (seen.size < header.components.length) {
    const segment = readSegment(bytes, position);
    if (!segment || segment.marker === 0xd9)
      throw malformed(name, 'a JPEG frame ends before all its components');
    position = segment.end;
    if (segment.marker === 0xc4) readHuffmanTables(bytes, segment, huffman, name);
    else if (segment.marker === 0xdb) readQuantization(bytes, segment.body, segment.end, quantization);
    else if (segment.marker === 0xdd && segment.end - segment.body >= 2) {
      restartInterval = bytes[segment.body] * 256 + bytes[segment.body + 1];
    } else if (segment.marker === 0xcc) {
      throw unsupported(
        name,
        'its JPEG frames use arithmetic coding',
        'Convert it with dcmdjpeg or gdcmconv --raw.',
      );
    } else if (segment.marker === 0xda) {
      if (++scans > maxScans) throw malformed(name, 'a JPEG frame has too many scans');
      const count = bytes[segment.body];
      if (segment.end - segment.body < 4 + 2 * count || count < 1)
        throw malformed(name, 'a JPEG scan header is damaged');
      const components = Array.from({ length: count }, (_, i) => {
        const at = segment.body + 1 + i * 2;
        const index = header.components.findIndex((component) => component.id === bytes[at]);
        if (index < 0) throw malformed(name, 'a JPEG scan names a component that the frame does not have');
        seen.add(index);
        return { index, dc: bytes[at + 1] >> 4, ac: bytes[at + 1] & 15 };
      });
      const tail = segment.body + 1 + count * 2;
      position = decode({
        components,
        selection: bytes[tail],
        pointTransform: bytes[tail + 2] & 15,
        restartInterval,
        huffman,
        quantization,
        start: segment.end,
      });
    }
  }
}

function readQuantization(
  bytes: Uint8Array,
  body: number,
  end: number,
  tables: (Uint16Array | undefined)[],
): void {
  let position = body;
  while (position < end) {
    const wide = bytes[position] >> 4 !== 0;
    const destination = bytes[position] & 15;
    position++;
    const size = wide ? 128 : 64;
    if (position + size > end) return;
    tables[destination] = Uint16Array.from({ length: 64 }, (_, i) =>
      wide ? bytes[position + i * 2] * 256 + bytes[position + i * 2 + 1] : bytes[position + i],
    );
    position += size;
  }
}
