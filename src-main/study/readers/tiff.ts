/**
 * TIFF decoder (TIFF 6.0): gray, RGB and palette pages, strips or tiles, 1 to 64 bits, integers and floats, multi-page
 * files as a stack.
 *
 * Written here rather than taken from the npm package `tiff`: that reads one sample a pixel of tiled colour images,
 * knows no signed or 32-bit integers, and allocates what a damaged tag asks for.
 */
import type { StoredArray } from '../pixels.ts';
import { malformed, type ReaderInput, requireBytes, throwIfCancelled, unsupported } from '../reader.ts';
import { decodeElements, type ElementType, elementBytes } from './elements.ts';
import { checkRasterSize, type Raster, type RasterKind, samplesOf } from './raster.ts';
import { decompress, largestRatio } from './tiff-compression.ts';
import { readDirectories, type TiffDirectory } from './tiff-directory.ts';
import { undoPredictor } from './tiff-predictor.ts';

interface Page {
  width: number;
  height: number;
  kind: RasterKind;
  /** Samples stored a pixel: those of `kind`, and others that are left out. */
  samples: number;
  bits: number;
  type: ElementType;
  compression: number;
  predictor: number;
  planar: boolean;
  blockWidth: number;
  blockHeight: number;
  offsets: number[];
  counts: number[];
  whiteIsZero: boolean;
  palette?: Uint8Array;
  texts: string[];
}

/** @throws ReadroomError 'file-malformed' | 'file-truncated' | 'file-too-large' | 'format-unsupported' */
export async function decodeTiff(input: ReaderInput, onlyFirst = false): Promise<Raster> {
  const { bytes, name } = input;
  const { littleEndian, directories } = readDirectories(bytes, name);
  const first = describePage(directories[0], name);
  const pages = [first];
  const warnings: string[] = [];
  let others = 0;
  // NewSubfileType 1: a smaller copy of another page.
  for (const directory of onlyFirst ? [] : directories.slice(1)) {
    if ((directory.number(254, 0) & 1) === 1) continue;
    const page = describePage(directory, name);
    if (sameShape(first, page)) pages.push(page);
    else others++;
  }
  if (others > 0) warnings.push(`${others} pages of another size or type are left out.`);
  const size = first.width * first.height * samplesOf[first.kind];
  const bytesPerSample = Math.max(1, first.bits >> 3);
  const { samples } = first;
  const extents = { width: first.width, height: first.height, samples, frames: pages.length };
  checkRasterSize(extents, bytesPerSample, name, input.limits);
  // What the largest growth of its compression could make of the whole file bounds what may be allocated.
  const storedBytes = (first.width * first.height * first.samples * first.bits) / 8;
  requireBytes(bytes.byteLength * largestRatio(first.compression), Math.floor(storedBytes), name);

  let data: StoredArray | undefined;
  for (const [index, page] of pages.entries()) {
    throwIfCancelled(input.signal);
    const decoded = decodePage(bytes, page, littleEndian, name);
    if (pages.length === 1) data = decoded;
    else {
      data ??= newLike(decoded, size * pages.length);
      data.set(decoded, index * size);
    }
  }
  if (!data) throw malformed(name, 'it has no page');
  return {
    width: first.width,
    height: first.height,
    frames: pages.length,
    kind: first.kind,
    data,
    palette: first.palette,
    whiteIsZero: first.whiteIsZero,
    texts: first.texts,
    warnings,
  };
}

function newLike(array: StoredArray, length: number): StoredArray {
  const make = array.constructor as new (length: number) => StoredArray;
  return new make(length);
}

function sameShape(a: Page, b: Page): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.kind === b.kind &&
    a.type === b.type &&
    a.bits === b.bits
  );
}

function describePage(directory: TiffDirectory, name: string): Page {
  const [width, height] = [directory.number(256, 0), directory.number(257, 0)];
  if (!(width > 0 && height > 0)) throw malformed(name, `a page of it is ${width} x ${height} pixels`);
  const samples = directory.number(277, 1);
  const bitsList = directory.numbers(258);
  const bits = bitsList[0] ?? 1;
  const format = directory.number(339, 1);
  const tileWidth = directory.number(322, 0);
  const tiled = tileWidth > 0;
  const photometric = directory.number(262, samples >= 3 ? 2 : 1);
  const kind = kindOf(photometric, samples, name);
  const type = typeOf(bits, format, kind, name);
  if (bitsList.some((other) => other !== bits)) {
    throw unsupported(name, 'its samples have different depths', 'Save it with one depth for all channels.');
  }
  if (directory.number(266, 1) !== 1 && bits < 8) {
    throw unsupported(name, 'its bits are stored in reverse order', 'Save it with FillOrder 1.');
  }
  const map = directory.numbers(320);
  const third = map.length / 3;
  return {
    width,
    height,
    kind,
    samples,
    bits,
    type,
    compression: directory.number(259, 1),
    predictor: directory.number(317, 1),
    planar: directory.number(284, 1) === 2 && samples > 1,
    blockWidth: tiled ? tileWidth : width,
    blockHeight: tiled ? directory.number(323, 0) : Math.min(directory.number(278, height), height),
    offsets: directory.numbers(tiled ? 324 : 273),
    counts: directory.numbers(tiled ? 325 : 279),
    whiteIsZero: photometric === 0,
    // The colour map holds 16-bit reds, then greens, then blues.
    palette:
      kind === 'palette'
        ? Uint8Array.from({ length: third * 3 }, (_, i) => map[(i % 3) * third + Math.floor(i / 3)] >> 8)
        : undefined,
    texts: [directory.text(270)],
  };
}

