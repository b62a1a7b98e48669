/**
 * The `readroom:` image scheme: cornerstone asks for `readroom:<number of the series>/<slice>`, the pixels come from the
 * main side at pixelUrl as typed arrays, and the metadata from the contract's description of the series. One slice is
 * one entry of cornerstone's cache; stacks and volumes read the same entries, so pixels are held once.
 */
import { cache, Enums, imageLoader, metaData, type Types, utilities } from '@cornerstonejs/core';
import { pixelUrl, type SeriesPixelsView, type SeriesView } from '../../../src-contract/channels.ts';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { SeriesRef } from '../../state/study-store.ts';
import { add, column, cross, normalise, scale, type Vec3 } from '../vector.ts';
import { refusal } from './refusal.ts';
import { geometryOf, type SeriesGeometry } from './series-geometry.ts';
import { toPixels } from './typed-pixels.ts';

/** A series whose slices can be shown. */
export interface ImageSource {
  readonly ref: SeriesRef;
  readonly series: SeriesView;
  readonly pixels: SeriesPixelsView;
  readonly geometry: SeriesGeometry;
  readonly imageIds: readonly string[];
  readonly volumeId: string;
  /** Row direction and column direction, computed once: cornerstone compares them for equality between slices. */
  readonly rowCosines: Vec3;
  readonly columnCosines: Vec3;
}

const scheme = 'readroom';
const sources: ImageSource[] = [];

export function registerSource(ref: SeriesRef, series: SeriesView, pixels: SeriesPixelsView): ImageSource {
  const number = sources.length;
  const geometry = geometryOf(series);
  const rowCosines = normalise(column(geometry.indexToWorld, 0));
  const source: ImageSource = {
    ref,
    series,
    pixels,
    geometry,
    imageIds: Array.from({ length: pixels.slices }, (_, k) => `${scheme}:${number}/${k}`),
    volumeId: `cornerstoneStreamingImageVolume:${scheme}-${number}`,
    rowCosines,
    columnCosines: normalise(
      cross(cross(rowCosines, normalise(column(geometry.indexToWorld, 1))), rowCosines),
    ),
  };
  sources.push(source);
  return source;
}

/** Lets go of a source's pixels. Its number is not used again. */
export function forgetSource(source: ImageSource): void {
  if (cache.getVolumeLoadObject(source.volumeId)) cache.removeVolumeLoadObject(source.volumeId);
  for (const imageId of source.imageIds) {
    if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
  }
}

function find(imageId: string): { source: ImageSource; slice: number } | null {
  const match = /^readroom:(\d+)\/(\d+)$/.exec(imageId);
  const source = match ? sources[Number(match[1])] : undefined;
  return source && match ? { source, slice: Number(match[2]) } : null;
}

function imagePlane({ source, slice }: { source: ImageSource; slice: number }): Types.ImagePlaneModule {
  const { geometry, pixels, rowCosines, columnCosines } = source;
  const { indexToWorld, spacing } = geometry;
  const origin: Vec3 = [indexToWorld[3], indexToWorld[7], indexToWorld[11]];
  const position = add(origin, scale(column(indexToWorld, 2), slice));
  return {
    frameOfReferenceUID: source.volumeId,
    rows: pixels.rows,
    columns: pixels.columns,
    imageOrientationPatient: [
      ...rowCosines,
      ...columnCosines,
    ] as Types.ImagePlaneModule['imageOrientationPatient'],
    rowCosines: [...rowCosines],
    columnCosines: [...columnCosines],
    imagePositionPatient: [...position],
    sliceThickness: spacing[2],
    sliceLocation: slice * spacing[2],
    pixelSpacing: [spacing[1], spacing[0]],
    rowPixelSpacing: spacing[1],
    columnPixelSpacing: spacing[0],
    usingDefaultValues: false,
  } as Types.ImagePlaneModule;
}

function imagePixel({ pixels }: ImageSource) {
  const bits = pixels.channels === 3 || pixels.type === 'uint8' ? 8 : /16/.test(pixels.type) ? 16 : 32;
  return {
    bitsAllocated: bits,
    bitsStored: bits,
    highBit: bits - 1,
    samplesPerPixel: pixels.channels,
    photometricInterpretation: pixels.channels === 3 ? 'RGB' : 'MONOCHROME2',
    pixelRepresentation: pixels.type === 'int16' || pixels.type === 'int32' ? 1 : 0,
  };
}

/** What cornerstone asks of an image. Rescaling was done on the main side, so slope 1 and intercept 0 throughout. */
function metadata(type: string, imageId: string): unknown {
  const found = typeof imageId === 'string' ? find(imageId) : null;
  if (!found) return undefined;
  switch (type) {
    case Enums.MetadataModules.IMAGE_PLANE:
      return imagePlane(found);
    case Enums.MetadataModules.IMAGE_PIXEL:
      return imagePixel(found.source);
    case Enums.MetadataModules.GENERAL_SERIES:
      return { modality: found.source.series.modality, seriesInstanceUID: found.source.volumeId };
    case Enums.MetadataModules.MODALITY_LUT:
      return { rescaleSlope: 1, rescaleIntercept: 0 };
    default:
      return undefined;
  }
}

/**
 * Fetches one slice.
 * @throws ReadroomError when the main side can't give it, with its reason
 */
async function fetchSlice(imageId: string, signal: AbortSignal): Promise<Types.IImage> {
  const found = find(imageId);
  if (!found) throw new ReadroomError('internal', `No such image: ${imageId}`);
  const { source, slice } = found;
  const { pixels, ref, geometry } = source;
  const answer = await fetch(pixelUrl(ref.studyId, ref.seriesId, slice, pixels.type), { signal });
  if (!answer.ok) throw await refusal(answer, `Slice ${slice + 1} could not be read.`);
  const data = toPixels(await answer.arrayBuffer(), pixels);
  const [low, high] = pixels.range;
  const colour = pixels.channels === 3;
  const image = {
    imageId,
    minPixelValue: colour ? 0 : low,
    maxPixelValue: colour ? 255 : high,
    slope: 1,
    intercept: 0,
    windowCenter: colour ? 128 : (low + high) / 2,
    windowWidth: colour ? 255 : Math.max(1, high - low),
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    getPixelData: () => data,
    voxelManager: utilities.VoxelManager.createImageVoxelManager({
      scalarData: data,
      width: pixels.columns,
      height: pixels.rows,
      numberOfComponents: pixels.channels,
    }),
    rows: pixels.rows,
    columns: pixels.columns,
    height: pixels.rows,
    width: pixels.columns,
    color: colour,
    rgba: false,
    numberOfComponents: pixels.channels,
    columnPixelSpacing: geometry.spacing[0],
    rowPixelSpacing: geometry.spacing[1],
    sliceThickness: geometry.spacing[2],
    invert: false,
    photometricInterpretation: colour ? 'RGB' : 'MONOCHROME2',
    sizeInBytes: data.byteLength,
    dataType: data.constructor.name,
    imageQualityStatus: Enums.ImageQualityStatus.FULL_RESOLUTION,
  };
  // The rest of IImage belongs to cornerstone's own decoders.
  return image as unknown as Types.IImage;
}

let registered = false;

export function registerImageScheme(): void {
  if (registered) return;
  registered = true;
  metaData.addProvider(metadata, 1000);
  imageLoader.registerImageLoader(scheme, (imageId) => {
    const stop = new AbortController();
    return {
      promise: fetchSlice(imageId, stop.signal),
      cancelFn: () => stop.abort(),
    };
  });
}
