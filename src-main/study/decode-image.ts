/** One file of any format but DICOM -> image: the table of readers. */
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import type { Format } from '../../src-contract/study.ts';
import { checkFrameSet } from './pixels.ts';
import type { ByteSource, DecodedImage, ImageReader, ReaderInput, ReadLimits } from './reader.ts';
import { decodeJpeg } from './readers/jpeg.ts';
import { readMetaImage } from './readers/metaimage.ts';
import { readNifti } from './readers/nifti.ts';
import { readNrrd } from './readers/nrrd.ts';
import { readNpy, readNpz } from './readers/numpy.ts';
import { decodePng } from './readers/png.ts';
import { rasterImage } from './readers/raster.ts';
import { decodeTiff } from './readers/tiff.ts';
import { fileNameOf } from './sources.ts';

export type PlainFormat = Exclude<Format, 'dicom'>;

const readers: Readonly<Record<PlainFormat, ImageReader>> = {
  nifti: readNifti,
  metaimage: readMetaImage,
  nrrd: readNrrd,
  npy: readNpy,
  npz: readNpz,
  png: async (input) => rasterImage(await decodePng(input), 'png'),
  jpeg: async (input) => rasterImage(await decodeJpeg(input), 'jpeg'),
  tiff: async (input) => rasterImage(await decodeTiff(input), 'tiff'),
};

/** What a reader is given for a source whose bytes are already read. */
export function readerInput(
  source: ByteSource,
  bytes: Uint8Array,
  limits: ReadLimits,
  signal?: AbortSignal,
): ReaderInput {
  const sibling = (relative: string) => source.sibling(relative);
  return { bytes, name: source.name, fileName: fileNameOf(source), limits, signal, sibling };
}

/**
 * @throws ReadroomError only. Anything else that escapes a reader is a bug of ours; towards the person it is a file
 * that can't be read, with the detail kept for the report.
 */
export async function decodeImage(format: PlainFormat, input: ReaderInput): Promise<DecodedImage> {
  try {
    const image = await readers[format](input);
    checkFrameSet(image.frames, input.name);
    return image;
  } catch (thrown) {
    throw asFileError(thrown, input.name);
  }
}

/** Wraps what is no ReadroomError. Running out of memory has a code of its own. */
export function asFileError(thrown: unknown, name: string): ReadroomError {
  if (thrown instanceof ReadroomError) return thrown;
  if (
    thrown instanceof RangeError &&
    /array (buffer )?allocation|array length|invalid typed array/i.test(thrown.message)
  ) {
    return new ReadroomError('file-too-large', `${name}: there is not enough memory for its pixels.`, {
      file: name,
      remedy: 'Close other programs, or downsample the image.',
      detail: thrown.message,
    });
  }
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return toReadroomError(
    new ReadroomError('file-malformed', `${name}: it can't be read as the format it claims to be.`, {
      file: name,
      remedy: 'Check the file with the program that wrote it, and export it again.',
      detail,
    }),
  );
}
