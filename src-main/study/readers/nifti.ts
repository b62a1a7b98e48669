/**
 * NIfTI-1/2 reader: .nii, .nii.gz, .hdr + .img (either of them gzipped), and ANALYZE 7.5 without orientation.
 *
 * Voxels keep the order of the file (x fastest), which is the order of FrameSet: columns = x, rows = y, frames = z.
 * The affine is turned from RAS to LPS. Of a series in time the first volume is read.
 */
import type { ReadroomError } from '../../../src-contract/errors.ts';
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
import { inflatePrefix, inflateRange } from './inflate.ts';
import { type NiftiHeader, niftiAffine, niftiPrefixBytes, parseNiftiHeader } from './nifti-header.ts';
import { columnLengths, flipRasLps, isUsableAffine, usableSpacing } from './volume-geometry.ts';

/** nifti1.h datatype codes. RGB types are several bytes a voxel. */
const datatypes: Readonly<Record<number, { type: ElementType; samples: 1 | 3 | 4 }>> = {
  2: { type: 'uint8', samples: 1 },
  4: { type: 'int16', samples: 1 },
  8: { type: 'int32', samples: 1 },
  16: { type: 'float32', samples: 1 },
  64: { type: 'float64', samples: 1 },
  128: { type: 'uint8', samples: 3 },
  256: { type: 'int8', samples: 1 },
  512: { type: 'uint16', samples: 1 },
  768: { type: 'uint32', samples: 1 },
  1024: { type: 'int64', samples: 1 },
  1280: { type: 'uint64', samples: 1 },
  2304: { type: 'uint8', samples: 4 },
};

const unreadableTypes: Readonly<Record<number, string>> = {
  1: 'single bits',
  32: 'complex numbers',
  1536: '128-bit floats',
  1792: 'complex numbers',
  2048: 'complex numbers',
};

/** The array of a NIfTI file as it is stored, before rescaling. */
export interface NiftiArray {
  header: NiftiHeader;
  /** x fastest. `samples` values a voxel. */
  data: StoredArray;
  samples: 1 | 3 | 4;
  /** Lengths of the axes that were read: all of them, or the first three. */
  shape: number[];
  siblings: ByteSource[];
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes.byteLength > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Slope and intercept as nibabel takes them: a slope of 0 or not finite means "no scaling". */
export function niftiRescale(header: NiftiHeader): { slope: number; intercept: number } {
  if (header.slope === 0 || !Number.isFinite(header.slope)) return { slope: 1, intercept: 0 };
  return { slope: header.slope, intercept: Number.isFinite(header.intercept) ? header.intercept : 0 };
}

/**
 * Reads the voxels, every volume of a 4D file (`volumes: 'all'`) or the first.
 *
 * @throws ReadroomError 'file-malformed' | 'file-truncated' | 'format-unsupported' | 'file-too-large'
 */
export async function readNiftiArray(input: ReaderInput, volumes: 'first' | 'all'): Promise<NiftiArray> {
  const { bytes, name } = input;
  const prefix = isGzip(bytes) ? await inflatePrefix('gzip', bytes, niftiPrefixBytes) : bytes;
  const header = parseNiftiHeader(prefix.subarray(0, niftiPrefixBytes), name);
  const kind = datatypes[header.datatype];
  if (!kind) {
    const what = unreadableTypes[header.datatype] ?? `data type ${header.datatype}`;
    throw unsupported(
      name,
      `it stores ${what}, which is no image`,
      'Convert it to integers or floats first.',
    );
  }
  const shape = volumes === 'all' ? header.shape : header.shape.slice(0, 3);
  const bytesPerVoxel = elementBytes[kind.type] * kind.samples;
  const count = checkedByteCount(shape, bytesPerVoxel, name, input.limits);

  const siblings: ByteSource[] = [];
  let source = bytes;
  if (header.pair) {
    const data = await findPairData(input);
    if (data) {
      siblings.push(data);
      source = await data.read(input.limits);
    } else {
      throw missingPair(input);
    }
  }
  const offset = dataOffset(header, name);
  const owned = isGzip(source)
    ? await inflateRange('gzip', source, { skip: offset, count }, name, input.signal)
    : ownRange(source, offset, count, name);
  const data = decodeElements(owned, kind.type, header.littleEndian);
  return { header, data, samples: kind.samples, shape, siblings };
}

function ownRange(source: Uint8Array, offset: number, count: number, name: string): Uint8Array {
  requireBytes(source.byteLength - offset, count, name);
  return ownBytes(source, offset, count);
}

function dataOffset(header: NiftiHeader, name: string): number {
  const least = header.pair ? 0 : header.version === 1 ? 352 : 544;
  const offset = header.dataOffset;
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw malformed(name, `its header puts the voxels at byte ${offset}`);
  }
  // Some writers leave vox_offset at 0 in single files; nibabel reads those from the end of the header too.
  return offset === 0 ? least : offset;
}

