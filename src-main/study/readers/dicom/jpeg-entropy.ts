/** Huffman-coded data of JPEG (ITU-T T.81 annex F.2.2), for the two processes that no bundled codec reads. */
import { malformed } from '../../reader.ts';
import type { JpegSegment } from './jpeg-header.ts';

/** One entry for every 16 bits that can come next: code length << 8 | value; 0 where there is no such code. */
export type HuffmanTable = Uint16Array;

/** Adds the tables of one DHT segment to `tables`, indexed by class * 4 + destination (T.81 section B.2.4.2). */
export function readHuffmanTables(
  bytes: Uint8Array,
  segment: JpegSegment,
  tables: (HuffmanTable | undefined)[],
  name: string,
): void {
  let position = segment.body;
  while (position + 17 <= segment.end) {
    const kind = bytes[position] >> 4;
    const destination = bytes[position] & 15;
    const counts = bytes.subarray(position + 1, position + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const values = bytes.subarray(position + 17, position + 17 + total);
    position += 17 + total;
    if (kind > 1 || destination > 3 || position > segment.end)
      throw malformed(name, 'a JPEG Huffman table is damaged');
    tables[kind * 4 + destination] = buildTable(counts, values, name);
  }
}

function buildTable(counts: Uint8Array, values: Uint8Array, name: string): HuffmanTable {
  const table = new Uint16Array(65536);
  let next = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const span = 1 << (16 - length);
    for (let i = 0; i < counts[length - 1]; i++) {
      if (next + span > 65536) throw malformed(name, 'a JPEG Huffman table has more codes than fit');
      table.fill((length << 8) | values[index++], next, next + span);
      next += span;
    }
  }
  return table;
}

/** Bits of one entropy-coded segment; ends at the next marker. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #name: string;
  #position: number;
  #buffer = 0;
  #bits = 0;
  /** Zero bits that stand in after the end, at the low end of the buffer. */
  #padding = 0;

  constructor(bytes: Uint8Array, position: number, name: string) {
    this.#bytes = bytes;
    this.#position = position;
    this.#name = name;
  }

  #fill(): void {
    const bytes = this.#bytes;
    while (this.#bits <= 16) {
      let byte = 0;
      const at = this.#position;
      if (at >= bytes.length || (bytes[at] === 0xff && bytes[at + 1] !== 0)) {
        this.#padding += 8;
      } else {
        byte = bytes[at];
        this.#position = byte === 0xff ? at + 2 : at + 1;
      }
      this.#buffer = ((this.#buffer << 8) | byte) & 0xffffff;
      this.#bits += 8;
    }
  }

  #drop(count: number): void {
    this.#bits -= count;
    this.#buffer &= (1 << this.#bits) - 1;
    if (this.#bits < this.#padding) throw malformed(this.#name, 'its JPEG data ends before the last pixel');
  }

  /** The value of the next Huffman code. */
  code(table: HuffmanTable): number {
    if (this.#bits < 16) this.#fill();
    const entry = table[(this.#buffer >> (this.#bits - 16)) & 0xffff];
    if (entry === 0) throw malformed(this.#name, 'its JPEG data holds a code that is in no table');
    this.#drop(entry >> 8);
    return entry & 255;
  }

  /** RECEIVE and EXTEND (T.81 sections F.2.2.1 and F.2.2.4): a signed number of `size` bits, 0..16. */
  signed(size: number): number {
    if (size === 0) return 0;
    if (this.#bits < size) this.#fill();
    const value = (this.#buffer >> (this.#bits - size)) & ((1 << size) - 1);
    this.#drop(size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  /** Leaves the rest of this segment and goes on after the restart marker that must follow. */
  restart(): void {
    const bytes = this.#bytes;
    let at = this.#position;
    while (at + 1 < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] >= 0xd0 && bytes[at + 1] <= 0xd7)) {
      if (bytes[at] === 0xff && bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff) break;
      at++;
    }
    if (!(bytes[at] === 0xff && bytes[at + 1] >= 0xd0 && bytes[at + 1] <= 0xd7)) {
      throw malformed(this.#name, 'its JPEG data lacks a restart marker');
    }
    this.#position = at + 2;
    this.#buffer = 0;
    this.#bits = 0;
    this.#padding = 0;
  }

  /** Where the next marker is to be looked for once a scan is done. */
  get position(): number {
    return this.#position;
  }
}
