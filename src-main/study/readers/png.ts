/**
 * PNG decoder (W3C PNG, 3rd edition): every colour type and bit depth, Adam7, CRCs checked.
 *
 * Written here rather than taken from fast-png: that inflates whatever the file holds before looking at the size it
 * announced, so that a small file can fill the memory.
 */
import { malformed, type ReaderInput, requireBytes, unsupported } from '../reader.ts';
import { crc32 } from './crc32.ts';
import { inflateRange } from './inflate.ts';
import { checkRasterSize, type Raster, type RasterKind, samplesOf } from './raster.ts';

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

interface PngHeader {
  width: number;
  height: number;
  depth: number;
  kind: RasterKind;
  interlaced: boolean;
}

const kinds: Readonly<Record<number, { kind: RasterKind; depths: readonly number[] }>> = {
  0: { kind: 'gray', depths: [1, 2, 4, 8, 16] },
  2: { kind: 'rgb', depths: [8, 16] },
  3: { kind: 'palette', depths: [1, 2, 4, 8] },
  4: { kind: 'gray-alpha', depths: [8, 16] },
  6: { kind: 'rgb-alpha', depths: [8, 16] },
};

/** First x and y, and step in x and y, of the seven passes (Adam7); a plain image is one pass of step 1. */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const onePass = [[0, 0, 1, 1]] as const;

interface Pass {
  columns: number;
  rows: number;
  x: number;
  y: number;
  stepX: number;
  stepY: number;
}

export function isPng(bytes: Uint8Array): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}

/** @throws ReadroomError 'file-malformed' | 'file-truncated' | 'file-too-large' | 'format-unsupported' */
export async function decodePng(input: ReaderInput): Promise<Raster> {
  const { bytes, name } = input;
  if (!isPng(bytes)) throw malformed(name, 'it does not begin with the PNG signature');
  const chunks = readChunks(bytes, name);
  const header = parseHeader(chunks.header, name);
  const samples = samplesOf[header.kind];
  const { width, height } = header;
  checkRasterSize({ width, height, samples }, header.depth === 16 ? 2 : 1, name, input.limits);
  const bitsPerPixel = header.depth * samples;
  const passes = passesOf(header);
  const rawBytes = passes.reduce(
    (sum, p) => sum + p.rows * (1 + Math.ceil((p.columns * bitsPerPixel) / 8)),
    0,
  );
  const compressed = Buffer.concat(chunks.data);
  const raw = await inflateRange('zlib', compressed, { skip: 0, count: rawBytes }, name, input.signal);
  const size = header.width * header.height * samples;
  const data = header.depth === 16 ? new Uint16Array(size) : new Uint8Array(size);
  let at = 0;
  for (const pass of passes) {
    const rowBytes = Math.ceil((pass.columns * bitsPerPixel) / 8);
    unfilter(raw, at, rowBytes, pass.rows, Math.max(1, bitsPerPixel >> 3), name);
    spread(raw, at, rowBytes, pass, header, samples, data);
    at += pass.rows * (rowBytes + 1);
  }
  return {
    width: header.width,
    height: header.height,
    frames: 1,
    kind: header.kind,
    data,
    palette: chunks.palette,
    texts: chunks.texts,
    warnings: [],
  };
}

interface Chunks {
  header: Uint8Array;
  data: Uint8Array[];
  palette?: Uint8Array;
  texts: string[];
}

function readChunks(bytes: Uint8Array, name: string): Chunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunks = { header: new Uint8Array(0), data: [], texts: [] };
  for (let at = 8; at + 12 <= bytes.byteLength; ) {
    const length = view.getUint32(at, false);
    const type = Buffer.from(bytes.subarray(at + 4, at + 8)).toString('latin1');
    requireBytes(bytes.byteLength - at - 12, length, name, `a '${type.replace(/[^\x20-\x7e]/g, '?')}' chunk`);
    const body = bytes.subarray(at + 8, at + 8 + length);
    // Chunks whose first letter is a capital decide what the image looks like.
    const critical = (bytes[at + 4] & 0x20) === 0;
    if (
      critical &&
      crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length, false)
    ) {
      throw malformed(name, 'one of its chunks has a wrong checksum');
    }
    if (type === 'IHDR') chunks.header = body;
    else if (type === 'PLTE') chunks.palette = body;
    else if (type === 'IDAT') chunks.data.push(body);
    else if (type === 'tEXt' || type === 'iTXt') chunks.texts.push(textOf(body));
    else if (type === 'IEND') break;
    at += length + 12;
  }
  if (chunks.data.length === 0) requireBytes(0, 1, name);
  return chunks;
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString('utf8').replace(/\0+/, ' = ').replaceAll('\0', ' ');
}

