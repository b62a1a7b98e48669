/**
 * Which part of a box is taken hold of, and what a drag makes of it. Pure geometry in source voxel index coordinates: a
 * pane shows the plane perpendicular to one source axis, so a drag there moves edges along the other two.
 */
import type { SourceBox } from '../../../src-contract/source-box.ts';
import { type Axis, axes, type Vec2, type Vec3 } from '../vector.ts';
import { type ScreenMap, toScreen } from './box-section.ts';

/** A pane's plane. */
export interface PlaneView {
  readonly axis: Axis;
  readonly slice: number;
  readonly map: ScreenMap;
}

export type Side = 'low' | 'high';
/** The edges that a drag moves: by axis; 'move' takes all of them. */
export type Grip = 'move' | Readonly<Partial<Record<Axis, Side>>>;

export interface Handle {
  readonly grip: Exclude<Grip, 'move'>;
  readonly at: Vec2;
}

/** How near, in CSS pixels, counts as on a corner or an edge. */
const reach = 8;
/** Rounding of the affine chain: as box-section.ts has it. */
const rounding = 1e-6;

type Triple = [number, number, number];

export const inPlane = (axis: Axis): readonly [Axis, Axis] =>
  axes.filter((one) => one !== axis) as unknown as readonly [Axis, Axis];

export const isOnSlice = ({ min, max }: SourceBox, axis: Axis, slice: number): boolean =>
  slice >= min[axis] - rounding && slice < max[axis] - rounding;

function place(box: SourceBox, { axis, slice, map }: PlaneView, grip: Handle['grip']): Vec2 {
  const p = [0, 1, 2].map((one) => {
    if (one === axis) return slice;
    const side = grip[one as Axis];
    if (side === 'low') return box.min[one];
    if (side === 'high') return box.max[one];
    return (box.min[one] + box.max[one]) / 2;
  });
  return toScreen(map, p as unknown as Vec3);
}

/** Corners first, then the middles of the edges. */
export function handlesOf(box: SourceBox, view: PlaneView): Handle[] {
  const [u, v] = inPlane(view.axis);
  const sides: readonly Side[] = ['low', 'high'];
  const corners = sides.flatMap((onU) => sides.map((onV): Handle['grip'] => ({ [u]: onU, [v]: onV })));
  const edges = [u, v].flatMap((one) => sides.map((side): Handle['grip'] => ({ [one]: side })));
  return [...corners, ...edges].map((grip) => ({ grip, at: place(box, view, grip) }));
}

/** Corners of the box on the plane, in order around it, whether the plane cuts it or not. */
export function outlineOf(box: SourceBox, view: PlaneView): Vec2[] {
  const [u, v] = inPlane(view.axis);
  const around: readonly (readonly [Side, Side])[] = [
    ['low', 'low'],
    ['high', 'low'],
    ['high', 'high'],
    ['low', 'high'],
  ];
  return around.map(([onU, onV]) => place(box, view, { [u]: onU, [v]: onV }));
}

function distanceToSegment([x, y]: Vec2, [ax, ay]: Vec2, [bx, by]: Vec2): number {
  const [dx, dy] = [bx - ax, by - ay];
  const size = dx * dx + dy * dy;
  const t = size === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / size));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

function isInside([x, y]: Vec2, polygon: readonly Vec2[]): boolean {
  const turns = polygon.map(([ax, ay], n) => {
    const [bx, by] = polygon[(n + 1) % polygon.length];
    return Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));
  });
  return turns.every((turn) => turn >= 0) || turns.every((turn) => turn <= 0);
}

/** What of a box lies under a point of the screen; null: nothing. A small box keeps a middle to be moved by. */
export function gripAt(box: SourceBox, view: PlaneView, at: Vec2): Grip | null {
  const outline = outlineOf(box, view);
  const inside = isInside(at, outline);
  const side = (n: number) => {
    const [a, b] = [outline[n], outline[(n + 1) % 4]];
    return Math.hypot(b[0] - a[0], b[1] - a[1]);
  };
  const near = inside ? Math.min(reach, side(0) / 4, side(1) / 4) : reach;
  const [u, v] = inPlane(view.axis);
  // outlineOf goes: along u at low v, along v at high u, along u at high v, along v at low u.
  const edges: readonly Handle['grip'][] = [{ [v]: 'low' }, { [u]: 'high' }, { [v]: 'high' }, { [u]: 'low' }];
  const hit = edges.filter((_, n) => distanceToSegment(at, outline[n], outline[(n + 1) % 4]) <= near);
  // Near two neighbouring edges is a corner; near two opposite ones (a sliver), the first will do.
  if (hit.length > 0) {
    const [first, second] = hit;
    const sameAxis = second && Object.keys(first)[0] === Object.keys(second)[0];
    return second && !sameAxis ? { ...first, ...second } : first;
  }
  return inside ? 'move' : null;
}

