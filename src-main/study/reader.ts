/**
 * What every reader agrees on: where bytes come from, what limits apply, what comes back, and how a size that a header
 * claims is checked before memory is allocated for it.
 *
 * Readers throw only ReadroomError: 'file-malformed', 'file-truncated', 'format-unsupported' or 'file-too-large',
 * each naming the file, the reason and a remedy.
 */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Format, Series, SourceFile, Window } from '../../src-contract/study.ts';
import type { FrameSet, Rescale, SeriesPixels } from './pixels.ts';

export interface ReadLimits {
  /** Largest size of the decoded pixels of one file or one series, in bytes. */
  maxBytes: number;
  /** Largest file, or zip member, that is read into memory, in bytes. */
  maxFileBytes: number;
}

export const defaultLimits: ReadLimits = { maxBytes: 2 * 1024 ** 3 - 1, maxFileBytes: 2 * 1024 ** 3 - 1 };

/** A file on disk, or a member of a zip archive. Reading it again gives the same bytes, or an error. */
export interface ByteSource {
  /** The path the person gave, or one below it; for a member, the path of the archive. */
  readonly path: string;
  readonly member?: string;
  /** For messages: the path, or "archive.zip: member". */
  readonly name: string;
  readonly size: number;
  /** The whole file, at most `limits.maxFileBytes` of it or an error. */
  read(limits: ReadLimits): Promise<Uint8Array>;
  /** The first bytes, at most `count`: enough to tell the format without reading a large file. */
  head(count: number): Promise<Uint8Array>;
  /** A file beside this one (data file of a detached header). Never leaves the folder. */
  sibling(relativeName: string): Promise<ByteSource | undefined>;
}

export interface ReaderInput {
  readonly bytes: Uint8Array;
  /** For messages. */
  readonly name: string;
  /** Last part of the path, for finding files that belong together. */
  readonly fileName: string;
  readonly limits: ReadLimits;
  readonly signal?: AbortSignal;
  /** Finds the data file of a detached header; absent where there is no folder to look in. */
  readonly sibling?: (relativeName: string) => Promise<ByteSource | undefined>;
}

/** What a reader of any format but DICOM returns. */
export interface DecodedImage {
  format: Format;
  frames: FrameSet;
  rescale: Rescale;
  kind: Series['kind'];
  modality: string;
  description: string;
  /** Millimetres per voxel along i, j, k; null when unknown. */
  spacing: [number, number, number] | null;
  /** Row-major 3x4, voxel index (i, j, k) -> patient LPS millimetres; null when unknown. */
  sourceToPatient: number[] | null;
  units: string;
  /** Display windows that the file suggests, in values. */
  windows: Window[];
  synthetic: boolean;
  warnings: string[];
  identifiers: Record<string, string>;
  /** Data files that the header named. */
  siblings: ByteSource[];
}

export type ImageReader = (input: ReaderInput) => Promise<DecodedImage>;

/*
 * The DICOM side. readers/dicom.ts exports these, by these names:
 *
 *   parseDicom(bytes: Uint8Array, source: SourceFile, limits: ReadLimits): DicomInstance | null
 *     Header only; checks sizes against the bytes; null for DICOM that is no image (SR, DICOMDIR, RT…). The instance
 *     keeps no reference to `bytes`, so that a 1,000-slice folder is opened in constant memory per slice.
 *   decodeDicom(bytes: Uint8Array, name: string, limits: ReadLimits): Promise<FrameSet>
 *     Stored values of every frame of one file.
 * and series-assembly.ts:
 *   assembleSeries(instances: DicomInstance[]): AssembledSeries[]
 */

/** What `inspect` shows of a DICOM file; the DICOM reader's own instance type extends it. */
export interface DicomInstanceBase {
  readonly source: SourceFile;
  readonly modality: string;
  readonly transferSyntax: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly channels: 1 | 3;
}

