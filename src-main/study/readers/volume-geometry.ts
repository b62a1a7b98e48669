/** Small affine helpers that the volume readers share. All affines are row-major 3x4. */

export type Triple = [number, number, number];

/** Lengths of the three columns: millimetres per step along i, j, k. */
export function columnLengths(affine: readonly number[]): Triple {
  return [0, 1, 2].map((axis) => Math.hypot(affine[axis], affine[4 + axis], affine[8 + axis])) as Triple;
}

/** Between RAS (NIfTI, NRRD) and LPS (DICOM, ITK): x and y change sign. */
export function flipRasLps(affine: readonly number[]): number[] {
  return affine.map((value, index) => (index < 8 ? 0 - value : value));
}

/** An affine that a box can be carried through: finite, and its columns span space. */
export function isUsableAffine(affine: readonly number[]): boolean {
  if (affine.length !== 12 || !affine.every(Number.isFinite)) return false;
  const [a, b, c, , d, e, f, , g, h, i] = affine;
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const [x, y, z] = columnLengths(affine);
  return Math.abs(det) > 1e-6 * x * y * z && x * y * z > 0;
}

/** Spacing only where all three are positive finite numbers. */
export function usableSpacing(spacing: readonly number[]): Triple | null {
  return spacing.length === 3 && spacing.every((v) => Number.isFinite(v) && v > 0)
    ? [spacing[0], spacing[1], spacing[2]]
    : null;
}
