/**
 * Where a series' voxels are. "World" is patient space (LPS millimetres) where the file says so, else a plain frame of
 * pixels times spacing: the same code then draws both, and only orientation letters and synchronised scrolling ask
 * which of the two it is.
 */
import type { SeriesView } from '../../../src-contract/channels.ts';
import { type Affine, invertAffine } from '../../../src-contract/geometry.ts';
import { column, cross, dot, length, normalise, type Vec3 } from '../vector.ts';

export interface SeriesGeometry {
  readonly size: Vec3;
  /** Source voxel index (centres at whole numbers) -> world. */
  readonly indexToWorld: Affine;
  readonly worldToIndex: Affine;
  /** Millimetres (or pixels) per step along i, j, k. */
  readonly spacing: Vec3;
  readonly isPatient: boolean;
  /** Spacing is in millimetres. */
  readonly isCalibrated: boolean;
  /** Why the three planes can't be shown; null where they can. */
  readonly noPlanes: string | null;
}

/** Cosine between two axes above which they no longer count as perpendicular. */
const maxSkew = 1e-3;

function pixelFrame({ spacing }: SeriesView): Affine {
  const [x, y, z] = spacing ?? [1, 1, 1];
  return [x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0];
}

function skew(m: Affine, a: 0 | 1 | 2, b: 0 | 1 | 2): number {
  return Math.abs(dot(normalise(column(m, a)), normalise(column(m, b))));
}

function whyNoPlanes(series: SeriesView, m: Affine): string | null {
  if (series.kind !== 'volume' || series.slices < 2) return 'The three planes need a volume.';
  if (skew(m, 0, 2) > maxSkew || skew(m, 1, 2) > maxSkew) {
    return 'Slices of this series are tilted against their stacking direction (gantry tilt): shown as a stack only.';
  }
  return null;
}

export function geometryOf(series: SeriesView): SeriesGeometry {
  const given = series.sourceToPatient;
  // Rows and columns that are not perpendicular can't be an image plane of the display: shown without a position.
  const isPatient = given !== null && skew(given, 0, 1) <= maxSkew && isInvertible(given);
  const indexToWorld = isPatient ? given : pixelFrame(series);
  return {
    size: [series.columns, series.rows, series.slices],
    indexToWorld,
    worldToIndex: invertAffine(indexToWorld),
    spacing: [
      length(column(indexToWorld, 0)),
      length(column(indexToWorld, 1)),
      length(column(indexToWorld, 2)),
    ],
    isPatient,
    isCalibrated: isPatient || series.spacing !== null,
    noPlanes: whyNoPlanes(series, indexToWorld),
  };
}

function isInvertible(m: Affine): boolean {
  try {
    invertAffine(m);
    return true;
  } catch {
    return false;
  }
}

/** Unit normal of the source slices: along +k for right-handed grids, against it for left-handed ones. */
export function sliceNormal({ indexToWorld }: SeriesGeometry): Vec3 {
  return normalise(cross(column(indexToWorld, 0), column(indexToWorld, 1)));
}
