/**
 * Which way round slices are shown. Planes follow the grid's own axes, however oblique it lies, so that every plane is
 * made of whole voxels; each axis goes by the patient direction it is nearest to. Radiological convention: axial from
 * the feet with anterior up, coronal from the front, sagittal from the patient's left.
 */
import type { PaneView, PlaneName } from '../state/viewer-store.ts';
import type { SeriesGeometry } from './pixels/series-geometry.ts';
import { type Axis, axes, column, cross, dot, normalise, scale, type Vec3 } from './vector.ts';

/** A way of looking: the source axis looked along, and what points right and up on the screen (unit, world). */
export interface Orientation {
  readonly axis: Axis;
  readonly right: Vec3;
  readonly up: Vec3;
  readonly plane: PlaneName;
}

/** LPS: x to the patient's left, y to posterior, z to superior. */
const conventions: Record<PlaneName, { along: Vec3; right: Vec3; up: Vec3 }> = {
  axial: { along: [0, 0, 1], right: [1, 0, 0], up: [0, -1, 0] },
  sagittal: { along: [1, 0, 0], right: [0, 1, 0], up: [0, 0, 1] },
  coronal: { along: [0, 1, 0], right: [1, 0, 0], up: [0, 0, 1] },
};
const planeOfDirection: readonly PlaneName[] = ['sagittal', 'coronal', 'axial'];

const unit = (geometry: SeriesGeometry, axis: Axis): Vec3 => normalise(column(geometry.indexToWorld, axis));

/** The patient direction (0 x, 1 y, 2 z) each source axis goes by, each used once, the clearest match first. */
function assign(geometry: SeriesGeometry): Record<Axis, Axis> {
  const pairs = axes.flatMap((axis) =>
    axes.map((direction) => ({ axis, direction, match: Math.abs(unit(geometry, axis)[direction]) })),
  );
  pairs.sort((a, b) => b.match - a.match);
  const given = new Map<Axis, Axis>();
  const taken = new Set<Axis>();
  for (const { axis, direction } of pairs) {
    if (given.has(axis) || taken.has(direction)) continue;
    given.set(axis, direction);
    taken.add(direction);
  }
  return { 0: given.get(0) ?? 0, 1: given.get(1) ?? 1, 2: given.get(2) ?? 2 };
}

/** The plane that the source slices themselves are nearest to. */
export function stackPlane(geometry: SeriesGeometry): PlaneName {
  return geometry.isPatient ? planeOfDirection[assign(geometry)[2]] : 'axial';
}

function towards(geometry: SeriesGeometry, axis: Axis, wish: Vec3): Vec3 {
  const direction = unit(geometry, axis);
  return dot(direction, wish) < 0 ? scale(direction, -1) : direction;
}

export function orientationOf(geometry: SeriesGeometry, view: PaneView): Orientation {
  if (!geometry.isPatient) return plainOrientation(view);
  const plane = view === 'stack' ? stackPlane(geometry) : view;
  const convention = conventions[plane];
  const direction = planeOfDirection.indexOf(plane);
  const given = assign(geometry);
  const axis = view === 'stack' ? 2 : (axes.find((one) => given[one] === direction) ?? 2);
  const inPlane = axes.filter((one) => one !== axis);
  const match = (one: Axis) => Math.abs(dot(unit(geometry, one), convention.right));
  const [rightAxis, upAxis] = match(inPlane[0]) >= match(inPlane[1]) ? inPlane : inPlane.slice().reverse();
  const right = towards(geometry, rightAxis, convention.right);
  return { axis, right, up: perpendicular(towards(geometry, upAxis, convention.up), right), plane };
}

/** Rows and columns may be off the right angle by a rounding; the camera needs it exact. */
function perpendicular(up: Vec3, right: Vec3): Vec3 {
  const normal = cross(right, up);
  return normalise(cross(normal, right));
}

/** No patient to go by: rows to the right, columns down; the other planes stand on the slice axis. */
function plainOrientation(view: PaneView): Orientation {
  switch (view) {
    case 'stack':
    case 'axial':
      return { axis: 2, right: [1, 0, 0], up: [0, -1, 0], plane: 'axial' };
    case 'sagittal':
      return { axis: 0, right: [0, 1, 0], up: [0, 0, 1], plane: 'sagittal' };
    case 'coronal':
      return { axis: 1, right: [1, 0, 0], up: [0, 0, 1], plane: 'coronal' };
  }
}

/** Letters for a direction, the nearest first, others where they count: "L", "AL"… */
export function directionLetters(direction: Vec3): string {
  const names = [
    ['L', 'R'],
    ['P', 'A'],
    ['H', 'F'],
  ] as const;
  return axes
    .map((axis) => ({ letter: names[axis][direction[axis] > 0 ? 0 : 1], size: Math.abs(direction[axis]) }))
    .filter(({ size }) => size > 0.25)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}
