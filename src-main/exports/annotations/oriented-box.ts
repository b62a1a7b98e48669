/** A box as centre, directions and size: what formats with oblique boxes want. */
import type { AffineChain, LocatedBox } from '../../../src-contract/geometry.ts';

type Vector = readonly [number, number, number];

export interface OrientedBox {
  /** Patient millimetres, LPS. */
  readonly centre: Vector;
  /** Unit vectors of the edges along source i, j, k: perpendicular, right-handed. */
  readonly directions: readonly [Vector, Vector, Vector];
  /** Millimetres along them. */
  readonly size: Vector;
}

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const scaled = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by];
const unit = (a: Vector): Vector => scaled(a, 1 / Math.hypot(...a));
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/**
 * In a sheared grid (tilted gantry) a box of voxels is no cuboid: the smallest cuboid along the image plane that holds
 * it is given then. A left-handed grid has its third direction turned round, which leaves a box as it is.
 * @throws TypeError without a position in the patient
 */
export function orientedBox({ sourceToPatient }: AffineChain, { patientCorners }: LocatedBox): OrientedBox {
  if (!sourceToPatient || !patientCorners) throw new TypeError('an oriented box needs patient corners');
  const column = (n: number): Vector => [sourceToPatient[n], sourceToPatient[4 + n], sourceToPatient[8 + n]];
  const i = unit(column(0));
  const along = dot(column(1), i);
  const j = unit([0, 1, 2].map((axis) => column(1)[axis] - along * i[axis]) as unknown as Vector);
  const directions: [Vector, Vector, Vector] = [i, j, cross(i, j)];
  const ranges = directions.map((direction) => {
    const at = patientCorners.map((corner) => dot(corner, direction));
    return [Math.min(...at), Math.max(...at)] as const;
  });
  const middle = ranges.map(([low, high], n) => scaled(directions[n], (low + high) / 2));
  return {
    centre: [0, 1, 2].map((axis) => middle[0][axis] + middle[1][axis] + middle[2][axis]) as unknown as Vector,
    directions,
    size: ranges.map(([low, high]) => high - low) as unknown as Vector,
  };
}
