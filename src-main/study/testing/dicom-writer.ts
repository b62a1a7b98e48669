/**
 * Writes small DICOM files for tests: any encoding, sequences, fragments, and whole series on a given grid. Not for
 * anything else: it checks nothing and fills in nothing.
 */
import { deflateRawSync } from 'node:zlib';

export type DicomValue = string | number | readonly number[] | Uint8Array | readonly DicomElements[];
/** 'GGGGEEEE' in hexadecimal -> value representation and value. */
export type DicomElements = Readonly<Record<string, readonly [vr: string, value: DicomValue]>>;

export interface WriteOptions {
  /** Transfer syntax UID; explicit little endian unless given. */
  transferSyntax?: string;
  /** Encapsulated pixel data: the fragments, in order, with an offset table where given. */
  fragments?: readonly Uint8Array[];
  offsets?: readonly number[];
  preamble?: boolean;
  meta?: boolean;
}

const longForm = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

interface Encoding {
  explicit: boolean;
  littleEndian: boolean;
}

export function writeDicom(elements: DicomElements, options: WriteOptions = {}): Uint8Array {
  const syntax = options.transferSyntax ?? '1.2.840.10008.1.2.1';
  const encoding = {
    explicit: syntax !== '1.2.840.10008.1.2',
    littleEndian: syntax !== '1.2.840.10008.1.2.2',
  };
  const explicit = { explicit: true, littleEndian: true };
  const meta = options.meta === false ? [] : [writeElements({ '00020010': ['UI', syntax] }, explicit)];
  let body = writeElements(elements, encoding);
  if (options.fragments) body = Buffer.concat([body, encapsulate(options.fragments, options.offsets ?? [])]);
  if (syntax === '1.2.840.10008.1.2.1.99') body = deflateRawSync(body);
  const preamble = options.preamble === false ? [] : [Buffer.alloc(128), Buffer.from('DICM')];
  return new Uint8Array(Buffer.concat([...preamble, ...meta, body]));
}

/** Pixel data in fragments, with the tag in front (PS3.5 annex A.4). */
function encapsulate(fragments: readonly Uint8Array[], offsets: readonly number[]): Buffer {
  const item = (bytes: Uint8Array) => {
    const header = Buffer.alloc(8);
    header.writeUInt16LE(0xfffe, 0);
    header.writeUInt16LE(0xe000, 2);
    header.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([header, bytes]);
  };
  const table = Buffer.alloc(offsets.length * 4);
  for (const [i, offset] of offsets.entries()) table.writeUInt32LE(offset, i * 4);
  const head = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  const tail = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
  return Buffer.concat([head, item(table), ...fragments.map(item), tail]);
}

function writeElements(elements: DicomElements, encoding: Encoding): Buffer {
  const tags = Object.keys(elements).sort();
  return Buffer.concat(tags.map((tag) => writeElement(tag, elements[tag], encoding)));
}

function writeElement(tag: string, [vr, value]: readonly [string, DicomValue], encoding: Encoding): Buffer {
  const bytes = valueBytes(vr, value, encoding);
  const long = longForm.has(vr);
  const header = Buffer.alloc(encoding.explicit && long ? 12 : 8);
  const u16 = (n: number, at: number) =>
    encoding.littleEndian ? header.writeUInt16LE(n, at) : header.writeUInt16BE(n, at);
  const u32 = (n: number, at: number) =>
    encoding.littleEndian ? header.writeUInt32LE(n, at) : header.writeUInt32BE(n, at);
  u16(Number.parseInt(tag.slice(0, 4), 16), 0);
  u16(Number.parseInt(tag.slice(4), 16), 2);
  if (!encoding.explicit) u32(bytes.length, 4);
  else {
    header.write(vr, 4, 'latin1');
    if (long) u32(bytes.length, 8);
    else u16(bytes.length, 6);
  }
  return Buffer.concat([header, bytes]);
}

function valueBytes(vr: string, value: DicomValue, encoding: Encoding): Buffer {
  if (value instanceof Uint8Array) return padded(Buffer.from(value), 0);
  if (vr === 'SQ') {
    const items = (value as readonly DicomElements[]).map((item) => {
      const body = writeElements(item, encoding);
      const header = Buffer.alloc(8);
      if (encoding.littleEndian) {
        header.writeUInt32LE(0xe000fffe, 0);
        header.writeUInt32LE(body.length, 4);
      } else {
        header.writeUInt32BE(0xfffee000, 0);
        header.writeUInt32BE(body.length, 4);
      }
      return Buffer.concat([header, body]);
    });
    return Buffer.concat(items);
  }
  if (typeof value === 'string') return padded(Buffer.from(value, 'utf8'), vr === 'UI' ? 0 : 32);
  const numbers = (typeof value === 'number' ? [value] : value) as readonly number[];
  if (vr === 'DS' || vr === 'IS') return padded(Buffer.from(numbers.map(decimal).join('\\')), 32);
  return binaryNumbers(vr, numbers, encoding.littleEndian);
}

