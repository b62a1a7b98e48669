/** From the bytes of one DICOM file to stored values, and to what is needed to make values of them. */
import type { SourceFile } from '../../../../src-contract/study.ts';
import { checkFrameSet, type FrameSet } from '../../pixels.ts';
import { malformed, type ReadLimits } from '../../reader.ts';
import { type ColourModel, colourModel, type Palette, readPalette } from './colour.ts';
import { decodeEncapsulated } from './encapsulated.ts';
import { decodeNative } from './native.ts';
import { readPart10 } from './part10.ts';
import { describePixels, isNative, type PixelDescription } from './pixel-description.ts';

export interface DecodedInstance {
  pixels: PixelDescription;
  frames: FrameSet;
  colour: ColourModel;
  palette?: Palette;
}

/**
 * Decodes every frame of one file.
 *
 * @throws ReadroomError 'file-malformed', 'file-truncated', 'format-unsupported' or 'file-too-large'.
 */
export async function decodeInstance(
  bytes: Uint8Array,
  name: string,
  limits: ReadLimits,
  signal?: AbortSignal,
): Promise<DecodedInstance> {
  const file = readPart10(bytes, name, limits);
  if (!file.pixel) throw malformed(name, 'it has no pixel data');
  const pixels = describePixels(file, limits);
  const decoded = isNative(file, pixels)
    ? { frames: decodeNative(file, pixels), colour: undefined }
    : await decodeEncapsulated(file, pixels, signal);
  checkFrameSet(decoded.frames, name);
  const indexed = pixels.photometric === 'PALETTE COLOR' && pixels.samples === 1;
  const palette = indexed ? readPalette(file.dataSet, pixels.signed) : undefined;
  if (indexed && !palette) throw malformed(name, 'its colour palette is missing or damaged');
  return { pixels, frames: decoded.frames, colour: colourModel(pixels.photometric, decoded.colour), palette };
}

/** The name that messages give a source. */
export function sourceName(source: SourceFile): string {
  return source.member === undefined ? source.path : `${source.path}: ${source.member}`;
}
