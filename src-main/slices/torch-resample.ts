/**
 * torch.nn.functional.interpolate(uint8, mode='bilinear' | 'bicubic', antialias=True, align_corners=False) on the CPU,
 * which is what torchvision's resize, and with it the 'fast' image processors, comes down to. Weights are 16-bit with
 * as many fraction bits as the largest weight of the axis leaves room for (aten/native/cpu/UpSampleKernel.cpp:
 * HelperInterpBase::_compute_index_ranges_int16_weights), so results differ from Pillow's by up to a grey level.
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

/** The most fraction bits that keep the largest weight of an axis below 2^15; never more than 22. */
function fractionBits(largest: number): number {
  let bits = 0;
  while (bits < 22 && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 1 << 15) bits++;
  return bits;
}

const torchKernel = remembered((inLength, outLength, filter): FixedPointKernel => {
  const shape = filterShapes[filter];
  const scale = inLength / outLength;
  const support = scale >= 1 ? shape.support * scale : shape.support;
  const inverse = scale >= 1 ? 1 / scale : 1;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(outLength);
  const counts = new Int32Array(outLength);
  const exact = new Float64Array(outLength * stride);
  let largest = 0;
  for (let i = 0; i < outLength; i++) {
    const centre = scale * (i + 0.5);
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const wanted = Math.min(inLength, Math.trunc(centre + support + 0.5)) - first;
    const count = Math.max(0, Math.min(stride, wanted));
    const at = i * stride;
    let total = 0;
    for (let k = 0; k < count; k++) {
      exact[at + k] = shape.at((k + first - centre + 0.5) * inverse);
      total += exact[at + k];
    }
    for (let k = 0; k < count; k++) {
      if (total !== 0) exact[at + k] /= total;
      largest = Math.max(largest, exact[at + k]);
    }
    starts[i] = first;
    counts[i] = count;
  }
  const precision = fractionBits(largest);
  const weights = Int32Array.from(exact, (weight) => roundHalfAway(weight * 2 ** precision));
  return { length: outLength, precision, stride, starts, counts, weights };
});

/**
 * torchvision.transforms.v2.functional.resize of a uint8 image with antialiasing.
 * Returns the same object when the size is already right, as torchvision does.
 * @throws RangeError when a side is not a whole number of at least 1.
 */
export function torchResize(
  image: ImagePixels,
  width: number,
  height: number,
  filter: ResampleFilter,
): ImagePixels {
  assertSize(width, height);
  return resampleFixedPoint(image, {
    horizontal: width === image.width ? null : torchKernel(image.width, width, filter),
    vertical: height === image.height ? null : torchKernel(image.height, height, filter),
    first: 'horizontal',
  });
}
