/**
 * NumPy arrays: .npy (format 1.0 to 3.0, numpy.lib.format) and .npz (a zip of them). Object arrays are pickles, which
 * are programs: they are refused, always.
 */
import type { StoredArray } from '../pixels.ts';
import {
  checkedByteCount,
  type DecodedImage,
  malformed,
  type ReaderInput,
  type ReadLimits,
  requireBytes,
  unsupported,
} from '../reader.ts';
import { decodeElements, type ElementType, elementBytes, ownBytes } from './elements.ts';
import { listZip, readAtOf, readZipMember } from './zip-archive.ts';

export interface NumpyArray {
  shape: number[];
  /** C order, whatever the file says. */
  data: StoredArray;
}

const elementTypes: Readonly<Record<string, ElementType>> = {
  b1: 'uint8',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

export function isNpy(bytes: Uint8Array): boolean {
  return (
    bytes.byteLength > 10 &&
    bytes[0] === 0x93 &&
    Buffer.from(bytes.subarray(1, 6)).toString('latin1') === 'NUMPY'
  );
}

/** Parses one .npy file. */
export function parseNpy(bytes: Uint8Array, name: string, limits: ReadLimits): NumpyArray {
  if (!isNpy(bytes)) throw malformed(name, "it does not begin with '\\x93NUMPY'");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = bytes[6];
  if (major < 1 || major > 3) {
    throw unsupported(name, `npy version ${major} is not known`, 'Save the array again with numpy.save.');
  }
  const start = major === 1 ? 10 : 12;
  requireBytes(bytes.byteLength, start, name, 'header');
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  requireBytes(bytes.byteLength - start, length, name, 'header');
  if (length > 65536) throw malformed(name, 'its header is longer than any array description');
  const header = Buffer.from(bytes.subarray(start, start + length)).toString('utf8');
  const { type, littleEndian } = parseDescription(header, name);
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header);
  const dimensions = /'shape'\s*:\s*\(([0-9,\sL]*)\)/.exec(header);
  if (!fortran || !dimensions) throw malformed(name, 'its header does not describe an array');
  const shape = (dimensions[1].match(/\d+/g) ?? []).map(Number);
  const count = checkedByteCount(shape, elementBytes[type], name, limits);
  requireBytes(bytes.byteLength - start - length, count, name);
  const data = decodeElements(ownBytes(bytes, start + length, count), type, littleEndian);
  return { shape, data: fortran[1] === 'True' ? fortranToC(data, shape) : data };
}

function parseDescription(header: string, name: string): { type: ElementType; littleEndian: boolean } {
  const simple = /'descr'\s*:\s*'([<>|=]?)([a-zA-Z])(\d*)'/.exec(header);
  if (!simple) {
    throw unsupported(
      name,
      'it is a structured array, no plain numbers',
      'Save one field of it as an array.',
    );
  }
  const [, order, kind, size] = simple;
  if (kind === 'O') {
    throw unsupported(
      name,
      'it holds Python objects (a pickle), which could run code and are never loaded',
      'Save it as a plain numeric array.',
    );
  }
  const type = elementTypes[`${kind}${size}`];
  if (!type)
    throw unsupported(
      name,
      `its type '${kind}${size}' is no image`,
      'Save it as float32 or an integer type.',
    );
  return { type, littleEndian: order !== '>' };
}

