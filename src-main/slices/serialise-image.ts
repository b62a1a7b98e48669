/**
 * One slice of a series as the 8-bit image of a 2D run: an 8-bit picture as it is, everything else through a window.
 * A slice that knows where it lies in the patient is turned as radiologists look at it (sliceOrientation), so that a
 * model gets the same picture of a NIfTI as of the DICOM it was made from; a picture without a position stays as stored.
 */
import type { AffineChain } from '../../src-contract/geometry.ts';
import type { Window } from '../../src-contract/study.ts';
import type { ImagePixels } from '../engine/language-model.ts';
import type { SeriesPixels } from '../study/pixels.ts';
import {
  buildChain,
  canonicalSize,
  type Orientation,
  sliceOrientation,
  storedOrientation,
} from './affine-chain.ts';
import { robustNormalisation } from './serialise-volume.ts';
import { toBytes, trilinearPlanes } from './trilinear.ts';
import type { VolumeView } from './volume-view.ts';

export interface SerialisedImage {
  readonly image: ImagePixels;
  /** Processor frame = the image until `withProcessor`. z of the image is slice `slice` of the source. */
  readonly chain: AffineChain;
  /** How values became grey levels: 'as-is' for 8-bit pictures, 'pillow' for Pillow's own conversion. */
  readonly mapping: 'as-is' | 'window' | 'percentile' | 'pillow';
}

/** Linear VOI function, DICOM PS3.3 C.11.2.1.2.1, to 0..255, rounded half up. NaN becomes 0. */
function throughWindow(values: ArrayLike<number>, window: Window): Uint8Array {
  const { center, width } = window;
  const out = new Uint8Array(values.length);
  // A width of 1 is a threshold: the formula divides by width - 1.
  const span = Math.max(width - 1, Number.EPSILON);
  for (let i = 0; i < values.length; i++) {
    const level = ((values[i] - (center - 0.5)) / span + 0.5) * 255;
    out[i] = level <= 0 ? 0 : level >= 255 ? 255 : Math.floor(level + 0.5);
  }
  return out;
}

/** The reference's scaling of volumes, on one slice: 1st to 99th percentile, truncated to 8 bits. */
function throughPercentiles(values: SeriesPixels['data'], width: number, height: number): Uint8Array {
  const view: VolumeView = {
    data: values,
    offset: 0,
    size: [width, height, 1],
    strides: [1, width, width * height],
  };
  const [plane] = trilinearPlanes(view, robustNormalisation(view, 'percentile'), [1, height, width]);
  return toBytes(plane);
}

/** Pillow's convert('RGB') of what is not 8-bit: 16-bit colour loses its low byte, grey is cut off at 0 and 255. */
function asPillow(values: SeriesPixels['data'], channels: 1 | 3): Uint8Array {
  if (channels === 3 && values instanceof Uint16Array) return Uint8Array.from(values, (value) => value >> 8);
  return Uint8Array.from(values, (value) => Math.trunc(Math.max(0, Math.min(255, value))));
}

export interface ImageOptions {
  /**
   * Which values to show; by default the series' first window, and where it has none, 8-bit values as they are and
   * others from their 1st to their 99th percentile. Colour is never windowed.
   */
  readonly window?: Window;
  /** Order and grey levels as the reference's `Image.open(path).convert('RGB')` has them, whatever the series says. */
  readonly reference?: boolean;
}

function toLevels(
  pixels: SeriesPixels,
  values: SeriesPixels['data'],
  options: ImageOptions,
): { bytes: Uint8Array; mapping: SerialisedImage['mapping'] } {
  const { columns, rows, channels, series } = pixels;
  const window = options.reference || channels === 3 ? undefined : (options.window ?? series.windows[0]);
  if (window) return { bytes: throughWindow(values, window), mapping: 'window' };
  if (values instanceof Uint8Array) return { bytes: values.slice(), mapping: 'as-is' };
  if (options.reference || (channels === 3 && values instanceof Uint16Array)) {
    return { bytes: asPillow(values, channels), mapping: 'pillow' };
  }
  return { bytes: throughPercentiles(values, columns * channels, rows), mapping: 'percentile' };
}

/** Pixels in another order: row by row of the canonical slice. */
function turned(
  bytes: Uint8Array,
  [columns, rows]: readonly [number, number],
  channels: number,
  { axes, flipped }: Orientation,
): Uint8Array {
  if (axes[0] === 0 && !flipped[0] && !flipped[1]) return bytes;
  const lengths = [columns, rows];
  const steps = [channels, columns * channels];
  const [width, height] = [lengths[axes[0]], lengths[axes[1]]];
  const step = [0, 1].map((axis) => (flipped[axis] ? -steps[axes[axis]] : steps[axes[axis]]));
  const first = [0, 1].reduce(
    (sum, axis) => sum + (flipped[axis] ? (lengths[axes[axis]] - 1) * steps[axes[axis]] : 0),
    0,
  );
  const out = new Uint8Array(bytes.length);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = first + x * step[0] + y * step[1];
      for (let channel = 0; channel < channels; channel++) out[at++] = bytes[from + channel];
    }
  }
  return out;
}

/**
 * Slice `slice` of a series.
 * @throws RangeError when there is no such slice.
 */
export function serialiseImage(pixels: SeriesPixels, slice = 0, options: ImageOptions = {}): SerialisedImage {
  const { columns, rows, slices, channels, data, series } = pixels;
  if (!Number.isInteger(slice) || slice < 0 || slice >= slices) {
    throw new RangeError(`slice ${slice} of a series of ${slices}`);
  }
  const length = columns * rows * channels;
  const { bytes, mapping } = toLevels(pixels, data.subarray(slice * length, (slice + 1) * length), options);
  const orientation = options.reference ? storedOrientation : sliceOrientation(series.sourceToPatient);
  const gridSize = canonicalSize(orientation, [columns, rows, 1]);
  const chain = buildChain({
    sourceToPatient: series.sourceToPatient,
    sourceSize: [columns, rows, 1],
    orientation,
    gridSize,
    serialization: 'image',
  });
  const canonicalToSource = [...chain.canonicalToSource];
  canonicalToSource[11] = slice;
  return {
    image: {
      width: gridSize[0],
      height: gridSize[1],
      channels,
      data: turned(bytes, [columns, rows], channels, orientation),
    },
    chain: { ...chain, canonicalToSource, sourceSize: [columns, rows, slices] },
    mapping,
  };
}
