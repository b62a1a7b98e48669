/**
 * np.percentile(volume, [low, high]) of float32 values, to the last bit (numpy 2: numpy/lib/_function_base_impl.py
 * _quantile and _lerp, method 'linear'). Positions and weights are float64; the step between two neighbours is float32,
 * because numpy subtracts them before it leaves the array's own type.
 * Fixtures: fixtures/reference/volume/percentiles.*.
 */
import { type OrderedValues, orderValues } from './order-statistics.ts';
import type { VolumeView } from './volume-view.ts';

function interpolate(below: number, above: number, fraction: number): number {
  const step = Math.fround(above - below);
  return fraction >= 0.5 ? above - step * (1 - fraction) : below + step * fraction;
}

/**
 * Percentiles of prepared values.
 * @param percents each 0..100.
 * @returns float64 values; NaN where there is nothing to rank or a NaN among it, as in numpy.
 */
export function percentilesOf(ordered: OrderedValues, percents: readonly number[]): number[] {
  const last = ordered.count - 1;
  if (last < 0 || ordered.hasNaN) return percents.map(() => Number.NaN);
  const positions = percents.map((percent) => last * (percent / 100));
  const ranks = positions.flatMap((position) => {
    const below = Math.floor(position);
    // At the very end numpy takes the last value for both neighbours.
    return [below, Math.min(last, below + 1)];
  });
  const values = ordered.at(ranks);
  return positions.map((position, i) =>
    interpolate(values[2 * i], values[2 * i + 1], position - Math.floor(position)),
  );
}

/** np.percentile(view, percents). */
export function percentiles(view: VolumeView, percents: readonly number[]): number[] {
  return percentilesOf(orderValues(view), percents);
}
