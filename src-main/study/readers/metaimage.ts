/**
 * MetaImage reader: .mha, and .mhd with its .raw or .zraw (itk.org, "MetaIO/Documentation").
 *
 * Parsed here rather than by ITK in WebAssembly: every size is checked against the bytes that are there before
 * allocating, header keys of one's own (Comment, Synthetic) are kept, and no 5 MB module is loaded for 40 lines of text.
 * ITK's conventions hold: the matrix lists the direction of each axis in turn, positions are LPS millimetres,
 * AnatomicalOrientation is a remark and changes nothing.
 */
import type { StoredArray } from '../pixels.ts';
import {
  type ByteSource,
  checkedByteCount,
  type DecodedImage,
  malformed,
  type ReaderInput,
  requireBytes,
  saysSynthetic,
  unsupported,
} from '../reader.ts';
import { decodeElements, type ElementType, elementBytes, ownBytes } from './elements.ts';
import { inflateRange } from './inflate.ts';
import { numbers, readLine, staysInFolder } from './text-header.ts';
import { columnLengths, isUsableAffine, usableSpacing } from './volume-geometry.ts';

/** MetaIO's own sizes: MET_LONG is 4 bytes on every platform (metaTypes.h). */
const elementTypes: Readonly<Record<string, ElementType>> = {
  MET_CHAR: 'int8',
  MET_ASCII_CHAR: 'int8',
  MET_UCHAR: 'uint8',
  MET_SHORT: 'int16',
  MET_USHORT: 'uint16',
  MET_INT: 'int32',
  MET_UINT: 'uint32',
  MET_LONG: 'int32',
  MET_ULONG: 'uint32',
  MET_LONG_LONG: 'int64',
  MET_ULONG_LONG: 'uint64',
  MET_FLOAT: 'float32',
  MET_DOUBLE: 'float64',
};

const modalities: Readonly<Record<string, string>> = {
  MET_MOD_CT: 'CT',
  MET_MOD_MR: 'MR',
  MET_MOD_NM: 'NM',
  MET_MOD_US: 'US',
};

interface MetaHeader {
  fields: Map<string, string>;
  /** Where the data of a LOCAL file begin. */
  end: number;
}

function parseHeader(bytes: Uint8Array, name: string): MetaHeader {
  const fields = new Map<string, string>();
  let at = 0;
  for (let read = readLine(bytes, at); read; read = readLine(bytes, at)) {
    at = read.next;
    const equals = read.line.indexOf('=');
    if (equals < 0) {
      if (read.line.trim() === '') continue;
      break;
    }
    const key = read.line.slice(0, equals).trim();
    fields.set(key, read.line.slice(equals + 1).trim());
    if (key === 'ElementDataFile') return { fields, end: at };
  }
  // A detached header may end without a line break after its last field.
  const rest = Buffer.from(bytes.subarray(at, at + 4096)).toString('utf8');
  const last = /^\s*ElementDataFile\s*=\s*(\S.*)$/.exec(rest);
  if (last) {
    fields.set('ElementDataFile', last[1].trim());
    return { fields, end: bytes.byteLength };
  }
  throw malformed(name, "its MetaImage header has no 'ElementDataFile' line");
}

