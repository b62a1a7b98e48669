/** A view of a volume to the 8-bit slices that the model is shown: scaling to 0..1, trilinear resize, truncation. */
import type { ImagePixels } from '../engine/language-model.ts';
import { orderValues } from './order-statistics.ts';
import { percentiles, percentilesOf } from './percentile.ts';
import { type Normalisation, toBytes, trilinearPlanes } from './trilinear.ts';
import type { VolumeView } from './volume-view.ts';

/** [depth, height, width]. */
export type TargetSize = readonly [number, number, number];
export const defaultTargetSize: TargetSize = [32, 256, 256];

export type NormaliseMode = 'percentile' | 'minmax';

const LOW_PERCENT = 1;
const HIGH_PERCENT = 99;

/** Values as they are: what the reference does where there is no range to scale by. */
const unscaled: Normalisation = { precision: 'float32', low: 0, span: 1, missing: Number.NaN };

/** Scaling as the reference has it, in the float type that numpy's promotion gives it. */
export function referenceNormalisation(view: VolumeView, mode: NormaliseMode): Normalisation {
  if (mode === 'percentile') {
    const [low, high] = percentiles(view, [LOW_PERCENT, HIGH_PERCENT]);
    return high > low ? { precision: 'float64', low, span: high - low, missing: Number.NaN } : unscaled;
  }
  const ordered = orderValues(view);
  if (ordered.hasNaN) return unscaled;
  const [low, high] = ordered.at([0, ordered.count - 1]);
  return high > low
    ? { precision: 'float32', low, span: Math.fround(high - low), missing: Number.NaN }
    : unscaled;
}

/**
 * The same scaling, made robust: NaN and infinities take no part and count as the lowest value, and where the
 * percentiles coincide (a mask, a volume that is mostly air) the whole range is used instead of none.
 */
export function robustNormalisation(view: VolumeView, mode: NormaliseMode): Normalisation {
  const ordered = orderValues(view, true);
  if (ordered.count === 0) return { precision: 'float64', low: 0, span: 1, missing: 0 };
  if (mode === 'percentile') {
    const [low, high] = percentilesOf(ordered, [LOW_PERCENT, HIGH_PERCENT]);
    if (high > low) return { precision: 'float64', low, span: high - low, missing: low };
  }
  const [lowest, highest] = ordered.at([0, ordered.count - 1]);
  return { precision: 'float64', low: lowest, span: highest - lowest || 1, missing: lowest };
}

/** Slices z = 0 .. depth-1 of a view, one channel, 8 bits. */
export function toSlices(view: VolumeView, normalisation: Normalisation, target: TargetSize): ImagePixels[] {
  const [, height, width] = target;
  const slices: ImagePixels[] = [];
  for (const plane of trilinearPlanes(view, normalisation, target)) {
    slices.push({ width, height, channels: 1, data: toBytes(plane) });
  }
  return slices;
}
