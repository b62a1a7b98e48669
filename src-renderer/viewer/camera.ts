/**
 * A pane's camera, as plain data: parallel projection onto one slice. The viewer keeps the camera itself and hands it
 * to whatever draws (cornerstone, or a 2D canvas), so that overlays and pixels come from the same numbers.
 */
import type { Affine } from '../../src-contract/geometry.ts';
import type { ScreenMap } from './layers/box-section.ts';
import type { SeriesGeometry } from './pixels/series-geometry.ts';
import { add, column, cross, dot, scale, subtract, transform, type Vec2, type Vec3 } from './vector.ts';

export interface Camera {
  /** Unit vectors in world space: what points right and up on the screen. */
  readonly right: Vec3;
  readonly up: Vec3;
  /** The world point at the viewport's centre; lies on the shown slice. */
  readonly centre: Vec3;
  /** World units per CSS pixel. */
  readonly unitsPerPixel: number;
}

export interface Extent {
  readonly width: number;
  readonly height: number;
}

/** Towards the eye. */
export const viewNormal = ({ right, up }: Camera): Vec3 => cross(right, up);

export function worldToCanvas(camera: Camera, { width, height }: Extent, world: Vec3): Vec2 {
  const offset = subtract(world, camera.centre);
  return [
    width / 2 + dot(offset, camera.right) / camera.unitsPerPixel,
    height / 2 - dot(offset, camera.up) / camera.unitsPerPixel,
  ];
}

/** The point of the shown slice under a canvas position. */
export function canvasToWorld(camera: Camera, { width, height }: Extent, [x, y]: Vec2): Vec3 {
  const right = scale(camera.right, (x - width / 2) * camera.unitsPerPixel);
  const down = scale(camera.up, (height / 2 - y) * camera.unitsPerPixel);
  return add(camera.centre, add(right, down));
}

/** Source voxel index -> canvas, for everything that is drawn over the pixels. */
export function indexToCanvas(camera: Camera, extent: Extent, indexToWorld: Affine): ScreenMap {
  const origin: Vec3 = [indexToWorld[3], indexToWorld[7], indexToWorld[11]];
  const start = worldToCanvas(camera, extent, origin);
  const row = (direction: Vec3, sign: 1 | -1, offset: number) =>
    [
      (sign * dot(column(indexToWorld, 0), direction)) / camera.unitsPerPixel,
      (sign * dot(column(indexToWorld, 1), direction)) / camera.unitsPerPixel,
      (sign * dot(column(indexToWorld, 2), direction)) / camera.unitsPerPixel,
      offset,
    ] as const;
  return [...row(camera.right, 1, start[0]), ...row(camera.up, -1, start[1])];
}

/** Zooms by `factor` (above 1 is nearer) so that the point under `at` stays where it is. */
export function zoomAt(camera: Camera, extent: Extent, factor: number, at: Vec2): Camera {
  const unitsPerPixel = Math.min(1e4, Math.max(1e-5, camera.unitsPerPixel / factor));
  const fixed = canvasToWorld(camera, extent, at);
  const zoomed = { ...camera, unitsPerPixel };
  const moved = subtract(canvasToWorld(zoomed, extent, at), fixed);
  return { ...zoomed, centre: subtract(camera.centre, moved) };
}

/** Moves the picture by CSS pixels. */
export function panBy(camera: Camera, [dx, dy]: Vec2): Camera {
  const move = add(scale(camera.right, -dx), scale(camera.up, dy));
  return { ...camera, centre: add(camera.centre, scale(move, camera.unitsPerPixel)) };
}

/** A quarter turn of the picture, clockwise. */
export const turnClockwise = (camera: Camera): Camera => ({
  ...camera,
  right: camera.up,
  up: scale(camera.right, -1),
});
export const flipHorizontally = (camera: Camera): Camera => ({ ...camera, right: scale(camera.right, -1) });
export const flipVertically = (camera: Camera): Camera => ({ ...camera, up: scale(camera.up, -1) });

/** Edges of a slice as the camera sees it, in world units: how much there is to fit. */
function spread(geometry: SeriesGeometry, direction: Vec3): number {
  return [0, 1, 2].reduce(
    (sum, axis) =>
      sum + Math.abs(dot(column(geometry.indexToWorld, axis as 0 | 1 | 2), direction)) * geometry.size[axis],
    0,
  );
}

/** Shows the whole slice, centred. */
export function fitSlice(
  geometry: SeriesGeometry,
  orientation: { readonly right: Vec3; readonly up: Vec3; readonly axis: 0 | 1 | 2 },
  slice: number,
  { width, height }: Extent,
): Camera {
  const { right, up, axis } = orientation;
  const middle = geometry.size.map((size, a) => (a === axis ? slice : (size - 1) / 2)) as unknown as Vec3;
  const unitsPerPixel = Math.max(
    spread(geometry, right) / Math.max(1, width),
    spread(geometry, up) / Math.max(1, height),
  );
  return { right, up, centre: transform(geometry.indexToWorld, middle), unitsPerPixel };
}

/** The same view of another slice: the camera moves along the slice axis, tilt and all, so that the picture stays put. */
export function moveSlices(
  camera: Camera,
  geometry: SeriesGeometry,
  axis: 0 | 1 | 2,
  slices: number,
): Camera {
  return { ...camera, centre: add(camera.centre, scale(column(geometry.indexToWorld, axis), slices)) };
}
