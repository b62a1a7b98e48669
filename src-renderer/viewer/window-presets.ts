/** Windows (grey-level ranges): presets by modality, and an automatic one from the pixels. */
import type { SeriesView } from '../../src-contract/channels.ts';

export interface Range {
  readonly lower: number;
  readonly upper: number;
}

export interface Preset extends Range {
  readonly name: string;
}

const preset = (name: string, centre: number, width: number): Preset => ({
  name,
  lower: centre - width / 2,
  upper: centre + width / 2,
});

const ct: readonly Preset[] = [
  preset('Soft tissue', 40, 400),
  preset('Lung', -600, 1500),
  preset('Mediastinum', 50, 350),
  preset('Bone', 480, 2500),
  preset('Brain', 40, 80),
  preset('Stroke', 35, 35),
  preset('Liver', 60, 160),
  preset('Angiography', 300, 600),
];

/**
 * CT by its modality or by its units: Hounsfield units mean the same everywhere, other units don't. Research formats
 * name neither; values from below -900, where air is, are then taken for Hounsfield units too.
 */
function isCt({ modality, units }: SeriesView, lowest: number): boolean {
  return modality === 'CT' || units === 'HU' || (modality === 'OT' && units === '' && lowest <= -900);
}

/**
 * Presets that mean something for a series; the file's own windows first.
 * @param lowest the smallest value in it, as far as it is known
 */
export function presetsOf(series: SeriesView, lowest = 0): readonly Preset[] {
  const own = series.windows.map(({ center, width }, n) =>
    preset(series.windows.length > 1 ? `From the file (${n + 1})` : 'From the file', center, width),
  );
  if (series.channels === 3) return [];
  return isCt(series, lowest) ? [...own, ...ct] : own;
}

/** Values between the 1st and the 99th percentile of a sample of the pixels; the whole range when that is flat. */
export function autoRange(values: ArrayLike<number>): Range {
  const step = Math.max(1, Math.floor(values.length / 65_536));
  const sample: number[] = [];
  for (let n = 0; n < values.length; n += step) if (Number.isFinite(values[n])) sample.push(values[n]);
  sample.sort((a, b) => a - b);
  if (sample.length === 0) return { lower: 0, upper: 1 };
  const at = (share: number) => sample[Math.min(sample.length - 1, Math.floor(share * sample.length))];
  const [low, high] = [at(0.01), at(0.99)];
  if (high > low) return { lower: low, upper: high };
  const [lowest, highest] = [sample[0], sample[sample.length - 1]];
  return { lower: lowest, upper: highest > lowest ? highest : lowest + 1 };
}

/** What a series is first shown with. */
export function firstRange(series: SeriesView, pixels: ArrayLike<number>): Range {
  if (series.channels === 3) return { lower: 0, upper: 255 };
  const [first] = presetsOf(series);
  if (first) return { lower: first.lower, upper: first.upper };
  // 8-bit pictures are made to be seen as they are.
  return pixels instanceof Uint8Array ? { lower: 0, upper: 255 } : autoRange(pixels);
}
