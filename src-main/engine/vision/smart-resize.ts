/**
 * The sizes that images are resized to. Two rules exist and differ for thin images: the processor's own
 * (transformers models/qwen2_vl smart_resize) and the reference's (IQuestLab/unireason-med
 * unireason_med_infer.py smart_resize_like_qwen), which sizes the image that crops are cut from.
 * Fixtures: fixtures/reference/pil/sizes.json.
 */
import { ReadroomError } from '../../../src-contract/errors.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** In pixels (an area), both included. */
export interface PixelBounds {
  readonly minPixels: number;
  readonly maxPixels: number;
}

const LARGEST_ASPECT_RATIO = 200;

/** Python's round(): halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function pythonFloat(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/**
 * The processor's own size: sides are multiples of `factor` with an area within bounds.
 * @param factor patch size * merge size, pixels.
 * @throws ReadroomError 'input-invalid' when one side is more than 200 times the other, as transformers raises;
 *   `detail` is Python's repr of that exception.
 */
export function smartResize(width: number, height: number, factor: number, bounds: PixelBounds): Size {
  const ratio = Math.max(width, height) / Math.min(width, height);
  if (ratio > LARGEST_ASPECT_RATIO) {
    throw new ReadroomError(
      'input-invalid',
      `An image of ${width} x ${height} pixels is too thin for the model: one side may be at most 200 times the other.`,
      {
        remedy: 'Crop or pad the image.',
        detail: `ValueError('absolute aspect ratio must be smaller than 200, got ${pythonFloat(ratio)}')`,
      },
    );
  }
  let rows = roundHalfEven(height / factor) * factor;
  let columns = roundHalfEven(width / factor) * factor;
  if (rows * columns > bounds.maxPixels) {
    const shrink = Math.sqrt((height * width) / bounds.maxPixels);
    rows = Math.max(factor, Math.floor(height / shrink / factor) * factor);
    columns = Math.max(factor, Math.floor(width / shrink / factor) * factor);
  } else if (rows * columns < bounds.minPixels) {
    const grow = Math.sqrt(bounds.minPixels / (height * width));
    rows = Math.ceil((height * grow) / factor) * factor;
    columns = Math.ceil((width * grow) / factor) * factor;
  }
  return { width: columns, height: rows };
}

/** The reference's size for the image that crops are cut from: thin images skip the bounds; never throws. */
export function referenceSmartResize(
  width: number,
  height: number,
  factor: number,
  bounds: PixelBounds,
): Size {
  const atLeastOne = (side: number) => Math.max(factor, side);
  if (Math.min(width, height) < factor) {
    return {
      width: atLeastOne(Math.ceil(width / factor) * factor),
      height: atLeastOne(Math.ceil(height / factor) * factor),
    };
  }
  let rows = roundHalfEven(height / factor) * factor;
  let columns = roundHalfEven(width / factor) * factor;
  if (rows * columns > bounds.maxPixels) {
    const shrink = Math.sqrt((height * width) / bounds.maxPixels);
    rows = Math.floor(height / shrink / factor) * factor;
    columns = Math.floor(width / shrink / factor) * factor;
  } else if (rows * columns < bounds.minPixels) {
    const grow = Math.sqrt(bounds.minPixels / (height * width));
    rows = Math.ceil((height * grow) / factor) * factor;
    columns = Math.ceil((width * grow) / factor) * factor;
  }
  return { width: atLeastOne(columns), height: atLeastOne(rows) };
}