/** The nearest edge of whole voxels: voxel centres are at whole numbers. */
export const snapEdge = (value: number): number => Math.round(value + 0.5) - 0.5;

export interface DragRules {
  /** Voxels of the source grid. */
  readonly size: Vec3;
  /** Edges go to whole voxels. */
  readonly snap: boolean;
}

const smallest = ({ snap }: DragRules): number => (snap ? 1 : 0.25);

/** Puts one edge somewhere: inside the grid, and never past the edge across. */
export function setSide(box: SourceBox, axis: Axis, side: Side, value: number, rules: DragRules): SourceBox {
  const wanted = rules.snap ? snapEdge(value) : value;
  const least = smallest(rules);
  const min: Triple = [...box.min];
  const max: Triple = [...box.max];
  if (side === 'low') min[axis] = Math.max(-0.5, Math.min(wanted, max[axis] - least));
  else max[axis] = Math.min(rules.size[axis] - 0.5, Math.max(wanted, min[axis] + least));
  return max[axis] > min[axis] ? { min, max } : box;
}

/** Moves the whole box along one axis, inside the grid. Snapped: by whole voxels, so that its size is kept. */
export function shift(box: SourceBox, axis: Axis, by: number, { size, snap }: DragRules): SourceBox {
  const [lowest, highest] = [-0.5 - box.min[axis], size[axis] - 0.5 - box.max[axis]];
  const wanted = snap ? Math.round(by) : by;
  const limited = snap
    ? Math.max(Math.ceil(lowest - rounding), Math.min(Math.floor(highest + rounding), wanted))
    : Math.max(lowest, Math.min(highest, wanted));
  const move = ([...triple]: SourceBox['min']): Triple => {
    triple[axis] += limited;
    return triple;
  };
  return { min: move(box.min), max: move(box.max) };
}

/** The box after a drag in a plane, from one index position to another. */
export function dragged(
  box: SourceBox,
  grip: Grip,
  axis: Axis,
  from: Vec3,
  to: Vec3,
  rules: DragRules,
): SourceBox {
  return inPlane(axis).reduce((now, one) => {
    const by = to[one] - from[one];
    if (grip === 'move') return shift(now, one, by, rules);
    const side = grip[one];
    if (side === undefined) return now;
    const edge = side === 'low' ? box.min[one] : box.max[one];
    return setSide(now, one, side, edge + by, rules);
  }, box);
}

/**
 * A rectangle drawn in a plane, as a box: the voxels under it, one slice deep, or as deep as `kept` where the slice is
 * inside it. Null while it has no size.
 */
export function drawnBox(
  axis: Axis,
  slice: number,
  from: Vec3,
  to: Vec3,
  kept: SourceBox | null,
  { size, snap }: DragRules,
): SourceBox | null {
  const min: Triple = [0, 0, 0];
  const max: Triple = [0, 0, 0];
  for (const one of inPlane(axis)) {
    const [low, high] = [Math.min(from[one], to[one]), Math.max(from[one], to[one])];
    min[one] = Math.max(-0.5, snap ? Math.round(low) - 0.5 : low);
    max[one] = Math.min(size[one] - 0.5, snap ? Math.round(high) + 0.5 : high);
  }
  const deep = kept !== null && isOnSlice(kept, axis, slice);
  min[axis] = deep ? kept.min[axis] : slice - 0.5;
  max[axis] = deep ? kept.max[axis] : slice + 0.5;
  return min.every((low, one) => low < max[one]) ? { min, max } : null;
}

/** The source axis, and the way along it, that a direction on the screen follows most. */
export function alongScreen({ axis, map }: PlaneView, [x, y]: Vec2): { axis: Axis; sign: 1 | -1 } {
  const along = (one: Axis) => map[one] * x + map[4 + one] * y;
  const share = (one: Axis) => Math.abs(along(one)) / Math.hypot(map[one], map[4 + one]);
  const [u, v] = inPlane(axis);
  const best = share(u) >= share(v) ? u : v;
  return { axis: best, sign: along(best) < 0 ? -1 : 1 };
}

/** CSS cursor of a grip, by the way its edges move on the screen. */
export function cursorOf(grip: Grip, { axis, map }: PlaneView): string {
  if (grip === 'move') return 'move';
  let [x, y] = [0, 0];
  for (const one of inPlane(axis)) {
    const side = grip[one];
    if (side === undefined) continue;
    const sign = side === 'low' ? -1 : 1;
    const size = Math.hypot(map[one], map[4 + one]);
    x += (sign * map[one]) / size;
    y += (sign * map[4 + one]) / size;
  }
  const eighth = Math.round((Math.atan2(y, x) / Math.PI) * 4 + 8) % 4;
  return ['ew-resize', 'nwse-resize', 'ns-resize', 'nesw-resize'][eighth];
}
