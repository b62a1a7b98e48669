/**
 * DICOM without identifiers: PS3.15's Basic Application Level Confidentiality Profile with the Retain UIDs Option, done
 * by a list of what is kept rather than of what goes. Kept is what an image needs to be read and placed; every other
 * attribute, private ones and those that a later edition adds included, is not copied. Pixels are copied as they are, so
 * files that may show a name in them are refused.
 */
import { ReadroomError } from '../../../src-contract/errors.ts';
import { defaultLimits, malformed, unsupported } from '../reader.ts';
import type { DataSet } from '../readers/dicom/data-set.ts';
import type { Element, Encoding } from '../readers/dicom/element-reader.ts';
import { type Part10, readPart10 } from '../readers/dicom/part10.ts';
import {
  deflatedLittleEndian,
  explicitBigEndian,
  explicitLittleEndian,
  implicitLittleEndian,
  transferSyntax,
} from '../readers/dicom/transfer-syntax.ts';

/** docs/projects.md lists these by name. */
const kept = new Set(
  `0008: 0005 0008 0016 0018 0060 0070 9007 9205 9206 9207
   0018: 0020 0021 0022 0023 0025 0050 0060 0080 0081 0082 0083 0084 0086 0087 0088 0089 0090 0091 0093 0094 0095
   0018: 1060 1088 1100 1110 1111 1114 1120 1140 1150 1151 1152 1164 1190 1210 1310 1312 1314 2010 5100 5101 9075
   0018: 9076 9082 9087 9089 9114 9115 9117 9226 9329
   0020: 000d 000e 0011 0012 0013 0020 0032 0037 0052 0060 0100 0105 1040 1041 9056 9057 9071 9072 9111 9113 9116
   0020: 9128 9157 9164 9165 9167 9221 9222 9241
   0028: 0002 0004 0006 0008 0009 0010 0011 0030 0034 0100 0101 0102 0103 0106 0107 0108 0109 0120 0121 0301 0302
   0028: 0a02 1040 1041 1050 1051 1052 1053 1054 1056 1101 1102 1103 1199 1201 1202 1203 1221 1222 1223 2110 2112
   0028: 2114 3000 3002 3004 3006 3010 9110 9132 9145
   0054: 0081 1001
   0062: 000a 000b
   3004: 0002 0004 000c 000e
   5200: 9229 9230`
    .split('\n')
    .flatMap((line) => {
      const [group = '', elements = ''] = line.trim().split(': ');
      return elements.split(' ').map((element) => Number.parseInt(group + element, 16));
    }),
);

const sequences = new Set([
  0x00189075, 0x00189076, 0x00189114, 0x00189115, 0x00189117, 0x00189226, 0x00189329, 0x00209071, 0x00209072,
  0x00209111, 0x00209113, 0x00209116, 0x00209221, 0x00209222, 0x00283000, 0x00283010, 0x00289110, 0x00289132,
  0x00289145, 0x0062000a, 0x52009229, 0x52009230,
]);

/** SOP classes of pictures that often carry a name in their pixels. */
const mayShowNames = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(7(\..*)?|6\.[12]|3\.1|77\.1\..*)$/;

/** What every image says instead of what was taken out; empty where the standard wants the attribute to be there. */
const replaced: readonly (readonly [tag: number, vr: string, value: string])[] = [
  [0x00080020, 'DA', ''],
  [0x00080030, 'TM', ''],
  [0x00080050, 'SH', ''],
  [0x00080090, 'PN', ''],
  [0x00100010, 'PN', ''],
  [0x00100020, 'LO', ''],
  [0x00100030, 'DA', ''],
  [0x00100040, 'CS', ''],
  [0x00120062, 'CS', 'YES'],
  [0x00120063, 'LO', 'Readroom: only what the image needs is kept'],
  [0x00200010, 'SH', ''],
];

/** Codes of PS3.16 CID 7050, in (0012,0064). */
const methodCodes = [
  ['113100', 'Basic Application Confidentiality Profile'],
  ['113110', 'Retain UIDs Option'],
] as const;