/** First axis fastest -> last axis fastest. The transposition of numpy.ascontiguousarray. */
export function fortranToC(data: StoredArray, shape: readonly number[]): StoredArray {
  if (shape.filter((length) => length > 1).length < 2) return data;
  const out = data.slice();
  const strides = shape.map((_, axis) =>
    shape.slice(0, axis).reduce((product, length) => product * length, 1),
  );
  const last = shape.length - 1;
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; ) {
    for (let i = 0; i < shape[last]; i++) out[to++] = data[from + i * strides[last]];
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

/** The first array of an .npz, by name: what `archive[min(archive.files)]` is. */
export async function parseNpz(
  input: ReaderInput,
): Promise<{ array: NumpyArray; key: string; others: number }> {
  const readAt = readAtOf(input.bytes);
  const members = await listZip(readAt, input.bytes.byteLength, input.name);
  const arrays = members.filter((member) => member.name.endsWith('.npy'));
  if (arrays.length === 0) throw malformed(input.name, 'it holds no array (.npy)');
  const keyOf = (member: { name: string }) => member.name.slice(0, -4);
  const first = arrays.reduce((least, member) =>
    compareCodePoints(keyOf(member), keyOf(least)) < 0 ? member : least,
  );
  const limit = input.limits.maxBytes + 65536 + 12;
  const bytes = await readZipMember(readAt, first, input.name, limit);
  const array = parseNpy(bytes, `${input.name}: ${first.name}`, input.limits);
  return { array, key: keyOf(first), others: arrays.length - 1 };
}

/** Python compares strings by code point; JavaScript's < compares UTF-16 units. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

/** .npy -> image. */
export async function readNpy(input: ReaderInput): Promise<DecodedImage> {
  return numpyImage(parseNpy(input.bytes, input.name, input.limits), 'npy', input.name, '', []);
}

/** .npz -> image of its first array. */
export async function readNpz(input: ReaderInput): Promise<DecodedImage> {
  const { array, key, others } = await parseNpz(input);
  const warnings = others > 0 ? [`Of ${others + 1} arrays, '${key}' (the first by name) is shown.`] : [];
  return numpyImage(array, 'npz', input.name, key, warnings);
}

/**
 * Axes of a bare array, by convention: unit axes are dropped; (rows, columns); (rows, columns, 3) of whole numbers is
 * colour; (slices, rows, columns), or (rows, columns, slices) where the first two are equal and the third is not;
 * of four axes one channel is kept, chosen as the reference does.
 */
function numpyImage(
  array: NumpyArray,
  format: 'npy' | 'npz',
  name: string,
  description: string,
  warnings: string[],
): DecodedImage {
  let { data } = array;
  let shape = array.shape.filter((length) => length !== 1);
  if (shape.length === 0 || array.shape.length < 2) {
    throw unsupported(
      name,
      `an array of shape (${array.shape.join(', ')}) is no image`,
      'Save two or more axes.',
    );
  }
  if (shape.length === 1) shape = array.shape.slice(-2);
  if (shape.length > 4) {
    throw unsupported(name, `it has ${shape.length} axes`, 'Save an array of two, three or four axes.');
  }
  const isColour = shape.length >= 3 && shape[shape.length - 1] === 3 && data instanceof Uint8Array;
  if (shape.length === 4 && !isColour) {
    const lastIsChannel = shape[0] > 4 && shape[3] <= 4;
    ({ data, shape } = takeChannel(data, shape, lastIsChannel));
    warnings.push('The array has four axes; its first channel is shown.');
  }
  const channels = isColour ? 3 : 1;
  const spatial = isColour ? shape.slice(0, -1) : shape;
  if (spatial.length === 3 && spatial[0] === spatial[1] && spatial[2] !== spatial[1] && !isColour) {
    data = lastAxisFirst(data, spatial);
    spatial.unshift(spatial.pop() ?? 1);
    warnings.push('Its last axis differs from two equal ones and is taken for the slices.');
  }
  const [frames, rows, columns] = spatial.length === 3 ? spatial : [1, ...spatial];
  if (frames > 1) warnings.push('A bare array carries no orientation: its sides are unknown.');
  return {
    format,
    frames: { columns, rows, frames, channels, data },
    rescale: { slope: 1, intercept: 0 },
    kind: frames > 1 ? 'volume' : 'image',
    modality: 'OT',
    description,
    spacing: null,
    sourceToPatient: null,
    units: '',
    windows: [],
    synthetic: false,
    warnings,
    identifiers: {},
    siblings: [],
  };
}

function takeChannel(
  data: StoredArray,
  shape: number[],
  last: boolean,
): { data: StoredArray; shape: number[] } {
  const rest = last ? shape.slice(0, -1) : shape.slice(1);
  const count = rest.reduce((product, length) => product * length, 1);
  if (!last) return { data: data.slice(0, count), shape: rest };
  const out = data.slice(0, count);
  for (let i = 0; i < count; i++) out[i] = data[i * shape[shape.length - 1]];
  return { data: out, shape: rest };
}

/** (a, b, slices) -> (slices, a, b). */
function lastAxisFirst(data: StoredArray, [a, b, slices]: number[]): StoredArray {
  const out = data.slice();
  const plane = a * b;
  for (let p = 0; p < plane; p++) {
    for (let s = 0; s < slices; s++) out[s * plane + p] = data[p * slices + s];
  }
  return out;
}