async function findPairData(input: ReaderInput): Promise<ByteSource | undefined> {
  if (!input.sibling) return undefined;
  const stem = input.fileName.replace(/\.gz$/i, '').replace(/\.hdr$/i, '');
  for (const extension of ['.img', '.img.gz', '.IMG']) {
    const found = await input.sibling(`${stem}${extension}`);
    if (found) return found;
  }
  return undefined;
}

function missingPair(input: ReaderInput): ReadroomError {
  return unsupported(
    input.name,
    'it is the header of a NIfTI pair, and its .img file is not beside it',
    'Put the .img file of the same name into the same folder.',
  );
}

/** NIfTI file -> image with geometry. */
export async function readNifti(input: ReaderInput): Promise<DecodedImage> {
  const array = await readNiftiArray(input, 'first');
  const { header, shape } = array;
  const warnings: string[] = [];
  const further = header.shape.slice(3).reduce((product, length) => product * length, 1);
  if (further > 1) warnings.push(`The file holds ${further} volumes; the first one is shown.`);
  const [columns, rows = 1, frames = 1] = shape;
  const { data, channels } = array.samples === 4 ? dropAlpha(array.data, warnings) : colour(array);
  const geometry = niftiToPatient(header, warnings);
  const [calLow, calHigh] = header.calibration;
  return {
    format: 'nifti',
    frames: { columns, rows, frames, channels, data },
    rescale: channels === 1 ? niftiRescale(header) : { slope: 1, intercept: 0 },
    kind: frames > 1 ? 'volume' : 'image',
    modality: 'OT',
    description: header.description,
    ...geometry,
    units: '',
    windows: calHigh > calLow ? [{ center: (calLow + calHigh) / 2, width: calHigh - calLow }] : [],
    synthetic: saysSynthetic(header.description),
    warnings,
    identifiers: {},
    siblings: array.siblings,
  };
}

function colour(array: NiftiArray): { data: StoredArray; channels: 1 | 3 } {
  return { data: array.data, channels: array.samples === 3 ? 3 : 1 };
}

function dropAlpha(data: StoredArray, warnings: string[]): { data: StoredArray; channels: 3 } {
  warnings.push('The transparency of its RGBA voxels is ignored.');
  const out = new Uint8Array((data.length / 4) * 3);
  for (let i = 0, o = 0; i < data.length; i += 4) {
    out[o++] = data[i];
    out[o++] = data[i + 1];
    out[o++] = data[i + 2];
  }
  return { data: out, channels: 3 };
}

/** Millimetres, LPS. xyzt_units: 1 metre, 2 millimetre, 3 micrometre, 0 taken as millimetres. */
export function niftiToPatient(
  header: NiftiHeader,
  warnings: string[] = [],
): Pick<DecodedImage, 'spacing' | 'sourceToPatient'> {
  const scale = header.spatialUnit === 1 ? 1000 : header.spatialUnit === 3 ? 0.001 : 1;
  const pixdim = [1, 2, 3].map((i) => {
    const step = Math.abs(header.pixdim[i]) * scale;
    return i > header.shape.length && !(step > 0) ? 1 : step;
  });
  const ras = niftiAffine(header);
  if (!ras) {
    warnings.push('The file states no orientation (sform and qform codes are 0): its sides are unknown.');
    return { spacing: usableSpacing(pixdim), sourceToPatient: null };
  }
  const lps = flipRasLps(ras.map((value) => value * scale));
  if (!isUsableAffine(lps)) {
    warnings.push(
      'The orientation in its header is not usable (singular or not finite): its sides are unknown.',
    );
    return { spacing: usableSpacing(pixdim), sourceToPatient: null };
  }
  return { spacing: columnLengths(lps), sourceToPatient: lps };
}