/** @throws ReadroomError 'format-unsupported' where names may be in the pixels, 'file-malformed', 'file-truncated' */
export function deidentifyDicom(bytes: Uint8Array, name: string): Uint8Array {
  const file = readPart10(bytes, name, defaultLimits);
  const { dataSet, pixel, fault } = file;
  if (!pixel) throw malformed(name, fault ?? 'it holds no pixels');
  refuseNames(dataSet, name);
  const { encoding } = dataSet;
  const parts: Part[] = [];
  for (const [tag, vr, value] of replaced) parts.push({ tag, bytes: textElement(encoding, tag, vr, value) });
  parts.push({ tag: 0x00120064, bytes: methodSequence(encoding) });
  parts.push(...copied(dataSet));
  parts.push({ tag: pixel.tag, bytes: pixelElement(file, pixel, name) });
  // Attributes of a data set are in rising order (PS3.5 section 7.1).
  parts.sort((a, b) => a.tag - b.tag);
  const body = parts.map((part) => part.bytes);
  return new Uint8Array(Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), meta(file), ...body]));
}

function refuseNames(dataSet: DataSet, name: string): void {
  const burned = dataSet.string(0x00280301);
  const suspect = mayShowNames.test(dataSet.string(0x00080016) ?? '');
  if (burned !== 'YES' && !(suspect && burned !== 'NO')) return;
  throw unsupported(
    name,
    'names may be written into its pixels, and nothing here can take them out',
    'Send it by itself, after looking at it.',
  );
}

interface Part {
  readonly tag: number;
  readonly bytes: Buffer;
}

function copied(dataSet: DataSet): Part[] {
  const parts: Part[] = [];
  for (const element of dataSet.elements()) {
    const { tag } = element;
    if (!kept.has(tag) || element.cut) continue;
    if (sequences.has(tag)) {
      // One written as unknown is encoded otherwise than the rest; no image needs it.
      if (element.vr === 'UN') continue;
      const items = dataSet.items(tag).map((item) => itemOf(dataSet.encoding, copied(item)));
      parts.push({ tag, bytes: elementOf(dataSet.encoding, tag, 'SQ', Buffer.concat(items)) });
    } else if (!element.undefinedLength && (element.vr !== '' || !dataSet.encoding.explicit)) {
      const value = Buffer.from(dataSet.raw(tag) ?? []);
      parts.push({ tag, bytes: elementOf(dataSet.encoding, tag, element.vr, value) });
    }
  }
  return parts;
}

const longForm = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

function elementHeader(encoding: Encoding, tag: number, vr: string, length: number): Buffer {
  const long = encoding.explicit && longForm.has(vr);
  const header = Buffer.alloc(long ? 12 : 8);
  u16(header, encoding, tag >>> 16, 0);
  u16(header, encoding, tag & 0xffff, 2);
  if (encoding.explicit) {
    header.write(vr, 4, 'latin1');
    if (long) u32(header, encoding, length, 8);
    else u16(header, encoding, length, 6);
  } else u32(header, encoding, length, 4);
  return header;
}

