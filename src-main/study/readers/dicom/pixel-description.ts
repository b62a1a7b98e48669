/** How the pixels of one instance are stored (PS3.3 section C.7.6.3), checked before anything is allocated. */
import { checkedByteCount, malformed, type ReadLimits, requireBytes, unsupported } from '../../reader.ts';
import { formatTag } from './element-reader.ts';
import type { Part10 } from './part10.ts';
import { type PixelCoding, transferSyntax } from './transfer-syntax.ts';

export interface PixelDescription {
  rows: number;
  columns: number;
  frames: number;
  samples: 1 | 3;
  /** True where the three samples lie in planes of their own (native and RLE data only). */
  planar: boolean;
  photometric: string;
  kind: 'integer' | 'float' | 'double';
  bitsAllocated: 1 | 8 | 16 | 32 | 64;
  bitsStored: number;
  /** Position of the lowest stored bit in its cell: 0 unless the high bit says otherwise. */
  lowBit: number;
  signed: boolean;
  coding: PixelCoding;
}

/** Bytes of one native frame, as a fraction for 1-bit data whose frames share bytes. */
export function nativeFrameBytes(pixels: PixelDescription): number {
  const count = pixels.rows * pixels.columns;
  if (isSubsampled422(pixels.photometric) && pixels.samples === 3) {
    return (Math.ceil(pixels.columns / 2) * 4 * pixels.rows * pixels.bitsAllocated) / 8;
  }
  return (count * pixels.samples * pixels.bitsAllocated) / 8;
}

export function isSubsampled422(photometric: string): boolean {
  return photometric === 'YBR_FULL_422' || photometric === 'YBR_PARTIAL_422';
}

/** Largest and smallest number that `bitsStored` bits hold. */
export function storedRange(pixels: PixelDescription): [number, number] {
  const span = 2 ** pixels.bitsStored;
  return pixels.signed ? [-span / 2, span / 2 - 1] : [0, span - 1];
}

/**
 * @throws ReadroomError 'file-malformed' for sizes that make no sense, 'format-unsupported' for layouts that are not
 * read, 'file-truncated' where the bytes cannot hold what is promised, 'file-too-large' beyond the limits.
 */
export function describePixels(file: Part10, limits: ReadLimits): PixelDescription {
  const { dataSet, name } = file;
  const pixel = file.pixel;
  if (!pixel) throw malformed(name, 'it has no pixel data');
  const kind = pixel.tag === 0x7fe00010 ? 'integer' : pixel.tag === 0x7fe00008 ? 'float' : 'double';

  const required = (tag: number, what: string): number => {
    const value = dataSet.number(tag, 'US');
    if (value === undefined) throw malformed(name, `${what} ${formatTag(tag)} is missing or no number`);
    return value;
  };
  const rows = required(0x00280010, 'Rows');
  const columns = required(0x00280011, 'Columns');
  const bitsAllocated = required(0x00280100, 'Bits Allocated');
  const samples = dataSet.number(0x00280002, 'US') ?? 1;
  const frames = frameCount(file);
  for (const [what, value] of Object.entries({ Rows: rows, Columns: columns, 'Number of Frames': frames })) {
    if (!Number.isInteger(value) || value < 1) throw malformed(name, `${what} is ${value}`);
  }
  if (samples !== 1 && samples !== 3) {
    throw unsupported(
      name,
      `its pixels have ${samples} samples each`,
      'Convert it to greyscale or RGB with the program that wrote it.',
    );
  }
  checkBits(name, bitsAllocated, kind);
  const bitsStored = storedBits(file, bitsAllocated);
  const highBit = dataSet.number(0x00280102, 'US') ?? bitsStored - 1;
  const lowBit = highBit + 1 - bitsStored;
  const syntax = transferSyntax(file.transferSyntax);
  const pixels: PixelDescription = {
    rows,
    columns,
    frames,
    samples,
    planar: samples === 3 && dataSet.number(0x00280006, 'US') === 1,
    photometric: (dataSet.string(0x00280004) ?? (samples === 3 ? 'RGB' : 'MONOCHROME2')).toUpperCase(),
    kind,
    bitsAllocated,
    bitsStored,
    lowBit: lowBit >= 0 && highBit < bitsAllocated ? lowBit : 0,
    signed: dataSet.number(0x00280103, 'US') === 1,
    coding: syntax.coding,
  };
  if (syntax.coding === 'unsupported') {
    throw unsupported(
      name,
      `${syntax.name} is not read here`,
      'Convert it to explicit little endian, for instance with gdcmconv --raw or dcmdjpeg.',
    );
  }
  checkedByteCount([columns, rows, frames, samples], Math.max(1, bitsAllocated / 8), name, limits);
  if (isNative(file, pixels)) {
    requireBytes(pixel.length, Math.ceil(nativeFrameBytes(pixels) * frames), name);
  }
  return pixels;
}

/** True where the pixel data is a plain array: also where a compressed syntax is claimed for one. */
export function isNative(file: Part10, pixels: PixelDescription): boolean {
  const pixel = file.pixel;
  if (!pixel || pixels.kind !== 'integer') return true;
  if (pixel.undefinedLength) return false;
  if (pixels.coding === 'native') return true;
  const needed = Math.ceil(nativeFrameBytes(pixels) * pixels.frames);
  return pixel.length === needed || pixel.length === needed + 1;
}

function frameCount(file: Part10): number {
  const values = file.dataSet.numbers(0x00280008, 'IS');
  if (values.length === 0) return 1;
  const [frames] = values;
  if (Number.isNaN(frames)) {
    const text = file.dataSet.string(0x00280008);
    // An empty value means what an absent one does.
    if (text === undefined) return 1;
    throw malformed(file.name, `Number of Frames (0028,0008) is '${text}', which is no number`);
  }
  // Zero is written by devices that mean a single frame.
  return frames === 0 ? 1 : frames;
}

function checkBits(
  name: string,
  bits: number,
  kind: PixelDescription['kind'],
): asserts bits is PixelDescription['bitsAllocated'] {
  const allowed = kind === 'float' ? [32] : kind === 'double' ? [64] : [1, 8, 16, 32];
  if (allowed.includes(bits)) return;
  throw unsupported(
    name,
    `Bits Allocated (0028,0100) is ${bits}, where ${allowed.join(', ')} can be read`,
    'Export it again with 8 or 16 bits allocated.',
  );
}

function storedBits(file: Part10, bitsAllocated: number): number {
  const stored = file.dataSet.number(0x00280101, 'US') ?? bitsAllocated;
  if (Number.isInteger(stored) && stored >= 1 && stored <= bitsAllocated) return stored;
  file.warnings.push(`Bits Stored (0028,0101) is ${stored}; read as ${bitsAllocated}.`);
  return bitsAllocated;
}
