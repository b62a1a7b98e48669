/** Stored values of one frame -> values: HU and other units, or RGB bytes. */
import { type StoredArray, toValues, type ValueArray } from '../../pixels.ts';
import { applyPalette, type ColourModel, type Palette, toRgb } from './colour.ts';
import type { FrameInfo } from './frame-info.ts';
import { lookUp } from './modality-lut.ts';
import { type PixelDescription, storedRange } from './pixel-description.ts';

export interface ValueRules {
  pixels: PixelDescription;
  colour: ColourModel;
  palette?: Palette;
  /** True for MONOCHROME1 without units: values are mirrored so that bright stays bright. */
  mirror: boolean;
}

/** True where low stored values are meant to be shown bright and the values have no unit that forbids mirroring. */
export function isMirrored(pixels: PixelDescription, units: string): boolean {
  return pixels.photometric === 'MONOCHROME1' && units === '' && pixels.kind === 'integer';
}

/** `stored` belongs to the caller and may be returned as it is. */
export function frameValues(stored: StoredArray, info: FrameInfo, rules: ValueRules): ValueArray {
  const { pixels } = rules;
  if (pixels.samples === 3) return toRgb(stored, rules.colour, pixels.bitsStored);
  if (rules.palette) return applyPalette(stored, rules.palette);
  const values = info.lut
    ? Float32Array.from(stored, (value) => lookUp(info.lut!, value))
    : toValues(stored, { slope: info.slope, intercept: info.intercept });
  if (!rules.mirror) return values;
  const sum = mirrorSum(pixels, info);
  // Mirrored within the range that the stored bits span, so every slice of a series is mirrored about one value.
  return toValues(values, { slope: -1, intercept: sum });
}

/** value -> mirrorSum - value exchanges the ends of the range that the header's bits span. */
export function mirrorSum(pixels: PixelDescription, info: FrameInfo): number {
  const [low, high] = storedRange(pixels);
  if (info.lut) return lookUp(info.lut, low) + lookUp(info.lut, high);
  return (low + high) * info.slope + 2 * info.intercept;
}
