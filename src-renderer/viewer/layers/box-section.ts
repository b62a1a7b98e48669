/**
 * Where a plane cuts a box. Pure geometry: no DOM, no cornerstone.
 *
 * Boxes are axis-aligned in source voxel index coordinates (edges, so multiples of half a voxel at scale 1), however
 * oblique the grid lies in the patient. So a plane is carried into index space, the box is cut there, and the corners of
 * the cut are carried to the screen by one affine map. Cutting in index space keeps the half-open rule exact: a plane
 * along voxel centres at index c cuts the box when min <= c < max.
 */
import type { Affine } from '../../../src-contract/geometry.ts';
import { type Axis, axes, column, dot, transform, type Vec2, type Vec3 } from '../vector.ts';

export interface IndexBox {
  readonly min: Vec3;
  readonly max: Vec3;
}

/** Points p with normal . p = offset. */
export interface Plane {
  readonly normal: Vec3;
  readonly offset: number;
}

/** Planes this near (in voxels) to a voxel centre are taken to lie on it: rounding must not move a box off a slice. */
const snap = 1e-3;
/** Rounding of the affine chain itself: an edge that should lie on a voxel centre may be this far beside it. */
const rounding = 1e-6;

/** The plane of a slice: voxels whose index along `axis` is `at`. */
export function slicePlane(axis: Axis, at: number): Plane {
  return { normal: [axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0], offset: at };
}

/** A plane given in world space, seen from index space. */
export function planeInIndexSpace(indexToWorld: Affine, plane: Plane): Plane {
  const normal: Vec3 = [
    dot(plane.normal, column(indexToWorld, 0)),
    dot(plane.normal, column(indexToWorld, 1)),
    dot(plane.normal, column(indexToWorld, 2)),
  ];
  const origin: Vec3 = [indexToWorld[3], indexToWorld[7], indexToWorld[11]];
  return { normal, offset: plane.offset - dot(plane.normal, origin) };
}

/** The axis that a plane is perpendicular to, and where along it; null for an oblique plane. */
export function alignment({ normal, offset }: Plane): { axis: Axis; at: number } | null {
  const size = Math.hypot(...normal);
  for (const axis of axes) {
    const other = Math.hypot(normal[(axis + 1) % 3], normal[(axis + 2) % 3]);
    if (other > 1e-6 * size || size === 0) continue;
    const at = offset / normal[axis];
    return { axis, at: Math.abs(at - Math.round(at)) < snap ? Math.round(at) : at };
  }
  return null;
}

/** Corners of the cut, in order around it, in index coordinates; empty when the plane misses the box. */
export function boxSection({ min, max }: IndexBox, plane: Plane): Vec3[] {
  const aligned = alignment(plane);
  return aligned ? faceAt(min, max, aligned.axis, aligned.at) : obliqueSection(min, max, plane);
}

function faceAt(min: Vec3, max: Vec3, axis: Axis, at: number): Vec3[] {
  if (!(at >= min[axis] - rounding && at < max[axis] - rounding)) return [];
  const u = ((axis + 1) % 3) as Axis;
  const v = ((axis + 2) % 3) as Axis;
  const corner = (atU: number, atV: number): Vec3 => {
    const p: [number, number, number] = [at, at, at];
    p[u] = atU;
    p[v] = atV;
    return p;
  };
  return [corner(min[u], min[v]), corner(max[u], min[v]), corner(max[u], max[v]), corner(min[u], max[v])];
}

/** The twelve edges as pairs of corner numbers: bit a of a corner number is set at the high end of axis a. */
const edges: readonly (readonly [number, number])[] = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((corner) =>
  axes.filter((axis) => !(corner & (1 << axis))).map((axis) => [corner, corner | (1 << axis)] as const),
);

function obliqueSection(min: Vec3, max: Vec3, { normal, offset }: Plane): Vec3[] {
  const corners: Vec3[] = [];
  const sides: number[] = [];
  for (let bits = 0; bits < 8; bits++) {
    const p: Vec3 = [bits & 1 ? max[0] : min[0], bits & 2 ? max[1] : min[1], bits & 4 ? max[2] : min[2]];
    corners.push(p);
    sides.push(dot(normal, p) - offset);
  }
  const points: Vec3[] = [];
  for (const [a, b] of edges) {
    // A corner on the plane counts as above it: each crossing is then found on exactly the edges that change sides.
    if (sides[a] >= 0 === sides[b] >= 0) continue;
    const t = sides[a] / (sides[a] - sides[b]);
    const p = corners[a];
    const q = corners[b];
    points.push([p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t, p[2] + (q[2] - p[2]) * t]);
  }
  return points.length < 3 ? [] : aroundCentre(points, normal);
}

/** A convex polygon's corners in order, by their angle seen along the normal. */
function aroundCentre(points: readonly Vec3[], normal: Vec3): Vec3[] {
  const centre: Vec3 = [0, 1, 2].map(
    (axis) => points.reduce((sum, p) => sum + p[axis], 0) / points.length,
  ) as unknown as Vec3;
  // Drop the axis the plane faces most: the projection onto the other two keeps the order.
  const flat = axes.reduce<Axis>(
    (best, axis) => (Math.abs(normal[axis]) > Math.abs(normal[best]) ? axis : best),
    0,
  );
  const u = (flat + 1) % 3;
  const v = (flat + 2) % 3;
  return points
    .map((p) => ({ p, angle: Math.atan2(p[v] - centre[v], p[u] - centre[u]) }))
    .sort((a, b) => a.angle - b.angle)
    .map(({ p }) => p);
}

/** Index coordinates -> CSS pixels of a viewport, row-major 2x4. Exact, since the camera is parallel. */
export type ScreenMap = readonly [number, number, number, number, number, number, number, number];

export function toScreen(m: ScreenMap, p: Vec3): Vec2 {
  return [m[0] * p[0] + m[1] * p[1] + m[2] * p[2] + m[3], m[4] * p[0] + m[5] * p[1] + m[6] * p[2] + m[7]];
}

/** The screen map of a viewport from where it puts four world points. */
export function screenMap(indexToWorld: Affine, worldToCanvas: (world: Vec3) => Vec2, step = 64): ScreenMap {
  // Far steps keep the probes' rounding (single precision in WebGL code) small against what they span.
  const at = (p: Vec3) => worldToCanvas(transform(indexToWorld, p));
  const origin = at([0, 0, 0]);
  const i = at([step, 0, 0]);
  const j = at([0, step, 0]);
  const k = at([0, 0, step]);
  const row = (c: 0 | 1) =>
    [(i[c] - origin[c]) / step, (j[c] - origin[c]) / step, (k[c] - origin[c]) / step, origin[c]] as const;
  return [...row(0), ...row(1)];
}
