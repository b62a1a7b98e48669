/**
 * NRRD reader: .nrrd, and .nhdr with its data file (teem.sourceforge.net/nrrd/format.html).
 *
 * Encodings raw and gzip. Spatial axes are those with a direction; one leading axis of three components is colour; of
 * a trailing axis without direction (time, list) the first element is read.
 */
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
import { type NrrdHeader, nrrdAxes, nrrdGeometry, parseNrrdHeader } from './nrrd-header.ts';
import { numbers, readLine, staysInFolder } from './text-header.ts';

const typeNames: readonly [ElementType, string][] = [
  ['int8', 'signed char|int8|int8_t'],
  ['uint8', 'uchar|unsigned char|uint8|uint8_t'],
  ['int16', 'short|short int|signed short|signed short int|int16|int16_t'],
  ['uint16', 'ushort|unsigned short|unsigned short int|uint16|uint16_t'],
  ['int32', 'int|signed int|int32|int32_t'],
  ['uint32', 'uint|unsigned int|uint32|uint32_t'],
  ['int64', 'longlong|long long|long long int|signed long long|signed long long int|int64|int64_t'],
  ['uint64', 'ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t'],
  ['float32', 'float'],
  ['float64', 'double'],
];

function elementType(header: NrrdHeader, name: string): ElementType {
  const given = (header.fields.get('type') ?? '').toLowerCase().replace(/\s+/g, ' ');
  const found = typeNames.find(([, names]) => names.split('|').includes(given));
  if (!found)
    throw unsupported(name, `its type '${given.slice(0, 40)}' is no number type`, 'Convert it to short.');
  return found[0];
}

/** NRRD file -> image with geometry. */
export async function readNrrd(input: ReaderInput): Promise<DecodedImage> {
  const { name } = input;
  const header = parseNrrdHeader(input.bytes, name);
  const warnings: string[] = [];
  const type = elementType(header, name);
  const axes = nrrdAxes(header, name, warnings);
  const { columns, rows, frames, channels } = axes;
  const count = checkedByteCount([columns, rows, frames, channels], elementBytes[type], name, input.limits);
  const { owned, siblings } = await readData(input, header, count, elementBytes[type]);
  const endian = header.fields.get('endian')?.toLowerCase();
  if (endian === undefined && elementBytes[type] > 1) {
    throw malformed(name, "its header has no 'endian' line");
  }
  return {
    format: 'nrrd',
    frames: { columns, rows, frames, channels, data: decodeElements(owned, type, endian !== 'big') },
    rescale: { slope: 1, intercept: 0 },
    kind: frames > 1 ? 'volume' : 'image',
    modality: header.keys.get('DICOM_0008_0060_Modality') ?? 'OT',
    description: header.fields.get('content') ?? '',
    ...nrrdGeometry(header, axes, name, warnings),
    units: '',
    windows: [],
    synthetic: saysSynthetic(
      ...header.comments,
      header.fields.get('content') ?? '',
      ...[...header.keys].map(([key, value]) => `${key} := ${value}`),
    ),
    warnings,
    identifiers: Object.fromEntries([...header.keys].filter(([key]) => /patient|name|_?id$|date/i.test(key))),
    siblings,
  };
}

async function readData(
  input: ReaderInput,
  header: NrrdHeader,
  count: number,
  bytesPerValue: number,
): Promise<{ owned: Uint8Array; siblings: ByteSource[] }> {
  const { name } = input;
  const siblings: ByteSource[] = [];
  let source = input.bytes.subarray(header.end);
  const file = header.fields.get('data file') ?? header.fields.get('datafile');
  if (file !== undefined) {
    if (/^list\b/i.test(file) || /%\d*d/.test(file)) {
      throw unsupported(name, 'its voxels are spread over many files', 'Save it as one .nrrd file.');
    }
    const relative = file.replace(/^\.[\\/]/, '');
    const data = staysInFolder(relative) ? await input.sibling?.(relative) : undefined;
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
  source = skipLines(source, header, name);
  const encoding = (header.fields.get('encoding') ?? '').toLowerCase();
  const skip = skipField(header, 'byte skip', 'byteskip', name);
  if (encoding === 'gzip' || encoding === 'gz') {
    const range = { skip: Math.max(0, skip), count };
    return { owned: await inflateRange('gzip', source, range, name, input.signal), siblings };
  }
  if (encoding !== 'raw') {
    throw unsupported(name, `its encoding '${encoding.slice(0, 40)}' is not read`, 'Save it as raw or gzip.');
  }
  // Byte skip -1: the data are the last bytes of the file, whatever comes before (NRRD0004).
  const offset = skip < 0 ? source.byteLength - count : skip;
  requireBytes(source.byteLength - Math.max(0, offset), count, name);
  if (count % bytesPerValue !== 0) throw malformed(name, 'its size is no whole number of voxels');
  return { owned: ownBytes(source, offset, count), siblings };
}

function skipLines(source: Uint8Array, header: NrrdHeader, name: string): Uint8Array {
  const lines = skipField(header, 'line skip', 'lineskip', name);
  let at = 0;
  for (let i = 0; i < lines; i++) {
    const read = readLine(source, at);
    if (!read) throw malformed(name, `its data file has fewer than the ${lines} lines to skip`);
    at = read.next;
  }
  return source.subarray(at);
}

function skipField(header: NrrdHeader, key: string, alias: string, name: string): number {
  const text = header.fields.get(key) ?? header.fields.get(alias);
  if (text === undefined) return 0;
  const [value] = numbers(text, key, name);
  if (!Number.isSafeInteger(value) || value < -1)
    throw malformed(name, `its '${key}' is '${text.slice(0, 40)}'`);
  return value;
}
