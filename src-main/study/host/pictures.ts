/** Small and large pictures of a series for the screen: PNG, through the window that the series asks for. */
import { encode } from 'fast-png';
import type { ImagePixels } from '../../engine/language-model.ts';
import { pilResize } from '../../slices/pil-resample.ts';
import { serialiseImage } from '../../slices/serialise.ts';
import type { SeriesPixels } from '../pixels.ts';

/** One slice at full size. */
export function pictureOf(pixels: SeriesPixels, slice: number): ImagePixels {
  return serialiseImage(pixels, slice).image;
}

/** No side longer than `side`; never enlarged. */
export function shrink(image: ImagePixels, side: number): ImagePixels {
  const scale = side / Math.max(image.width, image.height);
  if (scale >= 1) return image;
  const size = (length: number) => Math.max(1, Math.round(length * scale));
  return pilResize(image, size(image.width), size(image.height), 'bilinear');
}

export function toPng(image: ImagePixels): Uint8Array {
  const { width, height, channels, data } = image;
  // Looked at once on this machine: speed over size.
  return encode({ width, height, channels, depth: 8, data }, { zlib: { level: 1 } });
}
