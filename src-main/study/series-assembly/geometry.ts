/**
 * From slices in order to a grid: even spacing, the affine from voxel to patient (PS3.3 equation C.7.6.2.1-1), gaps.
 *
 * The third column of the affine is the mean step between positions as they are written, not thickness times normal:
 * so a tilted gantry's shear is kept exactly.
 */
import type { Affine } from '../../../src-contract/geometry.ts';
import { add, dot, type FrameInfo, type Vector } from '../readers/dicom/frame-info.ts';
import { distance, normalOf, type PlacedSlice } from './slice.ts';

export interface Grid {
  slices: PlacedSlice[];
  affine: Affine<'source', 'patient'>;
  /** Millimetres along i, j, k. */
  spacing: [number, number, number];
  warnings: string[];
}

/** Deviations (mm, and as a share of the spacing) that the rounding of written coordinates explains. */
const roundingMillimetres = 0.02;
const roundingShare = 0.02;
/** Deviations up to this share of the spacing still make a volume, with a warning. */
const tolerableShare = 0.1;

/** The grid of evenly spaced slices; undefined where they are not, or where the pixel spacing is unknown. */
export function gridOf(slices: PlacedSlice[]): Grid | undefined {
  const { info } = slices[0];
  const normal = normalOf(info);
  if (!info.orientation || !info.spacing || !normal) return undefined;
  const last = slices.length - 1;
  const warnings: string[] = [];
  let step: Vector;
  if (last === 0) {
    const depth = info.thickness ?? 1;
    step = [normal[0] * depth, normal[1] * depth, normal[2] * depth];
  } else {
    step = mean(slices);
    const size = Math.hypot(...step);
    const worst = worstDeviation(slices, step);
    if (!(size > 0) || worst > Math.max(roundingMillimetres, tolerableShare * size)) return undefined;
    if (worst > Math.max(roundingMillimetres, roundingShare * size)) {
      warnings.push(
        `Slices are unevenly spaced: up to ${worst.toFixed(2)} mm from where an even spacing of ` +
          `${size.toFixed(3)} mm puts them.`,
      );
    }
    const tilt = (Math.acos(Math.min(1, dot(step, normal) / size)) * 180) / Math.PI;
    if (tilt > 0.5) {
      warnings.push(
        `Slices are sheared by ${tilt.toFixed(1)} degrees (tilted gantry); positions allow for it.`,
      );
    }
  }
  return { slices, ...affineOf(info, slices[0].position, step), warnings };
}

function affineOf(info: FrameInfo, origin: Vector, step: Vector): Pick<Grid, 'affine' | 'spacing'> {
  const { orientation, spacing } = info;
  if (!orientation || !spacing) throw new TypeError('a grid needs orientation and spacing');
  const { row, column } = orientation;
  const affine = [0, 1, 2].flatMap((axis) => [
    row[axis] * spacing.columns,
    column[axis] * spacing.rows,
    step[axis],
    origin[axis],
  ]);
  return { affine, spacing: [spacing.columns, spacing.rows, Math.hypot(...step)] };
}

function mean(slices: readonly PlacedSlice[]): Vector {
  const first = slices[0].position;
  const last = slices[slices.length - 1].position;
  const count = slices.length - 1;
  return [(last[0] - first[0]) / count, (last[1] - first[1]) / count, (last[2] - first[2]) / count];
}

/** Millimetres between a slice's position and the one that even steps give it, for the worst slice. */
function worstDeviation(slices: readonly PlacedSlice[], step: Vector): number {
  const origin = slices[0].position;
  let worst = 0;
  slices.forEach((slice, k) => {
    worst = Math.max(worst, distance(slice.position, add(origin, step, k)));
  });
  return worst;
}

/**
 * Cuts unevenly spaced slices where the spacing changes: at a missing slice, or between the thin and the thick slices
 * of one scan. Every part is even.
 */
export function evenRuns(slices: readonly PlacedSlice[]): PlacedSlice[][] {
  const runs: PlacedSlice[][] = [];
  let run: PlacedSlice[] = [];
  for (const slice of slices) {
    const step = run.length < 2 ? undefined : run[run.length - 1].along - run[run.length - 2].along;
    const next = run.length === 0 ? 0 : slice.along - run[run.length - 1].along;
    if (
      step !== undefined &&
      Math.abs(next - step) > Math.max(2 * roundingMillimetres, roundingShare * step)
    ) {
      // Two slices with a gap between them, then narrower ones: the second belongs to those.
      const moved = run.length === 2 && next < step ? run.pop() : undefined;
      runs.push(run);
      run = moved ? [moved] : [];
    }
    run.push(slice);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}
