/** Volumes with a header of text or fixed fields, without what a person may have written into it. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { malformed, unsupported } from '../reader.ts';
import { niftiVersion } from '../readers/nifti-header.ts';
import { readLine } from '../readers/text-header.ts';

/** Byte ranges of the free texts of nifti1.h and nifti2.h: data_type, db_name; descrip, aux_file; intent_name. */
const niftiTexts = {
  1: [
    [4, 32],
    [148, 252],
    [328, 344],
  ],
  2: [
    [240, 344],
    [508, 524],
  ],
} as const;
const niftiHeaderBytes = { 1: 348, 2: 540 } as const;

/** Free texts are blanked and extensions (which hold DICOM headers and the like) emptied; offsets stay as they are. */
export function deidentifyNifti(bytes: Uint8Array, name: string): Uint8Array {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = packed ? gunzip(bytes, name) : Uint8Array.from(bytes);
  const found = niftiVersion(plain);
  if (!found) throw malformed(name, 'it does not begin with a NIfTI header (348 or 540)');
  const { version, littleEndian } = found;
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const magic = String.fromCharCode(...plain.subarray(version === 1 ? 344 : 4, version === 1 ? 347 : 7));
  if (magic !== 'n+1' && magic !== 'n+2') throw separate(name);
  for (const [from, to] of niftiTexts[version]) plain.fill(0, from, to);
  const header = niftiHeaderBytes[version];
  const data =
    version === 1
      ? Math.trunc(view.getFloat32(108, littleEndian))
      : Number(view.getBigInt64(168, littleEndian));
  if (!(data >= header && data <= plain.length)) throw malformed(name, 'its data begin outside the file');
  plain.fill(0, header, data);
  return packed ? new Uint8Array(gzipSync(plain)) : plain;
}

const maxUnpacked = 4 * 1024 ** 3;

function gunzip(bytes: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxUnpacked });
  } catch (thrown) {
    throw malformed(name, 'its gzip stream is damaged', thrown instanceof Error ? thrown.message : undefined);
  }
}

const separate = (name: string) =>
  unsupported(name, 'header and voxels are in separate files', 'Save it as one file to send it along.');

/** Keys that say how the voxels lie; `Synthetic` is Readroom's own. */
const metaImageKeys = new Set(
  `ObjectType NDims BinaryData BinaryDataByteOrderMSB ElementByteOrderMSB CompressedData CompressedDataSize
   TransformMatrix Rotation Orientation Offset Position Origin CenterOfRotation AnatomicalOrientation ElementSpacing
   ElementSize DimSize HeaderSize Modality ElementType ElementNumberOfChannels ElementMin ElementMax Synthetic
   ElementDataFile`.split(/\s+/),
);

export function deidentifyMetaImage(bytes: Uint8Array, name: string): Uint8Array {
  const lines: string[] = [];
  let at = 0;
  for (;;) {
    const read = readLine(bytes, at);
    if (!read) throw malformed(name, "its MetaImage header has no 'ElementDataFile' line");
    at = read.next;
    const [key = '', ...value] = read.line.split('=');
    if (metaImageKeys.has(key.trim())) lines.push(`${key.trim()} = ${value.join('=').trim()}\n`);
    if (key.trim() !== 'ElementDataFile') continue;
    if (value.join('=').trim().toUpperCase() !== 'LOCAL') throw separate(name);
    return new Uint8Array(Buffer.concat([Buffer.from(lines.join('')), bytes.subarray(at)]));
  }
}

const nrrdFields = new Set(
  `dimension|type|block size|encoding|endian|sizes|spacings|thicknesses|axis mins|axis maxs|centers|centerings|kinds|space
   |space dimension|space units|space origin|space directions|measurement frame|line skip|lineskip|byte skip|byteskip`
    .replace(/\s*\n\s*/g, '')
    .split('|'),
);

/** Comments, key/value pairs (where 3D Slicer puts DICOM attributes), content and labels are left out. */
export function deidentifyNrrd(bytes: Uint8Array, name: string): Uint8Array {
  const first = readLine(bytes, 0);
  if (!first?.line.startsWith('NRRD')) throw malformed(name, 'it does not begin with NRRD');
  const lines = [first.line];
  let at = first.next;
  for (;;) {
    const read = readLine(bytes, at);
    if (!read) throw malformed(name, 'its NRRD header has no end');
    at = read.next;
    if (read.line === '') break;
    const field = /^([^:=#]+):\s/.exec(read.line)?.[1]?.trim().toLowerCase();
    if (field === 'data file' || field === 'datafile') throw separate(name);
    if (field !== undefined && nrrdFields.has(field)) lines.push(read.line);
  }
  return new Uint8Array(Buffer.concat([Buffer.from(`${lines.join('\n')}\n\n`), bytes.subarray(at)]));
}
