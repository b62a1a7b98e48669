/**
 * From the numbers a model wrote to the pixels that are cut: the reference's box geometry, restated.
 * Source of behaviour: IQuestLab/unireason-med code/inference/unireason_med_infer.py (expand_interval,
 * crop_2d_image, crop_3d_slices) at 77f447b; fixtures in fixtures/reference/pil/{boxes,intervals}.json.
 */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { ProcessorBox } from '../../src-contract/geometry.ts';
import type { ImagePixels } from '../engine/language-model.ts';

/** Pixels. A crop is never narrower, unless the image itself is. */
export const MIN_SIDE = 4;
/** Long side over short side; beyond it the short side is widened. */
export const MAX_ASPECT_RATIO = 180;

/** [start, end): whole numbers. */
type Interval = [start: number, end: number];

/**
 * Python's int(): drops the fraction towards zero.
 * @throws ReadroomError 'input-invalid' for NaN and infinities, where Python raises; `detail` is Python's repr of
 *   the exception, which the reference's batch commands write into their output.
 */
function toInteger(value: number): number {
  if (Number.isFinite(value)) return Math.trunc(value);
  const detail = Number.isNaN(value)
    ? "ValueError('cannot convert float NaN to integer')"
    : "OverflowError('cannot convert float infinity to integer')";
  throw new ReadroomError('input-invalid', `The model wrote a box with ${value} in it, which no pixel has.`, {
    field: 'box',
    detail,
  });
}

/**
 * Grows [start, end) to `wanted`, the odd pixel at the end, pushed back inside [0, limit]. An interval that is long
 * enough already is returned as it is.
 */
export function widenInterval(start: number, end: number, wanted: number, limit: number): Interval {
  const missing = wanted - (end - start);
  if (missing <= 0) return [start, end];
  const before = Math.floor(missing / 2);
  let low = start - before;
  let high = end + (missing - before);
  if (low < 0) {
    high = Math.min(limit, high - low);
    low = 0;
  }
  if (high > limit) {
    low = Math.max(0, low - (high - limit));
    high = limit;
  }
  return high > low ? [low, high] : [low, Math.min(limit, low + 1)];
}

/** Inside [0, limit]; a reversed or empty interval becomes the single index it starts at. */
function clampInterval(start: number, end: number, limit: number): Interval {
  const low = Math.max(0, Math.min(start, limit - 1));
  return [low, Math.max(low + 1, Math.min(end, limit))];
}

function clampPlane(x: Interval, y: Interval, width: number, height: number): { x: Interval; y: Interval } {
  let across = clampInterval(x[0], x[1], width);
  let down = clampInterval(y[0], y[1], height);
  across = widenInterval(across[0], across[1], Math.min(MIN_SIDE, width), width);
  down = widenInterval(down[0], down[1], Math.min(MIN_SIDE, height), height);
  const cropWidth = across[1] - across[0];
  const cropHeight = down[1] - down[0];
  if (Math.max(cropWidth, cropHeight) / Math.min(cropWidth, cropHeight) > MAX_ASPECT_RATIO) {
    if (cropWidth >= cropHeight) {
      const wanted = Math.max(1, Math.min(height, Math.ceil(cropWidth / MAX_ASPECT_RATIO)));
      down = widenInterval(down[0], down[1], wanted, height);
    } else {
      const wanted = Math.max(1, Math.min(width, Math.ceil(cropHeight / MAX_ASPECT_RATIO)));
      across = widenInterval(across[0], across[1], wanted, width);
    }
  }
  return { x: across, y: down };
}

/**
 * What is cut for a box of four numbers in an image of `width` x `height` processor pixels.
 * @param raw x1, y1, x2, y2 as the model wrote them; more numbers are ignored.
 * @returns a box inside the image with z1 = 0, z2 = 1.
 * @throws ReadroomError 'input-invalid' when a number is NaN or infinite.
 */
export function clampBox2d(raw: readonly number[], width: number, height: number): ProcessorBox {
  const [x1, y1, x2, y2] = raw.slice(0, 4).map(toInteger);
  const { x, y } = clampPlane([x1, x2], [y1, y2], width, height);
  return { x1: x[0], y1: y[0], z1: 0, x2: x[1], y2: y[1], z2: 1 };
}

/**
 * What is cut for a box of six numbers in `depth` slices of `width` x `height` processor pixels.
 * @param raw x1, y1, z1, x2, y2, z2 as the model wrote them; z in slices, z2 exclusive.
 * @throws ReadroomError 'input-invalid' when a number is NaN or infinite.
 */
export function clampBox3d(
  raw: readonly number[],
  width: number,
  height: number,
  depth: number,
): ProcessorBox {
  const [x1, y1, z1, x2, y2, z2] = raw.slice(0, 6).map(toInteger);
  const z = clampInterval(z1, z2, depth);
  const { x, y } = clampPlane([x1, x2], [y1, y2], width, height);
  return { x1: x[0], y1: y[0], z1: z[0], x2: x[1], y2: y[1], z2: z[1] };
}

/**
 * The pixels of a box (x and y only; the caller picks the slice).
 * @throws RangeError when the box is empty or leaves the image: clamp it first.
 */
export function cropImage(image: ImagePixels, box: ProcessorBox): ImagePixels {
  const width = box.x2 - box.x1;
  const height = box.y2 - box.y1;
  if (
    width <= 0 ||
    height <= 0 ||
    box.x1 < 0 ||
    box.y1 < 0 ||
    box.x2 > image.width ||
    box.y2 > image.height
  ) {
    throw new RangeError(
      `box [${box.x1}, ${box.y1}, ${box.x2}, ${box.y2}] is not inside ${image.width}x${image.height}`,
    );
  }
  const rowBytes = width * image.channels;
  const data = new Uint8Array(rowBytes * height);
  for (let row = 0; row < height; row++) {
    const from = ((box.y1 + row) * image.width + box.x1) * image.channels;
    data.set(image.data.subarray(from, from + rowBytes), row * rowBytes);
  }
  return { width, height, channels: image.channels, data };
}
