/**
 * Readroom's own serialisation of a volume: axial, patient-left on the image's right, anterior at the top, feet to
 * head; otherwise the reference's scaling and resize.
 */
import type { SeriesPixels } from '../study/pixels.ts';
import {
  axialOrientation,
  buildChain,
  canonicalSize,
  type Orientation,
  type Triple,
} from './affine-chain.ts';
import { lumaOfRgb } from './luma.ts';
import type { Serialised } from './serialise-reference.ts';
import {
  defaultTargetSize,
  type NormaliseMode,
  robustNormalisation,
  type TargetSize,
  toSlices,
} from './serialise-volume.ts';
import type { VolumeView } from './volume-view.ts';

/** The pixels of a series, seen along its canonical axes. */
export function canonicalView(pixels: SeriesPixels, orientation: Orientation): VolumeView {
  const size: Triple = [pixels.columns, pixels.rows, pixels.slices];
  const steps = [1, pixels.columns, pixels.columns * pixels.rows];
  let offset = 0;
  const strides = orientation.axes.map((source, canonical) => {
    if (!orientation.flipped[canonical]) return steps[source];
    offset += (size[source] - 1) * steps[source];
    return -steps[source];
  });
  return {
    data: pixels.channels === 3 ? lumaOfRgb(pixels.data) : pixels.data,
    offset,
    size: canonicalSize(orientation, size),
    strides: [strides[0], strides[1], strides[2]],
  };
}

/**
 * Slices of a series in anatomical order. Without a position in the file the stored order is kept (i to the right,
 * j down, k through the slices). Colour becomes grey.
 */
export function serialiseAnatomical(
  pixels: SeriesPixels,
  targetSize: TargetSize = defaultTargetSize,
  normalize: NormaliseMode = 'percentile',
): Serialised {
  const { sourceToPatient } = pixels.series;
  const orientation = axialOrientation(sourceToPatient);
  const view = canonicalView(pixels, orientation);
  const chain = buildChain({
    sourceToPatient,
    sourceSize: [pixels.columns, pixels.rows, pixels.slices],
    orientation,
    gridSize: [targetSize[2], targetSize[1], targetSize[0]],
    serialization: 'anatomical',
  });
  return { slices: toSlices(view, robustNormalisation(view, normalize), targetSize), chain };
}
