/**
 * A 3D array as strides over somebody else's memory: transposing, flipping and picking a channel cost nothing, and a
 * 300 MB volume is never copied.
 */
import type { Rescale, StoredArray } from '../study/pixels.ts';

export interface VolumeView {
  readonly data: StoredArray;
  /** Element of `data` at [0, 0, 0]. */
  readonly offset: number;
  /** Lengths along x, y, z. */
  readonly size: readonly [number, number, number];
  /** Steps in `data` along x, y, z; negative where the axis is flipped. */
  readonly strides: readonly [number, number, number];
  /** A stored value v means v * slope + intercept; absent where `data` holds values already. */
  readonly rescale?: Rescale;
}

/** A view whose values are the whole of `data`, in any order: what statistics may read straight through. */
export function coversData(view: VolumeView): boolean {
  return view.size[0] * view.size[1] * view.size[2] === view.data.length;
}

/** Calls `visit` with every run of values along x. `start` and `step` index `data`. */
export function forEachRow(
  view: VolumeView,
  visit: (start: number, step: number, count: number) => void,
): void {
  const [width, height, depth] = view.size;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      visit(view.offset + z * view.strides[2] + y * view.strides[1], view.strides[0], width);
    }
  }
}

/**
 * Calls `visit` with runs that together hold every value once, in whatever order is quickest: one run where the view
 * covers its memory.
 */
export function forEachRun(
  view: VolumeView,
  visit: (start: number, step: number, count: number) => void,
): void {
  if (coversData(view)) visit(0, 1, view.data.length);
  else forEachRow(view, visit);
}
