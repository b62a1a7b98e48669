/**
 * What PNG, JPEG and TIFF have in common: a grid of samples and the meaning of each, and two views of it: the stored
 * values as an image of a study, and the 8-bit RGB that Pillow's `Image.open(path).convert('RGB')` gives.
 */
import type { Format } from '../../../src-contract/study.ts';
import type { StoredArray } from '../pixels.ts';
import { checkedByteCount, type DecodedImage, type ReadLimits, saysSynthetic, tooLarge } from '../reader.ts';

export type RasterKind = 'gray' | 'gray-alpha' | 'rgb' | 'rgb-alpha' | 'palette';

export const samplesOf: Readonly<Record<RasterKind, number>> = {
  gray: 1,
  'gray-alpha': 2,
  rgb: 3,
  'rgb-alpha': 4,
  palette: 1,
};

export interface Raster {
  width: number;
  height: number;
  /** Pages of a TIFF. */
  frames: number;
  kind: RasterKind;
  /** Interleaved, `samplesOf[kind]` a pixel; grays of 1, 2 or 4 bits already spread over 0..255. */
  data: StoredArray;
  /** RGB triples, for kind 'palette'. Indices beyond its end are black. */
  palette?: Uint8Array;
  /** 0 is white (TIFF photometric 0). */
  whiteIsZero?: boolean;
  /** "keyword = text" of comments in the file. */
  texts: string[];
  warnings: string[];
}

/** 8-bit RGB, interleaved, row by row. */
export interface Rgb8 {
  width: number;
  height: number;
  channels: 3;
  data: Uint8Array;
}

/** Beyond this Pillow too takes a picture for an attack (twice Image.MAX_IMAGE_PIXELS). */
const maxPixels = 178_956_970;

/**
 * Refuses sizes that no picture has, before anything is allocated.
 *
 * @throws ReadroomError 'file-malformed' | 'file-too-large'
 */
export function checkRasterSize(
  size: { width: number; height: number; samples: number; frames?: number },
  bytesPerSample: number,
  name: string,
  limits: ReadLimits,
): void {
  const { width, height, samples, frames = 1 } = size;
  checkedByteCount([width, height, samples, frames], bytesPerSample, name, limits);
  if (width * height > maxPixels) {
    throw tooLarge(name, `it has ${width} x ${height} pixels, more than the limit of ${maxPixels} in all`);
  }
}

/** A raster as an image of a study: scalar where it is gray, else RGB; transparency is dropped. */
export function rasterImage(raster: Raster, format: Format): DecodedImage {
  const { width, height, frames, kind } = raster;
  const warnings = [...raster.warnings];
  if (kind.endsWith('alpha')) warnings.push('Its transparency is ignored.');
  const channels = kind.startsWith('gray') ? 1 : 3;
  const highest = raster.data instanceof Uint16Array ? 65535 : 255;
  return {
    format,
    frames: { columns: width, rows: height, frames, channels, data: colourSamples(raster) },
    rescale: raster.whiteIsZero ? { slope: -1, intercept: highest } : { slope: 1, intercept: 0 },
    kind: frames > 1 ? 'stack' : 'image',
    modality: 'OT',
    description: '',
    spacing: null,
    sourceToPatient: null,
    units: '',
    windows: [],
    synthetic: saysSynthetic(...raster.texts),
    warnings,
    identifiers: {},
    siblings: [],
  };
}

/** Samples without transparency, palette looked up. */
function colourSamples(raster: Raster): StoredArray {
  const { data, kind } = raster;
  if (kind === 'gray' || kind === 'rgb') return data;
  if (kind === 'palette') return lookUp(data, raster.palette ?? new Uint8Array(0));
  const samples = samplesOf[kind];
  const kept = samples - 1;
  const out = data.slice(0, (data.length / samples) * kept);
  for (let from = 0, to = 0; from < data.length; from += samples) {
    for (let c = 0; c < kept; c++) out[to++] = data[from + c];
  }
  return out;
}

function lookUp(indices: StoredArray, palette: Uint8Array): Uint8Array {
  const out = new Uint8Array(indices.length * 3);
  for (let i = 0; i < indices.length; i++) {
    const at = indices[i] * 3;
    if (at + 2 < palette.length) out.set(palette.subarray(at, at + 3), i * 3);
  }
  return out;
}

/**
 * First frame as Pillow converts it (checked against Pillow 13): gray beyond 8 bits, signed or floating, is clipped to
 * 0..255 and truncated, NOT scaled (modes I;16, I and F); 16-bit colour keeps its high byte.
 */
export function rasterToRgb8(raster: Raster): Rgb8 {
  const { width, height, kind } = raster;
  const pixels = width * height;
  const channels = kind.startsWith('gray') ? 1 : 3;
  const samples = colourSamples(raster).subarray(0, pixels * channels);
  // Pillow treats 16-bit gray with alpha as colour: high bytes.
  const eight = toEightBits(samples, kind !== 'gray', raster.whiteIsZero === true);
  if (channels === 3) return { width, height, channels: 3, data: eight };
  const data = new Uint8Array(pixels * 3);
  for (let i = 0, o = 0; i < pixels; i++) {
    data[o++] = eight[i];
    data[o++] = eight[i];
    data[o++] = eight[i];
  }
  return { width, height, channels: 3, data };
}

function toEightBits(samples: StoredArray, highByte: boolean, invert: boolean): Uint8Array {
  if (samples instanceof Uint8Array && !invert) return samples;
  const out = new Uint8Array(samples.length);
  if (samples instanceof Uint16Array && highByte) {
    for (let i = 0; i < out.length; i++) out[i] = samples[i] >> 8;
    return out;
  }
  // Pillow inverts 8-bit grays only: of deeper ones with white at zero it takes the stored number.
  const inverted = invert && samples instanceof Uint8Array;
  for (let i = 0; i < out.length; i++) {
    const value = inverted ? 255 - samples[i] : samples[i];
    out[i] = value >= 255 ? 255 : value > 0 ? Math.trunc(value) : 0;
  }
  return out;
}
