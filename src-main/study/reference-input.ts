/**
 * Input as the reference commands read it: Pillow for images, NumPy and nibabel for volumes, axes in stored order.
 * Nothing anatomical happens here; see open-study.ts for that.
 */

import { asFileError, readerInput } from './decode-image.ts';
import { detectFormat, detectionBytes } from './detect.ts';
import type { Rescale, StoredArray } from './pixels.ts';
import { type ByteSource, defaultLimits, type ReadLimits, unsupported } from './reader.ts';
import { decodeJpeg } from './readers/jpeg.ts';
import { niftiRescale, niftiToPatient, readNiftiArray } from './readers/nifti.ts';
import { parseNpy, parseNpz } from './readers/numpy.ts';
import { decodePng } from './readers/png.ts';
import { type Rgb8, rasterToRgb8 } from './readers/raster.ts';
import { decodeTiff } from './readers/tiff.ts';
import { fileNameOf, fileSource } from './sources.ts';

export type { Rgb8 } from './readers/raster.ts';

/** A file's array as NumPy or nibabel hands it over, all axes of it, in stored order. */
export interface ReferenceVolume {
  shape: number[];
  /** 'C': the last axis is fastest in `data` (npy, npz). 'F': the first axis is (NIfTI: x, y, z, t…). */
  order: 'C' | 'F';
  data: StoredArray;
  /** value = stored * slope + intercept in float64, then rounded to float32; absent where `data` holds values. */
  rescale?: Rescale;
  /** i, j, k (axes 0, 1, 2 of a NIfTI) -> LPS millimetres, row-major 3x4; null when the file states none. */
  sourceToPatient: number[] | null;
}

/**
 * What Pillow's `Image.open(path).convert('RGB')` gives: PNG, JPEG and the first page of a TIFF.
 *
 * @throws ReadroomError 'file-not-found' | 'file-malformed' | 'file-truncated' | 'format-unsupported' | 'file-too-large'
 */
export async function readRgb8(path: string, limits: ReadLimits = defaultLimits): Promise<Rgb8> {
  const source = await fileSource(path);
  return guard(source, async () => rgb8Of(source, limits));
}

async function rgb8Of(source: ByteSource, limits: ReadLimits): Promise<Rgb8> {
  const detected = await detectFormat(await source.head(detectionBytes), fileNameOf(source));
  const format = detected.is === 'format' ? detected.format : undefined;
  if (format !== 'png' && format !== 'jpeg' && format !== 'tiff') {
    throw unsupported(
      source.name,
      'it is no PNG, JPEG or TIFF image',
      'Use `readroom ask` for studies of other formats.',
    );
  }
  const input = readerInput(source, await source.read(limits), limits);
  if (format === 'png') return rasterToRgb8(await decodePng(input));
  if (format === 'jpeg') return rasterToRgb8(await decodeJpeg(input));
  return rasterToRgb8(await decodeTiff(input, true));
}

/**
 * The array that the reference loads: `nibabel.load(path).get_fdata()` for .nii and .nii.gz (axes x, y, z, rescaled),
 * the first array by name for .npz, `numpy.load` for all else. The caller rounds to float32.
 *
 * @throws ReadroomError 'file-not-found' | 'file-malformed' | 'file-truncated' | 'format-unsupported' | 'file-too-large'
 */
export async function readReferenceVolume(
  path: string,
  limits: ReadLimits = defaultLimits,
): Promise<ReferenceVolume> {
  const source = await fileSource(path);
  return guard(source, async () => volumeOf(source, limits));
}

async function volumeOf(source: ByteSource, limits: ReadLimits): Promise<ReferenceVolume> {
  const detected = await detectFormat(await source.head(detectionBytes), fileNameOf(source));
  const format = detected.is === 'format' ? detected.format : undefined;
  // By content, not by name as the reference does: for every file that it can load the answer is the same.
  if (format === 'nifti') {
    const input = readerInput(source, await source.read(limits), limits);
    const array = await readNiftiArray(input, 'all');
    if (array.samples !== 1) {
      throw unsupported(
        source.name,
        'it stores colours, which the reference does not read',
        'Convert it to gray first.',
      );
    }
    const { shape, data, header } = array;
    const rescale = niftiRescale(header);
    const { sourceToPatient } = niftiToPatient(header);
    return { shape, order: 'F', data, rescale, sourceToPatient };
  }
  if (format === 'npz' || format === 'npy') {
    const input = readerInput(source, await source.read(limits), limits);
    const array =
      format === 'npz' ? (await parseNpz(input)).array : parseNpy(input.bytes, input.name, limits);
    return { shape: array.shape, order: 'C', data: array.data, sourceToPatient: null };
  }
  throw unsupported(
    source.name,
    'the reference reads .nii, .nii.gz, .npy and .npz volumes only',
    'Use `readroom ask`, which reads every format, or convert the volume to NIfTI.',
  );
}

async function guard<T>(source: ByteSource, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    throw asFileError(thrown, source.name);
  }
}
