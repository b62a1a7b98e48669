/**
 * Coordinate frames and the affine chain that carries a predicted box back to the patient.
 *
 * Frames, from the patient to the model:
 *   patient   millimetres, DICOM LPS (x to the patient's left, y to posterior, z to superior)
 *   source    voxel index (i column, j row, k slice) of the file's own grid, voxel CENTRES at whole numbers
 *   canonical voxel index after the signed axis permutation that makes the volume axial, patient-left on the image's
 *             right, feet to head; for a 2D image it is the image itself
 *   grid      index in the resampled model grid (x 0..W-1, y 0..H-1, z 0..D-1), e.g. 32 x 256 x 256; for 2D the image
 *   processor pixel index in the image after the model's own resize; z is the slice index of the grid
 *
 * Every frame puts centres at whole numbers. A box [x1, x2) of pixels therefore has its EDGES at x1 - 0.5 and x2 - 0.5.
 * Resizing follows align_corners=False: src = (dst + 0.5) * scale - 0.5.
 *
 * Frames are branded, so that a point of one can't be passed where another is expected.
 */
import { z } from 'zod';

export const frames = ['patient', 'source', 'canonical', 'grid', 'processor'] as const;
export type Frame = (typeof frames)[number];

declare const frameBrand: unique symbol;
/** A point (or edge position) in one frame. */
export type Point<F extends Frame> = readonly [number, number, number] & { readonly [frameBrand]: F };
/** Names a bare triple as a point of a frame: the only way in. */
export function point<F extends Frame>(_frame: F, x: number, y: number, z: number): Point<F> {
  return [x, y, z] as unknown as Point<F>;
}

/** Row-major 3x4: the first three columns are the linear part, the fourth the offset. */
export const affineSchema = z.array(z.number()).length(12);
export type Affine<_From extends Frame = Frame, _To extends Frame = Frame> = readonly number[] & {
  readonly __from?: _From;
  readonly __to?: _To;
};

const sizeSchema = z.tuple([
  z.number().int().positive(),
  z.number().int().positive(),
  z.number().int().positive(),
]);

export const affineChainSchema = z.object({
  /** source voxel index -> patient millimetres (LPS); null for images without a position (PNG, JPEG, bare arrays). */
  sourceToPatient: affineSchema.nullable(),
  /** canonical index -> source index: a signed permutation with offset. */
  canonicalToSource: affineSchema,
  /** grid index -> canonical index (half-voxel convention of align_corners=False). */
  gridToCanonical: affineSchema,
  /** processor pixel index -> grid index; z unchanged. */
  processorToGrid: affineSchema,
  /** [x, y, z] sizes of each frame. */
  sourceSize: sizeSchema,
  canonicalSize: sizeSchema,
  gridSize: sizeSchema,
  processorSize: sizeSchema,
  serialization: z.enum(['anatomical', 'reference', 'image']),
});
export type AffineChain = z.infer<typeof affineChainSchema>;

/** A clamped box in processor pixels, half open: x1 <= x < x2; z in slices. For 2D z1 = 0, z2 = 1. */
export const processorBoxSchema = z.object({
  x1: z.number().int(),
  y1: z.number().int(),
  z1: z.number().int(),
  x2: z.number().int(),
  y2: z.number().int(),
  z2: z.number().int(),
});
export type ProcessorBox = z.infer<typeof processorBoxSchema>;

/** Where a box lies outside the model: edges (not centres), so min/max are multiples of half a voxel at scale 1. */
export const locatedBoxSchema = z.object({
  /** Edge positions in source voxel index coordinates, [i, j, k]. */
  sourceVoxel: z.object({
    min: z.tuple([z.number(), z.number(), z.number()]),
    max: z.tuple([z.number(), z.number(), z.number()]),
  }),
  /** The eight corners in patient millimetres (LPS): index bit 0 = x high, bit 1 = y high, bit 2 = z high. */
  patientCorners: z
    .array(z.tuple([z.number(), z.number(), z.number()]))
    .length(8)
    .nullable(),
});
export type LocatedBox = z.infer<typeof locatedBoxSchema>;