/** How pixels of a series are read: all of them, or one slice after the other while others already look at them. */
export interface SliceReading {
  readonly signal?: AbortSignal;
  /** 0..1. */
  readonly onProgress?: (fraction: number) => void;
  /** Asked before each file: the slice that is wanted next; undefined leaves the order to the reader. */
  readonly nextSlice?: () => number | undefined;
  /**
   * Told of slices as they are decoded. `soFar.data` already has its full length; it may be replaced by a wider array
   * when a slice turns out to need one.
   */
  readonly onSlices?: (soFar: SeriesPixels, indexes: readonly number[]) => void;
}

/** A series that was put together from files; its pixels are read when asked for. */
export interface AssembledSeries {
  readonly series: Series;
  /** `load` gives the bytes of one of `series.sources` again. */
  read(
    load: (source: SourceFile) => Promise<Uint8Array>,
    options: SliceReading & { limits: ReadLimits },
  ): Promise<SeriesPixels>;
  /** The file that a slice comes from. */
  sourceOf(slice: number): SourceFile;
  /** Which frame of that file it is, from 0, and of how many. */
  frameOf(slice: number): { readonly frame: number; readonly frames: number };
  /** One slice alone, as a series of one. */
  readSlice(
    slice: number,
    load: (source: SourceFile) => Promise<Uint8Array>,
    options: { limits: ReadLimits; signal?: AbortSignal },
  ): Promise<SeriesPixels>;
}

/** Number of values in `counts` multiplied together, with `bytesPerValue`, or an error when it exceeds the limit. */
export function checkedByteCount(
  counts: readonly number[],
  bytesPerValue: number,
  name: string,
  limits: ReadLimits,
): number {
  let total = bytesPerValue;
  for (const count of counts) {
    if (!Number.isSafeInteger(count) || count <= 0) {
      throw malformed(name, `its header gives a size of ${String(count)} along one axis`);
    }
    total *= count;
  }
  if (!(total <= limits.maxBytes)) {
    throw tooLarge(
      name,
      `its pixels would need ${formatBytes(total)}, more than the limit of ${formatBytes(limits.maxBytes)}`,
    );
  }
  return total;
}

/** Refuses a header that claims more bytes than there are. To be called before allocating. */
export function requireBytes(available: number, needed: number, name: string, what = 'pixels'): void {
  if (available >= needed) return;
  throw new ReadroomError(
    'file-truncated',
    `${name}: the header promises ${needed} bytes of ${what}, but only ${Math.max(0, available)} are there.`,
    { file: name, remedy: 'Copy the file again from its source: it seems to be cut short.' },
  );
}

/** Deflate can't expand more than this (RFC 1951: 258 bytes from two bits, less the framing). */
export const maxDeflateRatio = 1032;

/** Refuses a claim that no deflate stream of `compressed` bytes can fulfil. To be called before allocating. */
export function requireInflatable(compressed: number, needed: number, name: string): void {
  if (needed > compressed * maxDeflateRatio + 1024) requireBytes(compressed * maxDeflateRatio, needed, name);
}

export function malformed(name: string, why: string, detail?: string): ReadroomError {
  return new ReadroomError('file-malformed', `${name}: ${why}.`, {
    file: name,
    remedy: 'Check the file with the program that wrote it, and export it again.',
    detail,
  });
}

export function tooLarge(name: string, why: string): ReadroomError {
  return new ReadroomError('file-too-large', `${name}: ${why}.`, {
    file: name,
    remedy: 'Crop or downsample the image with the program that wrote it.',
  });
}

export function unsupported(name: string, what: string, remedy: string): ReadroomError {
  return new ReadroomError('format-unsupported', `${name}: ${what}.`, { file: name, remedy });
}

/**
 * Whether a header's own words call the image synthetic. "Synthetic = False" and "non-synthetic" do not.
 */
export function saysSynthetic(...texts: readonly string[]): boolean {
  return texts.some(
    (text) =>
      /(?<!non[- ]?|not\s)\bsynthetic\b/i.test(text) && !/\bsynthetic\s*[:=]+\s*(false|no|0)\b/i.test(text),
  );
}

/** Throws `cancelled` once the signal fires: readers call it between frames. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ReadroomError('cancelled', 'Reading was cancelled.');
}

export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'an impossible number of bytes';
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}