function elementOf(encoding: Encoding, tag: number, vr: string, value: Buffer): Buffer {
  const padded =
    value.length % 2 === 0 ? value : Buffer.concat([value, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
  return Buffer.concat([elementHeader(encoding, tag, vr, padded.length), padded]);
}

const textElement = (encoding: Encoding, tag: number, vr: string, value: string): Buffer =>
  elementOf(encoding, tag, vr, Buffer.from(value, 'latin1'));

function itemOf(encoding: Encoding, parts: readonly Part[]): Buffer {
  const body = Buffer.concat(parts.map(({ bytes }) => bytes));
  return Buffer.concat([itemHeader(encoding, 0xe000, body.length), body]);
}

function itemHeader(encoding: Encoding, element: number, length: number): Buffer {
  const header = Buffer.alloc(8);
  u16(header, encoding, 0xfffe, 0);
  u16(header, encoding, element, 2);
  u32(header, encoding, length, 4);
  return header;
}

function methodSequence(encoding: Encoding): Buffer {
  const items = methodCodes.map(([code, meaning]) =>
    itemOf(encoding, [
      { tag: 0x00080100, bytes: textElement(encoding, 0x00080100, 'SH', code) },
      { tag: 0x00080102, bytes: textElement(encoding, 0x00080102, 'SH', 'DCM') },
      { tag: 0x00080104, bytes: textElement(encoding, 0x00080104, 'LO', meaning) },
    ]),
  );
  return elementOf(encoding, 0x00120064, 'SQ', Buffer.concat(items));
}

/** Pixel data as they are; what follows them in the file (padding, signatures) is not taken along. */
function pixelElement({ dataSet }: Part10, pixel: Element, name: string): Buffer {
  const { bytes, encoding } = dataSet;
  const vr = pixel.vr || 'OW';
  if (!pixel.undefinedLength) {
    if (pixel.cut) throw truncated(name);
    const value = Buffer.from(bytes.subarray(pixel.offset, pixel.offset + pixel.length));
    return elementOf(encoding, pixel.tag, vr, value);
  }
  const end = fragmentsEnd(bytes, encoding, pixel.offset, name);
  return Buffer.concat([
    elementHeader(encoding, pixel.tag, vr, 0xffffffff),
    bytes.subarray(pixel.offset, end),
    itemHeader(encoding, 0xe0dd, 0),
  ]);
}

/** Where the sequence delimiter of encapsulated pixel data stands. */
function fragmentsEnd(bytes: Uint8Array, { littleEndian }: Encoding, from: number, name: string): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  while (at + 8 <= bytes.length && view.getUint16(at, littleEndian) === 0xfffe) {
    const element = view.getUint16(at + 2, littleEndian);
    if (element === 0xe0dd) return at;
    if (element !== 0xe000) break;
    at += 8 + view.getUint32(at + 4, littleEndian);
  }
  throw truncated(name);
}

const truncated = (name: string): ReadroomError =>
  new ReadroomError('file-truncated', `${name}: its pixel data are cut short.`, {
    file: name,
    remedy: 'Get the file again from where it came from.',
  });

/** File meta information (PS3.10 section 7.1), with nothing of who wrote the file. */
function meta({ dataSet, transferSyntax: syntax }: Part10): Buffer {
  const explicit: Encoding = { explicit: true, littleEndian: true };
  const { encoding } = dataSet;
  const native = syntax === deflatedLittleEndian || transferSyntax(syntax).coding === 'native';
  const byEncoding = !encoding.explicit
    ? implicitLittleEndian
    : encoding.littleEndian
      ? explicitLittleEndian
      : explicitBigEndian;
  const uid = (tag: number): string => dataSet.string(tag) ?? '';
  const body = Buffer.concat([
    elementOf(explicit, 0x00020001, 'OB', Buffer.from([0, 1])),
    elementOf(explicit, 0x00020002, 'UI', Buffer.from(uid(0x00080016), 'latin1')),
    elementOf(explicit, 0x00020003, 'UI', Buffer.from(uid(0x00080018), 'latin1')),
    elementOf(explicit, 0x00020010, 'UI', Buffer.from(native ? byEncoding : syntax, 'latin1')),
    elementOf(explicit, 0x00020012, 'UI', Buffer.from(implementationClass, 'latin1')),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length, 0);
  return Buffer.concat([elementOf(explicit, 0x00020000, 'UL', length), body]);
}

/** A UUID-derived UID (PS3.5 annex B.2) of this writer. */
const implementationClass = '2.25.302645128094387653219044918377562019483';

function u16(bytes: Buffer, { littleEndian }: Encoding, value: number, at: number): void {
  if (littleEndian) bytes.writeUInt16LE(value, at);
  else bytes.writeUInt16BE(value, at);
}

function u32(bytes: Buffer, { littleEndian }: Encoding, value: number, at: number): void {
  if (littleEndian) bytes.writeUInt32LE(value, at);
  else bytes.writeUInt32BE(value, at);
}