/** First of several names under which a field may stand. */
function field(header: MetaHeader, ...keys: string[]): string | undefined {
  for (const key of keys) {
    const value = header.fields.get(key);
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(true|t|1|yes)/i.test(value);
}

/** MetaImage file -> image with geometry. */
export async function readMetaImage(input: ReaderInput): Promise<DecodedImage> {
  const { bytes, name } = input;
  const header = parseHeader(bytes, name);
  const warnings: string[] = [];
  const size = numbers(field(header, 'DimSize') ?? '', 'DimSize', name);
  const axes = Number(field(header, 'NDims') ?? size.length);
  if (size.length !== axes || axes < 1 || axes > 4) {
    throw malformed(name, `its header gives ${size.length} lengths for ${axes} axes`);
  }
  const typeName = field(header, 'ElementType') ?? '';
  const type = elementTypes[typeName.replace(/_ARRAY$/, '')];
  if (!type) {
    throw unsupported(
      name,
      `its element type '${typeName.slice(0, 40)}' is unknown`,
      'Convert it to MET_SHORT.',
    );
  }
  const samples = Number(field(header, 'ElementNumberOfChannels') ?? 1);
  if (samples !== 1 && samples !== 3) {
    throw unsupported(name, `it stores ${samples} values a voxel`, 'Extract one component first.');
  }
  if (axes === 4 && size[3] > 1) warnings.push(`The file holds ${size[3]} volumes; the first one is shown.`);
  const shape = size.slice(0, 3);
  const count = checkedByteCount(shape, elementBytes[type] * samples, name, input.limits);
  const { owned, siblings } = await readData(input, header, count);
  const bigEndian = isTrue(field(header, 'BinaryDataByteOrderMSB', 'ElementByteOrderMSB'));
  const data: StoredArray = decodeElements(owned, type, !bigEndian);
  const [columns, rows = 1, frames = 1] = shape;
  const modality = modalities[field(header, 'Modality') ?? ''] ?? 'OT';
  return {
    format: 'metaimage',
    frames: { columns, rows, frames, channels: samples, data },
    rescale: { slope: 1, intercept: 0 },
    kind: frames > 1 ? 'volume' : 'image',
    modality,
    description: field(header, 'Comment', 'Name') ?? '',
    ...metaGeometry(header, axes, name, warnings),
    units: modality === 'CT' ? 'HU' : '',
    windows: [],
    synthetic: saysSynthetic(...[...header.fields].map(([key, value]) => `${key} = ${value}`)),
    warnings,
    identifiers: identifiers(header),
    siblings,
  };
}

async function readData(
  input: ReaderInput,
  header: MetaHeader,
  count: number,
): Promise<{ owned: Uint8Array; siblings: ByteSource[] }> {
  const { name } = input;
  if (field(header, 'BinaryData') !== undefined && !isTrue(field(header, 'BinaryData'))) {
    throw unsupported(name, 'its voxels are written as text', 'Save it as a binary MetaImage.');
  }
  const file = field(header, 'ElementDataFile') ?? '';
  const siblings: ByteSource[] = [];
  let source = input.bytes.subarray(header.end);
  if (!/^local$/i.test(file)) {
    if (/^list\b/i.test(file) || file.includes('%')) {
      throw unsupported(name, 'its voxels are spread over many files', 'Save it as one .mha file.');
    }
    const data = staysInFolder(file) ? await input.sibling?.(file) : undefined;
    if (!data) {
      throw unsupported(
        name,
        `its data file '${file.slice(0, 200)}' is not in the folder of the header`,
        'Put both files into one folder.',
      );
    }
    siblings.push(data);
    source = await data.read(input.limits);
  }
  if (isTrue(field(header, 'CompressedData'))) {
    return { owned: await inflateRange('zlib', source, { skip: 0, count }, name, input.signal), siblings };
  }
  const headerSize = Number(field(header, 'HeaderSize') ?? 0);
  if (!Number.isSafeInteger(headerSize)) throw malformed(name, `its HeaderSize is ${headerSize}`);
  // HeaderSize -1: the data are the last bytes of the file.
  const offset = headerSize < 0 ? source.byteLength - count : headerSize;
  requireBytes(source.byteLength - Math.max(0, offset), count, name);
  return { owned: ownBytes(source, offset, count), siblings };
}

function metaGeometry(
  header: MetaHeader,
  axes: number,
  name: string,
  warnings: string[],
): Pick<DecodedImage, 'spacing' | 'sourceToPatient'> {
  const spacingText = field(header, 'ElementSpacing', 'ElementSize');
  const spacing = axisValues(spacingText, 'ElementSpacing', axes, 1, name);
  const offsetText = field(header, 'Offset', 'Position', 'Origin');
  const matrixText = field(header, 'TransformMatrix', 'Rotation', 'Orientation');
  if (axes < 3) {
    return { spacing: spacingText ? usableSpacing(spacing) : null, sourceToPatient: null };
  }
  const offset = axisValues(offsetText, 'Offset', axes, 0, name);
  const matrix = matrixText
    ? numbers(matrixText, 'TransformMatrix', name)
    : Array.from({ length: axes * axes }, (_, i) => (i % (axes + 1) === 0 ? 1 : 0));
  if (matrix.length !== axes * axes) {
    throw malformed(name, `its TransformMatrix has ${matrix.length} numbers where ${axes * axes} are needed`);
  }
  const affine = [0, 1, 2].flatMap((r) => [
    ...[0, 1, 2].map((axis) => matrix[axis * axes + r] * spacing[axis]),
    offset[r],
  ]);
  if (!isUsableAffine(affine)) {
    warnings.push(
      'The orientation in its header is not usable (singular or not finite): its sides are unknown.',
    );
    return { spacing: usableSpacing(spacing), sourceToPatient: null };
  }
  if (!spacingText) warnings.push('The file states no voxel size: 1 mm is assumed, as ITK does.');
  return { spacing: columnLengths(affine), sourceToPatient: affine };
}

/** A value for each of three axes, from a field that has one for each axis of the file. */
function axisValues(text: string | undefined, key: string, axes: number, missing: number, name: string) {
  const values = text ? numbers(text, key, name) : [];
  if (text && values.length !== axes) {
    throw malformed(name, `its ${key} has ${values.length} numbers for ${axes} axes`);
  }
  return [0, 1, 2].map((axis) => values[axis] ?? missing);
}

function identifiers(header: MetaHeader): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, value] of header.fields) {
    if (/(patient|subject|study|series|acquisition).*(name|id|date|birth)/i.test(key)) found[key] = value;
  }
  return found;
}
