/** Where a box's label goes: beside the box, never on it, and off other boxes and labels where there is room. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const overlaps = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const within = (inner: Rect, outer: Rect): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

const gap = 3;

function candidates(box: Rect, width: number, height: number): Rect[] {
  const above = box.y - height - gap;
  const below = box.y + box.height + gap;
  const left = box.x - width - gap;
  const right = box.x + box.width + gap;
  const spots: [number, number][] = [
    [box.x, above],
    [box.x + box.width - width, above],
    [right, box.y],
    [left, box.y],
    [box.x, below],
    [box.x + box.width - width, below],
    [right, box.y + box.height - height],
    [left, box.y + box.height - height],
    [right, above],
    [left, above],
    [right, below],
    [left, below],
  ];
  return spots.map(([x, y]) => ({ x, y, width, height }));
}

/**
 * The first spot beside `box` that is inside `frame` and touches no obstacle; when there is none, one that at least
 * touches no other label; null when even that fails.
 */
export function placeLabel(
  box: Rect,
  size: { readonly width: number; readonly height: number },
  frame: Rect,
  boxes: readonly Rect[],
  labels: readonly Rect[],
): Rect | null {
  const free = candidates(box, size.width, size.height).filter(
    (spot) => within(spot, frame) && !labels.some((label) => overlaps(spot, label)),
  );
  return free.find((spot) => !boxes.some((other) => overlaps(spot, other))) ?? free[0] ?? null;
}
