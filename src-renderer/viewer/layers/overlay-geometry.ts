/** What of the model's boxes a pane shows: sections of boxes, as polygons in CSS pixels. */
import { type Affine, type AffineChain, processorToSource } from '../../../src-contract/geometry.ts';
import type { OverlayBox } from '../../state/overlay.ts';
import { type Axis, transform, type Vec2, type Vec3 } from '../vector.ts';
import { boxSection, type IndexBox, type ScreenMap, slicePlane, toScreen } from './box-section.ts';
import type { Rect } from './label-placement.ts';

/** A box with everything that does not change while slices are scrolled. */
export interface PreparedBox {
  readonly box: OverlayBox;
  /** What was cropped: the box after clamping. */
  readonly clamped: IndexBox;
  /** As the model wrote it, where that differs. */
  readonly raw: IndexBox | null;
}

/** What going to a box needs to know of it. */
export interface Place {
  readonly box: Pick<OverlayBox, 'studyId' | 'seriesId' | 'mode' | 'slice'>;
  readonly clamped: IndexBox;
}

export function prepareBox(box: OverlayBox): PreparedBox {
  return { box, clamped: box.located.sourceVoxel, raw: rawBox(box) };
}

/** The written numbers as [low corner, high corner] in processor pixels; depth from the clamped box where not written. */
function rawCorners({ raw, clamped }: OverlayBox): readonly [Vec3, Vec3] {
  return raw.length === 6
    ? [
        [raw[0], raw[1], raw[2]],
        [raw[3], raw[4], raw[5]],
      ]
    : [
        [raw[0], raw[1], clamped.z1],
        [raw[2], raw[3], clamped.z2],
      ];
}

function rawBox(box: OverlayBox): IndexBox | null {
  const { clamped, chain, raw } = box;
  if (raw.length !== 4 && raw.length !== 6) return null;
  const [low, high] = rawCorners(box);
  const same =
    low.every((value, axis) => value === [clamped.x1, clamped.y1, clamped.z1][axis]) &&
    high.every((value, axis) => value === [clamped.x2, clamped.y2, clamped.z2][axis]);
  return same ? null : edgesInSource(chain, low, high);
}

/** Pixels [low, high) as edges in source voxels, whichever way round they were written. */
function edgesInSource(chain: AffineChain, low: Vec3, high: Vec3): IndexBox {
  const toSource: Affine = processorToSource(chain);
  const at = (p: Vec3) => transform(toSource, [p[0] - 0.5, p[1] - 0.5, p[2] - 0.5]);
  const [a, b] = [at(low), at(high)];
  const pick = (choose: (x: number, y: number) => number): Vec3 => [
    choose(a[0], b[0]),
    choose(a[1], b[1]),
    choose(a[2], b[2]),
  ];
  return { min: pick(Math.min), max: pick(Math.max) };
}

/** A pane's slice, as the overlay needs it. */
export interface OverlayView {
  readonly axis: Axis;
  readonly slice: number;
  readonly map: ScreenMap;
}

function polygon(box: IndexBox, { axis, slice, map }: OverlayView): Vec2[] {
  return boxSection(box, slicePlane(axis, slice)).map((corner) => toScreen(map, corner));
}

export interface BoxOnSlice {
  readonly clamped: readonly Vec2[];
  readonly raw: readonly Vec2[];
}

/** The polygons of a box on a slice; null where it is not on it. */
export function boxOnSlice({ box, clamped, raw }: PreparedBox, view: OverlayView): BoxOnSlice | null {
  // A 2D answer speaks of one picture: its box is nowhere else, not even edge-on in another plane.
  if (box.mode === '2d' && (view.axis !== 2 || view.slice !== (box.slice ?? 0))) return null;
  const on = polygon(clamped, view);
  const rawOn = raw ? polygon(raw, view) : [];
  return on.length === 0 && rawOn.length === 0 ? null : { clamped: on, raw: rawOn };
}

export function bounds(points: readonly Vec2[]): Rect {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** The slice along `axis` that shows most of a box: the middle one of those it is on. */
export function middleSlice({ box, clamped }: Place, axis: Axis): number {
  if (box.mode === '2d' && axis === 2) return box.slice ?? 0;
  const first = Math.ceil(clamped.min[axis] - 1e-6);
  const last = Math.ceil(clamped.max[axis] - 1e-6) - 1;
  // A box thinner than a slice may lie between two centres: the nearest one then.
  return last < first
    ? Math.round((clamped.min[axis] + clamped.max[axis]) / 2)
    : Math.floor((first + last) / 2);
}

export const boxCentre = ({ clamped }: Pick<Place, 'clamped'>): Vec3 => [
  (clamped.min[0] + clamped.max[0]) / 2,
  (clamped.min[1] + clamped.max[1]) / 2,
  (clamped.min[2] + clamped.max[2]) / 2,
];
