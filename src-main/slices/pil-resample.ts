/**
 * Pillow 13's Image.resize for 8-bit images, bit for bit (libImaging/Resample.c: precompute_coeffs,
 * normalize_coeffs_8bpc, ImagingResampleHorizontal_8bpc, ImagingResampleVertical_8bpc).
 * Fixtures: fixtures/reference/pil/resize.*.
 */
import type { ImagePixels } from '../engine/language-model.ts';
import {
  assertSize,
  type FixedPointKernel,
  filterShapes,
  type ResampleFilter,
  remembered,
  resampleFixedPoint,
  roundHalfAway,
} from './fixed-point-resample.ts';

/** 32-bit sums, less 8 bits of pixel, less 2 of headroom for the filter's overshoot. */
const PRECISION_BITS = 32 - 8 - 2;

const pilKernel = remembered((inLength, outLength, filter): FixedPointKernel => {
  const shape = filterShapes[filter];
  const scale = inLength / outLength;
  const filterScale = Math.max(scale, 1);
  const support = shape.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const inverse = 1 / filterScale;
  const starts = new Int32Array(outLength);
  const counts = new Int32Array(outLength);
  const weights = new Int32Array(outLength * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < outLength; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(inLength, Math.trunc(centre + support + 0.5)) - first;
    let total = 0;
    for (let k = 0; k < count; k++) {
      exact[k] = shape.at((k + first - centre + 0.5) * inverse);
      total += exact[k];
    }
    starts[i] = first;
    counts[i] = count;
    for (let k = 0; k < count; k++) {
      const weight = total === 0 ? exact[k] : exact[k] / total;
      weights[i * stride + k] = roundHalfAway(weight * 2 ** PRECISION_BITS);
    }
  }
  return { length: outLength, precision: PRECISION_BITS, stride, starts, counts, weights };
});

/**
 * Since Pillow 13 an image whose height loses more than twice as many pixels as its width goes vertically first
 * (python-pillow/Pillow#9549; the rule was found by trial: 1,470 random sizes, no exception). Before, rows always came
 * first, so such images differ between Pillow's versions; the fixtures, and this file, follow 13.
 */
function firstPass(from: ImagePixels, width: number, height: number): 'horizontal' | 'vertical' {
  const lostRows = from.height - height;
  const lostColumns = from.width - width;
  return lostRows > 0 && lostRows > 2 * lostColumns ? 'vertical' : 'horizontal';
}

/**
 * Image.resize((width, height), BILINEAR | BICUBIC) of Pillow for modes L and RGB.
 * Returns the same object when the size is already right (Pillow copies; nothing here writes into images).
 * @throws RangeError when a side is not a whole number of at least 1.
 */
export function pilResize(
  image: ImagePixels,
  width: number,
  height: number,
  filter: ResampleFilter,
): ImagePixels {
  assertSize(width, height);
  return resampleFixedPoint(image, {
    horizontal: width === image.width ? null : pilKernel(image.width, width, filter),
    vertical: height === image.height ? null : pilKernel(image.height, height, filter),
    first: firstPass(image, width, height),
  });
}
