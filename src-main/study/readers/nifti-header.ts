/**
 * NIfTI-1 and NIfTI-2 headers (nifti1.h, nifti2.h of nifti.nimh.nih.gov), either byte order.
 *
 * Parsed here rather than by nifti-reader-js: that library prefers the qform where its code is larger and walks header
 * extensions without bounds; nibabel, ITK and the standard prefer the sform whenever its code is positive.
 */
import { malformed } from '../reader.ts';

export interface NiftiHeader {
  version: 1 | 2;
  littleEndian: boolean;
  /** Header and data in separate files (.hdr/.img). */
  pair: boolean;
  /** ANALYZE 7.5: no magic, no orientation. */
  analyze: boolean;
  /** Lengths of the axes, x first; as many as dim[0] says. */
  shape: number[];
  datatype: number;
  pixdim: number[];
  dataOffset: number;
  slope: number;
  intercept: number;
  qformCode: number;
  sformCode: number;
  /** b, c, d, offset x, y, z. */
  quaternion: number[];
  /** srow_x, srow_y, srow_z: 3x4, row-major, RAS. */
  sform: number[];
  spatialUnit: number;
  calibration: [number, number];
  description: string;
}

const headerBytes = { 1: 348, 2: 540 } as const;
/** Enough of a file to hold either header. */
export const niftiPrefixBytes = 544;

/** Which NIfTI this is, by sizeof_hdr in either byte order; undefined when it is none. */
export function niftiVersion(bytes: Uint8Array): { version: 1 | 2; littleEndian: boolean } | undefined {
  if (bytes.byteLength < headerBytes[1]) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const littleEndian of [true, false]) {
    const size = view.getInt32(0, littleEndian);
    if (size === headerBytes[1]) return { version: 1, littleEndian };
    if (size === headerBytes[2]) return { version: 2, littleEndian };
  }
  return undefined;
}

/** True for a NIfTI magic; ANALYZE files have none and are told by their name alone. */
export function hasNiftiMagic(bytes: Uint8Array): boolean {
  const found = niftiVersion(bytes);
  if (!found) return false;
  const at = found.version === 1 ? 344 : 4;
  return ['n+1', 'ni1', 'n+2', 'ni2'].includes(text(bytes, at, 3));
}

export function parseNiftiHeader(bytes: Uint8Array, name: string): NiftiHeader {
  const found = niftiVersion(bytes);
  if (!found) throw malformed(name, 'it does not begin with a NIfTI header (348 or 540)');
  const { version, littleEndian } = found;
  if (bytes.byteLength < headerBytes[version]) throw malformed(name, 'its NIfTI header is cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const short = (at: number) => view.getInt16(at, littleEndian);
  const int = (at: number) => view.getInt32(at, littleEndian);
  const long = (at: number) => Number(view.getBigInt64(at, littleEndian));
  const float = (at: number) => view.getFloat32(at, littleEndian);
  const double = (at: number) => view.getFloat64(at, littleEndian);
  const many = (count: number, from: number, step: number, read: (at: number) => number) =>
    Array.from({ length: count }, (_, i) => read(from + i * step));

  const magic = text(bytes, version === 1 ? 344 : 4, 3);
  const common = {
    version,
    littleEndian,
    pair: magic === 'ni1' || magic === 'ni2' || !magic.startsWith('n'),
    analyze: !magic.startsWith('n'),
  };
  if (version === 1) {
    return {
      ...common,
      shape: axes(many(8, 40, 2, short), name),
      datatype: short(70),
      pixdim: many(8, 76, 4, float),
      dataOffset: float(108),
      slope: float(112),
      intercept: float(116),
      spatialUnit: bytes[123] & 7,
      calibration: [float(128), float(124)],
      description: text(bytes, 148, 80),
      qformCode: common.analyze ? 0 : short(252),
      sformCode: common.analyze ? 0 : short(254),
      quaternion: many(6, 256, 4, float),
      sform: many(12, 280, 4, float),
    };
  }
  return {
    ...common,
    datatype: short(12),
    shape: axes(many(8, 16, 8, long), name),
    pixdim: many(8, 104, 8, double),
    dataOffset: long(168),
    slope: double(176),
    intercept: double(184),
    calibration: [double(200), double(192)],
    description: text(bytes, 240, 80),
    qformCode: int(344),
    sformCode: int(348),
    quaternion: many(6, 352, 8, double),
    sform: many(12, 400, 8, double),
    spatialUnit: int(500) & 7,
  };
}

function axes(dim: number[], name: string): number[] {
  const count = dim[0];
  if (!(count >= 1 && count <= 7))
    throw malformed(name, `its header gives ${count} axes where 1 to 7 are allowed`);
  const shape = dim.slice(1, count + 1);
  const bad = shape.find((length) => !Number.isSafeInteger(length) || length < 1);
  if (bad !== undefined) throw malformed(name, `its header gives an axis of length ${bad}`);
  return shape;
}

function text(bytes: Uint8Array, at: number, count: number): string {
  const raw = bytes.subarray(at, at + count);
  const end = raw.indexOf(0);
  return Buffer.from(end < 0 ? raw : raw.subarray(0, end))
    .toString('latin1')
    .trim();
}

/**
 * Voxel index -> RAS, in the header's own unit, row-major 3x4: the sform where its code is positive, else the qform,
 * else null (the header states no orientation). The choice and the arithmetic are nibabel's `get_best_affine`.
 */
export function niftiAffine(header: NiftiHeader): number[] | null {
  if (header.sformCode > 0) return header.sform;
  if (header.qformCode <= 0) return null;
  const [b, c, d, x, y, z] = header.quaternion;
  const squares = b * b + c * c + d * d;
  // Float32 rounding makes the sum of a half turn slightly exceed 1: then the rotation has no real part.
  const a = squares < 1 ? Math.sqrt(1 - squares) : 0;
  const norm = a * a + squares;
  if (!(norm > 0)) return null;
  const s = 2 / norm;
  const rotation = [
    1 - s * (c * c + d * d),
    s * (b * c - d * a),
    s * (b * d + c * a),
    s * (b * c + d * a),
    1 - s * (b * b + d * d),
    s * (c * d - b * a),
    s * (b * d - c * a),
    s * (c * d + b * a),
    1 - s * (b * b + c * c),
  ];
  const flip = header.pixdim[0] < 0 ? -1 : 1;
  const zooms = [header.pixdim[1], header.pixdim[2], header.pixdim[3] * flip];
  const offset = [x, y, z];
  return [0, 1, 2].flatMap((r) => [...zooms.map((zoom, axis) => rotation[r * 3 + axis] * zoom), offset[r]]);
}