function kindOf(photometric: number, samples: number, name: string): RasterKind {
  if (photometric <= 1 && samples === 1) return 'gray';
  if (photometric <= 1 && samples === 2) return 'gray-alpha';
  if (photometric === 2 && samples === 3) return 'rgb';
  if (photometric === 2 && samples === 4) return 'rgb-alpha';
  if (photometric === 3 && samples === 1) return 'palette';
  throw unsupported(
    name,
    `its colours are stored in a way that is not read (photometric ${photometric}, ${samples} samples)`,
    'Save it as gray or RGB.',
  );
}

function typeOf(bits: number, format: number, kind: RasterKind, name: string): ElementType {
  if (bits <= 8 && [1, 2, 4, 8].includes(bits) && format !== 2 && format !== 3) return 'uint8';
  const prefix = format === 3 ? 'float' : format === 2 ? 'int' : 'uint';
  const type = `${prefix}${bits}`;
  if (type in elementBytes && kind !== 'palette' && !type.endsWith('64')) return type as ElementType;
  if (type === 'float64') return type;
  throw unsupported(
    name,
    `its samples have ${bits} bits (format ${format})`,
    'Save it with 8, 16 or 32 bits.',
  );
}

function decodePage(bytes: Uint8Array, page: Page, littleEndian: boolean, name: string): StoredArray {
  const { width, height, blockWidth, blockHeight, samples, bits } = page;
  if (!(blockWidth > 0 && blockHeight > 0)) throw malformed(name, 'its strips or tiles have no size');
  const across = Math.ceil(width / blockWidth);
  const down = Math.ceil(height / blockHeight);
  const planes = page.planar ? samples : 1;
  const perPixel = page.planar ? 1 : samples;
  const blocks = across * down * planes;
  if (page.offsets.length < blocks) {
    throw malformed(name, `it lists ${page.offsets.length} strips or tiles where ${blocks} are needed`);
  }
  const rowBytes = Math.ceil((blockWidth * perPixel * bits) / 8);
  requireBytes(bytes.byteLength * largestRatio(page.compression), rowBytes * blockHeight, name);
  const kept = samplesOf[page.kind];
  const block = new Uint8Array(rowBytes * blockHeight);
  let out: StoredArray | undefined;
  for (let index = 0; index < blocks; index++) {
    const plane = Math.floor(index / (across * down));
    const y = Math.floor((index % (across * down)) / across) * blockHeight;
    const x = (index % across) * blockWidth;
    // Strips end with the image; tiles are whole.
    const rows = blockWidth === width ? Math.min(blockHeight, height - y) : blockHeight;
    const packed = blockBytes(bytes, page, index, name);
    const target = block.subarray(0, rowBytes * rows);
    const written = decompress(packed, page.compression, target, name);
    const needed = rowBytes * Math.min(rows, height - y);
    requireBytes(written, needed, name);
    if (page.predictor !== 1)
      undoPredictor(target, page.predictor, rows, blockWidth, perPixel, bits, littleEndian, name);
    const values =
      bits < 8
        ? unpack(target, rows, blockWidth * perPixel, bits, page)
        : decodeBlock(target, page, littleEndian);
    out ??= newLike(values, width * height * kept);
    place(values, out, { x, y, rows: Math.min(rows, height - y), plane }, page, perPixel, kept);
  }
  if (!out) throw malformed(name, 'it has no strips or tiles');
  return out;
}

/** A copy, because decoding swaps bytes in place and reads the block's buffer again for the next block. */
function decodeBlock(block: Uint8Array, page: Page, littleEndian: boolean): StoredArray {
  // The floating-point predictor leaves bytes in this machine's order.
  return decodeElements(Uint8Array.from(block), page.type, page.predictor === 3 ? true : littleEndian);
}

function blockBytes(bytes: Uint8Array, page: Page, index: number, name: string): Uint8Array {
  const offset = page.offsets[index];
  const count = page.counts[index] ?? bytes.byteLength - offset;
  requireBytes(bytes.byteLength - offset, count, name);
  return bytes.subarray(offset, offset + count);
}

function place(
  values: StoredArray,
  out: StoredArray,
  block: { x: number; y: number; rows: number; plane: number },
  page: Page,
  perPixel: number,
  kept: number,
): void {
  const columns = Math.min(page.blockWidth, page.width - block.x);
  for (let row = 0; row < block.rows; row++) {
    const from = row * page.blockWidth * perPixel;
    const to = ((block.y + row) * page.width + block.x) * kept;
    if (perPixel === kept) out.set(values.subarray(from, from + columns * kept), to);
    else
      for (let column = 0; column < columns; column++)
        out[to + column * kept + block.plane] = values[from + column];
  }
}

/** Samples of fewer than 8 bits, rows padded to whole bytes; grays are spread over 0..255 as Pillow does. */
function unpack(block: Uint8Array, rows: number, perRow: number, bits: number, page: Page): Uint8Array {
  const out = new Uint8Array(rows * perRow);
  const mask = (1 << bits) - 1;
  const factor = page.kind === 'palette' ? 1 : 255 / mask;
  const rowBytes = Math.ceil((perRow * bits) / 8);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < perRow; i++) {
      const bit = i * bits;
      const byte = block[row * rowBytes + (bit >> 3)];
      out[row * perRow + i] = ((byte >> (8 - bits - (bit & 7))) & mask) * factor;
    }
  }
  return out;
}
