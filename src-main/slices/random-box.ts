/**
 * The box of the `random-crop` preset: somewhere else than where the model looked.
 * Source of behaviour: IQuestLab/unireason-med code/rl/verl/experimental/agent_loop/urm_bbox_utils.py
 * (generate_random_bbox). It is 2D there; the z rule is ours.
 */
import type { ProcessorBox } from '../../src-contract/geometry.ts';
import { clampBox3d, MIN_SIDE } from './crop.ts';

/** Uniform in [0, 1). */
export type Random = () => number;

const SMALLEST_FRACTION = 0.1;
const LARGEST_FRACTION = 0.5;
const ATTEMPTS = 20;

/** Whole number in [low, high], both included. */
function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

type Rectangle = Pick<ProcessorBox, 'x1' | 'y1' | 'x2' | 'y2'>;

/** Intersection over union of two rectangles in the image plane, 0..1. */
export function planeOverlap(a: Rectangle, b: Rectangle): number {
  const across = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const down = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (across <= 0 || down <= 0) return 0;
  const shared = across * down;
  const union = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - shared;
  return union > 0 ? shared / union : 0;
}

/**
 * A random box that overlaps `box` as little as 20 draws allow: sides of 10..50 % of the image (at least 4 pixels),
 * the first draw without overlap in the plane is taken, else the one with least. As many slices as `box`, at a
 * random height.
 * @param size of the processed images, and how many there are (depth 1 for 2D).
 * @param box what the model asked for, clamped.
 */
export function randomLowOverlapBox(
  random: Random,
  size: { readonly width: number; readonly height: number; readonly depth: number },
  box: ProcessorBox,
): ProcessorBox {
  const narrowest = Math.max(MIN_SIDE, Math.trunc(SMALLEST_FRACTION * size.width));
  const widest = Math.max(narrowest + 1, Math.trunc(LARGEST_FRACTION * size.width));
  const lowest = Math.max(MIN_SIDE, Math.trunc(SMALLEST_FRACTION * size.height));
  const tallest = Math.max(lowest + 1, Math.trunc(LARGEST_FRACTION * size.height));
  let best: Rectangle = { x1: 0, y1: 0, x2: narrowest, y2: lowest };
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && least > 0; attempt++) {
    const width = between(random, narrowest, widest);
    const height = between(random, lowest, tallest);
    const x1 = between(random, 0, Math.max(0, size.width - width));
    const y1 = between(random, 0, Math.max(0, size.height - height));
    const drawn = { x1, y1, x2: x1 + width, y2: y1 + height };
    const overlap = planeOverlap(drawn, box);
    if (overlap < least) {
      least = overlap;
      best = drawn;
    }
  }
  const slices = Math.min(size.depth, box.z2 - box.z1);
  const z1 = between(random, 0, size.depth - slices);
  // In images smaller than a draw the rectangle may stick out: the reference clamps it when it cuts.
  return clampBox3d(
    [best.x1, best.y1, z1, best.x2, best.y2, z1 + slices],
    size.width,
    size.height,
    size.depth,
  );
}