export const identityAffine: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];

/** Applies a 3x4 affine to a point. */
export function applyAffine<A extends Frame, B extends Frame>(m: Affine<A, B>, p: Point<A>): Point<B> {
  const [x, y, z] = p;
  return [
    m[0] * x + m[1] * y + m[2] * z + m[3],
    m[4] * x + m[5] * y + m[6] * z + m[7],
    m[8] * x + m[9] * y + m[10] * z + m[11],
  ] as unknown as Point<B>;
}

/** `second after first`: maps the frame of `first` to the frame `second` ends in. */
export function composeAffine<A extends Frame, B extends Frame, C extends Frame>(
  second: Affine<B, C>,
  first: Affine<A, B>,
): Affine<A, C> {
  const out: number[] = [];
  for (let r = 0; r < 3; r++) {
    for (let c = 0; c < 4; c++) {
      let sum = c === 3 ? second[r * 4 + 3] : 0;
      for (let k = 0; k < 3; k++) sum += second[r * 4 + k] * first[k * 4 + c];
      out.push(sum);
    }
  }
  return out as Affine<A, C>;
}

/** Inverse of a 3x4 affine. Throws RangeError when the linear part is singular. */
export function invertAffine<A extends Frame, B extends Frame>(m: Affine<A, B>): Affine<B, A> {
  const [a, b, c, tx, d, e, f, ty, g, h, i, tz] = m;
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const scale = Math.hypot(a, d, g) * Math.hypot(b, e, h) * Math.hypot(c, f, i);
  if (!(Math.abs(det) > 1e-9 * scale)) throw new RangeError('affine is singular');
  const r = [
    (e * i - f * h) / det,
    (c * h - b * i) / det,
    (b * f - c * e) / det,
    (f * g - d * i) / det,
    (a * i - c * g) / det,
    (c * d - a * f) / det,
    (d * h - e * g) / det,
    (b * g - a * h) / det,
    (a * e - b * d) / det,
  ];
  return [
    r[0],
    r[1],
    r[2],
    -(r[0] * tx + r[1] * ty + r[2] * tz),
    r[3],
    r[4],
    r[5],
    -(r[3] * tx + r[4] * ty + r[5] * tz),
    r[6],
    r[7],
    r[8],
    -(r[6] * tx + r[7] * ty + r[8] * tz),
  ] as Affine<B, A>;
}

/** processor pixel -> source voxel, through grid and canonical. */
export function processorToSource(chain: AffineChain): Affine<'processor', 'source'> {
  return composeAffine(
    chain.canonicalToSource as Affine<'canonical', 'source'>,
    composeAffine(
      chain.gridToCanonical as Affine<'grid', 'canonical'>,
      chain.processorToGrid as Affine<'processor', 'grid'>,
    ),
  );
}

/** Carries a processor box (half open) to source voxel edges and patient corners. */
export function locateBox(chain: AffineChain, box: ProcessorBox): LocatedBox {
  const toSource = processorToSource(chain);
  const low = [box.x1 - 0.5, box.y1 - 0.5, box.z1 - 0.5] as const;
  const high = [box.x2 - 0.5, box.y2 - 0.5, box.z2 - 0.5] as const;
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  const corners: [number, number, number][] = [];
  for (let bits = 0; bits < 8; bits++) {
    const corner = point(
      'processor',
      bits & 1 ? high[0] : low[0],
      bits & 2 ? high[1] : low[1],
      bits & 4 ? high[2] : low[2],
    );
    const source = applyAffine(toSource, corner);
    for (let axis = 0; axis < 3; axis++) {
      min[axis] = Math.min(min[axis], source[axis]);
      max[axis] = Math.max(max[axis], source[axis]);
    }
    if (chain.sourceToPatient) {
      const patient = applyAffine(chain.sourceToPatient as Affine<'source', 'patient'>, source);
      corners.push([patient[0], patient[1], patient[2]]);
    }
  }
  return { sourceVoxel: { min, max }, patientCorners: chain.sourceToPatient ? corners : null };
}