function parseHeader(body: Uint8Array, name: string): PngHeader {
  if (body.byteLength < 13) throw malformed(name, 'its header (IHDR) is missing or too short');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const found = kinds[body[9]];
  const depth = body[8];
  if (!found?.depths.includes(depth)) {
    throw malformed(name, `its header gives colour type ${body[9]} with ${depth} bits`);
  }
  if (body[10] !== 0 || body[11] !== 0 || body[12] > 1) {
    throw unsupported(
      name,
      'its compression, filter or interlace method is unknown',
      'Save it as an ordinary PNG.',
    );
  }
  const header = { width: view.getUint32(0), height: view.getUint32(4), depth, kind: found.kind };
  return { ...header, interlaced: body[12] === 1 };
}

function passesOf(header: PngHeader): Pass[] {
  return (header.interlaced ? adam7 : onePass)
    .map(([x, y, stepX, stepY]) => ({
      x,
      y,
      stepX,
      stepY,
      columns: Math.ceil((header.width - x) / stepX),
      rows: Math.ceil((header.height - y) / stepY),
    }))
    .filter((pass) => pass.columns > 0 && pass.rows > 0);
}

/** Undoes the row filters in place. `step`: bytes from one pixel to the next, at least 1. */
function unfilter(
  raw: Uint8Array,
  start: number,
  rowBytes: number,
  rows: number,
  step: number,
  name: string,
): void {
  for (let row = 0; row < rows; row++) {
    const at = start + row * (rowBytes + 1) + 1;
    const up = row > 0 ? at - rowBytes - 1 : -1;
    const filter = raw[at - 1];
    if (filter === 0) continue;
    if (filter > 4) throw malformed(name, `row ${row} has the unknown filter ${filter}`);
    for (let i = 0; i < rowBytes; i++) {
      const left = i >= step ? raw[at + i - step] : 0;
      const above = up >= 0 ? raw[up + i] : 0;
      if (filter === 1) raw[at + i] += left;
      else if (filter === 2) raw[at + i] += above;
      else if (filter === 3) raw[at + i] += (left + above) >> 1;
      else raw[at + i] += paeth(left, above, up >= 0 && i >= step ? raw[up + i - step] : 0);
    }
  }
}

function paeth(a: number, b: number, c: number): number {
  const pa = Math.abs(b - c);
  const pb = Math.abs(a - c);
  const pc = Math.abs(a + b - 2 * c);
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

/** Puts the samples of one pass where they belong. Grays below 8 bits are spread over 0..255, as Pillow does. */
function spread(
  raw: Uint8Array,
  start: number,
  rowBytes: number,
  pass: Pass,
  header: PngHeader,
  samples: number,
  out: Uint8Array | Uint16Array,
): void {
  const { depth } = header;
  const mask = (1 << depth) - 1;
  const factor = depth < 8 && header.kind === 'gray' ? 255 / mask : 1;
  for (let row = 0; row < pass.rows; row++) {
    const from = start + row * (rowBytes + 1) + 1;
    const to = (pass.y + row * pass.stepY) * header.width + pass.x;
    for (let column = 0; column < pass.columns; column++) {
      const pixel = (to + column * pass.stepX) * samples;
      for (let s = 0; s < samples; s++) {
        const index = column * samples + s;
        if (depth === 8) out[pixel + s] = raw[from + index];
        else if (depth === 16) out[pixel + s] = (raw[from + index * 2] << 8) | raw[from + index * 2 + 1];
        else {
          const bit = index * depth;
          out[pixel + s] = ((raw[from + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask) * factor;
        }
      }
    }
  }
}