/** The shortest text of at most 16 characters, which is all that DS may have. */
function decimal(value: number): string {
  const text = String(value);
  if (text.length <= 16) return text;
  for (let digits = 15; digits > 0; digits--) {
    const rounded = value.toPrecision(digits);
    if (rounded.length <= 16) return rounded;
  }
  return value.toExponential(8);
}

function binaryNumbers(vr: string, numbers: readonly number[], littleEndian: boolean): Buffer {
  const size = vr === 'FD' ? 8 : vr === 'US' || vr === 'SS' ? 2 : 4;
  const out = Buffer.alloc(numbers.length * size);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  numbers.forEach((number, i) => {
    if (vr === 'FD') view.setFloat64(i * size, number, littleEndian);
    else if (vr === 'FL') view.setFloat32(i * size, number, littleEndian);
    else if (size === 2) view.setUint16(i * size, number & 0xffff, littleEndian);
    else view.setUint32(i * size, number >>> 0, littleEndian);
  });
  return out;
}

function padded(bytes: Buffer, fill: number): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([fill])]);
}

type Triple = readonly [number, number, number];

export interface SeriesGrid {
  columns: number;
  rows: number;
  slices: number;
  /** Row-major 3x4, voxel index (i, j, k) -> patient LPS millimetres. The i and j columns must be perpendicular. */
  affine: readonly number[];
  /** Value (HU) of a voxel, a whole number from -1024 to 31743. */
  value(i: number, j: number, k: number): number;
  /** Added to, or put in place of, what every slice has. */
  extra?: (k: number) => DicomElements;
  transferSyntax?: string;
}

/** A CT series on any grid: one file a slice, stored as unsigned 16 bits with intercept -1024. */
export function writeSeries(grid: SeriesGrid): Uint8Array[] {
  const column = (n: number): Triple => [grid.affine[n], grid.affine[4 + n], grid.affine[8 + n]];
  const length = (v: Triple) => Math.hypot(...v);
  const [i, j, k, origin] = [column(0), column(1), column(2), column(3)];
  const littleEndian = grid.transferSyntax !== '1.2.840.10008.1.2.2';
  return Array.from({ length: grid.slices }, (_, slice) => {
    const pixels = new Uint8Array(grid.columns * grid.rows * 2);
    const view = new DataView(pixels.buffer);
    for (let y = 0; y < grid.rows; y++) {
      for (let x = 0; x < grid.columns; x++) {
        view.setUint16((y * grid.columns + x) * 2, grid.value(x, y, slice) + 1024, littleEndian);
      }
    }
    const unit = (v: Triple) => v.map((one) => one / length(v));
    return writeDicom(
      {
        '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.2'],
        '00080018': ['UI', `1.2.3.4.${slice + 1}`],
        '00080060': ['CS', 'CT'],
        '0008103E': ['LO', 'A series for tests'],
        '00100010': ['PN', 'Nobody^Test'],
        '00180050': ['DS', 99],
        '0020000D': ['UI', '1.2.3'],
        '0020000E': ['UI', '1.2.3.4'],
        '00200011': ['IS', 7],
        '00200013': ['IS', slice + 1],
        '00200032': ['DS', origin.map((one, axis) => one + k[axis] * slice)],
        '00200037': ['DS', [...unit(i), ...unit(j)]],
        '00280002': ['US', 1],
        '00280004': ['CS', 'MONOCHROME2'],
        '00280010': ['US', grid.rows],
        '00280011': ['US', grid.columns],
        '00280030': ['DS', [length(j), length(i)]],
        '00280100': ['US', 16],
        '00280101': ['US', 16],
        '00280102': ['US', 15],
        '00280103': ['US', 0],
        '00281050': ['DS', 40],
        '00281051': ['DS', 400],
        '00281052': ['DS', -1024],
        '00281053': ['DS', 1],
        '7FE00010': ['OW', pixels],
        ...grid.extra?.(slice),
      },
      { transferSyntax: grid.transferSyntax },
    );
  });
}
