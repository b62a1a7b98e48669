/**
 * Opens files, folders and zip archives as one study: finds out what each file is, reads what can be read, and reports
 * what can't without hiding the rest. Pixels of a series are read again when they are asked for, so that a folder of a
 * thousand slices is opened with one slice in memory at a time.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Series, SourceFile, Study, StudyProblem } from '../../src-contract/study.ts';
import { asFileError, decodeImage, type PlainFormat, readerInput } from './decode-image.ts';
import { type Detected, detectFormat, detectionBytes, extensionOf } from './detect.ts';
import { type SeriesPixels, toValues } from './pixels.ts';
import {
  type AssembledSeries,
  type ByteSource,
  type DecodedImage,
  defaultLimits,
  malformed,
  type ReadLimits,
  type SliceReading,
  throwIfCancelled,
  unsupported,
} from './reader.ts';
import { sourceName } from './readers/dicom/decode.ts';
import { type DicomInstance, parseDicom } from './readers/dicom.ts';
import { scanFolder } from './scan-folder.ts';
import { assembleSeries } from './series-assembly.ts';
import { seriesOfImage, uniqueIds } from './series-of-image.ts';
import { fileError, fileNameOf, fileSource, zipSources } from './sources.ts';

export interface OpenProgress {
  /** Files looked at, of `total`. */
  done: number;
  total: number;
  /** The file that was just looked at. */
  current: string;
}

export interface OpenOptions {
  signal?: AbortSignal;
  onProgress?: (progress: OpenProgress) => void;
  limits?: Partial<ReadLimits>;
  /**
   * Hashes of files that stand for others (images that came without identifiers), each with the hash of the original:
   * the study names the original, so that its series are those that runs and reviews speak of.
   */
  standIns?: Readonly<Record<string, string>>;
}

export type ReadOptions = SliceReading;

export interface OpenStudy {
  readonly study: Study;
  /**
   * Pixels of one series, rescaled to values.
   *
   * @throws ReadroomError 'file-unreadable' when a file changed since it was opened, 'cancelled', and what readers throw.
   */
  readPixels(seriesId: string, options?: ReadOptions): Promise<SeriesPixels>;
  /**
   * One slice, as a series of one, without reading the others where the format allows it (DICOM); where it doesn't, the
   * whole series.
   *
   * @throws ReadroomError as `readPixels`
   */
  readSlice(seriesId: string, slice: number, options?: { signal?: AbortSignal }): Promise<SeriesPixels>;
  /** The DICOM file that a slice comes from; null for other formats. @throws ReadroomError as `readPixels` */
  dicomFile(seriesId: string, slice: number): Promise<DicomFile | null>;
  /** Which file that is, without reading it: slices of a multi-frame file share it. */
  dicomPlace(seriesId: string, slice: number): DicomPlace | null;
}

export interface DicomPlace {
  readonly source: SourceFile;
  /** The slice's frame in this file, from 0, and how many it has. */
  readonly frame: number;
  readonly frames: number;
}

export interface DicomFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The slice's frame in this file, from 0, and how many it has. */
  readonly frame: number;
  readonly frames: number;
}

/** How to read the pixels of a series that is one file. */
interface PlainSeries {
  series: Series;
  source: ByteSource;
  format: PlainFormat;
}

/**
 * Opens everything at `paths`. What can't be read is listed in `study.problems`; a study may have no series at all
 * (see `requireSeries`).
 *
 * @throws ReadroomError 'cancelled'
 */
export async function openStudy(paths: readonly string[], options: OpenOptions = {}): Promise<OpenStudy> {
  const opener = new Opener({ ...defaultLimits, ...options.limits }, options);
  return opener.open(paths);
}

class Opener {
  readonly #limits: ReadLimits;
  readonly #options: OpenOptions;
  readonly #problems: StudyProblem[] = [];
  readonly #skipped: string[] = [];
  readonly #plain: PlainSeries[] = [];
  readonly #instances: DicomInstance[] = [];
  /** By path and member, to read DICOM files again. */
  readonly #sources = new Map<string, ByteSource>();
  /** Data files that belong to a header: not to be complained about. */
  readonly #claimed = new Set<string>();
  /** Pixels of the file decoded last, so that opening one file and showing it decodes it once. */
  #latest: { series: Series; image: DecodedImage } | undefined;

  constructor(limits: ReadLimits, options: OpenOptions) {
    this.#limits = limits;
    this.#options = options;
  }

  async open(paths: readonly string[]): Promise<OpenStudy> {
    const queue: { source: ByteSource; chosen: boolean }[] = [];
    for (const given of paths) queue.push(...(await this.#expand(given)));
    for (const [index, { source, chosen }] of queue.entries()) {
      throwIfCancelled(this.#options.signal);
      await this.#take(source, chosen);
      this.#options.onProgress?.({ done: index + 1, total: queue.length, current: source.name });
    }
    const assembled = assembleSeries(this.#instances);
    const series = uniqueIds([
      ...assembled.map((one) => one.series),
      ...this.#plain.map((one) => one.series),
    ]);
    const study: Study = {
      title: titleOf(paths),
      series,
      problems: this.#problems,
      skipped: this.#skipped.filter((name) => !this.#claimed.has(name)),
    };
    if (this.#plain.length !== 1 || assembled.length > 0) this.#latest = undefined;
    return {
      study,
      readPixels: (id, readOptions = {}) => {
        const index = seriesIndex(series, id);
        return index < assembled.length
          ? this.#readAssembled(assembled[index], series[index], readOptions)
          : this.#readPlain(this.#plain[index - assembled.length], series[index], readOptions);
      },
      readSlice: async (id, slice, readOptions = {}) => {
        const index = seriesIndex(series, id);
        requireSlice(series[index], slice);
        if (index >= assembled.length) {
          return this.#readPlain(this.#plain[index - assembled.length], series[index], readOptions);
        }
        const pixels = await assembled[index].readSlice(slice, this.#loader(), {
          limits: this.#limits,
          ...readOptions,
        });
        return { ...pixels, series: series[index] };
      },
      dicomPlace: (id, slice) => {
        const index = seriesIndex(series, id);
        requireSlice(series[index], slice);
        if (index >= assembled.length) return null;
        return { source: assembled[index].sourceOf(slice), ...assembled[index].frameOf(slice) };
      },
      dicomFile: async (id, slice) => {
        const index = seriesIndex(series, id);
        requireSlice(series[index], slice);
        if (index >= assembled.length) return null;
        const file = assembled[index].sourceOf(slice);
        return {
          name: sourceName(file),
          bytes: await this.#loader()(file),
          ...assembled[index].frameOf(slice),
        };
      },
    };
  }

  #describe(source: ByteSource, bytes: Uint8Array): SourceFile {
    const file: SourceFile = { path: source.path, bytes: bytes.byteLength, sha256: this.#hashOf(bytes) };
    return source.member === undefined ? file : { ...file, member: source.member };
  }

  #requireUnchanged(source: ByteSource, bytes: Uint8Array, file: SourceFile): void {
    if (this.#hashOf(bytes) === file.sha256) return;
    throw new ReadroomError('file-unreadable', `${source.name}: the file has changed since it was opened.`, {
      file: source.path,
      remedy: 'Open the study again.',
    });
  }

  /** Of what the file stands for. */
  #hashOf(bytes: Uint8Array): string {
    const actual = sha256Of(bytes);
    const { standIns } = this.#options;
    return standIns && Object.hasOwn(standIns, actual) ? standIns[actual] : actual;
  }

  /** The sources behind one path that the person chose. */
  async #expand(given: string): Promise<{ source: ByteSource; chosen: boolean }[]> {
    const place = path.resolve(given);
    try {
      const found = await stat(place);
      if (!found.isDirectory()) return [{ source: await fileSource(place), chosen: true }];
      const { signal } = this.#options;
      const files = await scanFolder(place, {
        signal,
        onUnreadable: (folder, thrown) => this.#report({ path: folder }, fileError(thrown, folder)),
      });
      const sources: { source: ByteSource; chosen: boolean }[] = [];
      for (const file of files) {
        // A file can vanish between listing and looking.
        const source = await fileSource(file).catch((thrown) => this.#report({ path: file }, thrown));
        if (source) sources.push({ source, chosen: false });
      }
      return sources;
    } catch (thrown) {
      this.#report({ path: given }, fileError(thrown, given));
      return [];
    }
  }

  /** Looks at one source. Every error but 'cancelled' becomes a problem of the study. */
  async #take(source: ByteSource, chosen: boolean): Promise<void> {
    try {
      const head = await source.head(detectionBytes);
      const detected = await detectFormat(head, fileNameOf(source));
      if (detected.is === 'zip') await this.#takeZip(source);
      else if (detected.is === 'format') await this.#takeImage(source, detected.format);
      else await this.#takeOther(source, detected, chosen);
    } catch (thrown) {
      this.#report(source, asFileError(thrown, source.name));
    }
  }

  async #takeZip(source: ByteSource): Promise<void> {
    if (source.member !== undefined) {
      throw unsupported(
        source.name,
        'it is a zip archive inside a zip archive',
        'Unpack the outer archive first.',
      );
    }
    for (const member of await zipSources(source.path)) {
      throwIfCancelled(this.#options.signal);
      await this.#take(member, false);
    }
  }

  /** Neither an image nor an archive: the data half of a pair, an image of a foreign kind, or no image. */
  async #takeOther(source: ByteSource, detected: Detected, chosen: boolean): Promise<void> {
    if (detected.is === 'unread') {
      throw unsupported(source.name, `it is ${detected.what}, which is not read`, detected.remedy);
    }
    const header = chosen ? await headerBeside(source) : undefined;
    if (header) return this.#take(header, false);
    if (chosen) {
      throw unsupported(
        source.name,
        'it is no image that Readroom knows',
        'Open DICOM, NIfTI, MetaImage, NRRD, NumPy, PNG, JPEG or TIFF files.',
      );
    }
    this.#skipped.push(source.name);
  }

  async #takeImage(source: ByteSource, format: Series['format']): Promise<void> {
    const bytes = await source.read(this.#limits);
    const file = this.#describe(source, bytes);
    if (format === 'dicom') {
      const instance = parseDicom(bytes, file, this.#limits);
      if (!instance) {
        this.#skipped.push(source.name);
        return;
      }
      this.#instances.push(instance);
      this.#sources.set(keyOf(file), source);
      return;
    }
    const input = readerInput(source, bytes, this.#limits, this.#options.signal);
    const image = await decodeImage(format, input);
    const files = [file];
    for (const sibling of image.siblings) {
      this.#claimed.add(sibling.name);
      files.push(this.#describe(sibling, await sibling.read(this.#limits)));
    }
    const series = seriesOfImage(image, files);
    this.#plain.push({ series, source, format });
    this.#latest = { series, image };
  }

  async #readPlain(plain: PlainSeries, series: Series, options: ReadOptions): Promise<SeriesPixels> {
    let image = this.#latest?.series === plain.series ? this.#latest.image : undefined;
    this.#latest = undefined;
    if (!image) {
      const bytes = await plain.source.read(this.#limits);
      this.#requireUnchanged(plain.source, bytes, plain.series.sources[0]);
      image = await decodeImage(plain.format, readerInput(plain.source, bytes, this.#limits, options.signal));
      for (const [index, sibling] of image.siblings.entries()) {
        this.#requireUnchanged(sibling, await sibling.read(this.#limits), plain.series.sources[index + 1]);
      }
    }
    throwIfCancelled(options.signal);
    const { columns, rows, frames, channels, data } = image.frames;
    const values = toValues(data, image.rescale);
    options.onProgress?.(1);
    return { series, columns, rows, slices: frames, channels, data: values };
  }

  async #readAssembled(
    assembled: AssembledSeries,
    series: Series,
    options: ReadOptions,
  ): Promise<SeriesPixels> {
    const pixels = await assembled.read(this.#loader(), { limits: this.#limits, ...options });
    return { ...pixels, series };
  }

  /** Reads one of the study's files again. */
  #loader(): (file: SourceFile) => Promise<Uint8Array> {
    return async (file) => {
      const source = this.#sources.get(keyOf(file));
      if (!source) throw malformed(file.path, 'it is no part of this study');
      const bytes = await source.read(this.#limits);
      this.#requireUnchanged(source, bytes, file);
      return bytes;
    };
  }

  #report(place: { path: string; member?: string }, thrown: unknown): undefined {
    const error = fileError(thrown, place.path);
    if (error.code === 'cancelled') throw error;
    this.#problems.push({ path: place.path, member: place.member, error: error.toPayload() });
    return undefined;
  }
}

function seriesIndex(series: readonly Series[], id: string): number {
  const index = series.findIndex((one) => one.id === id);
  if (index < 0) throw new ReadroomError('input-invalid', `The study has no series '${id}'.`);
  return index;
}

function requireSlice(series: Series, slice: number): void {
  if (slice >= 0 && slice < series.slices) return;
  throw new ReadroomError('input-invalid', `There is no slice ${slice} in this series.`, { field: 'slice' });
}

/** The header that a chosen data file (.img, .raw) belongs to. */
async function headerBeside(source: ByteSource): Promise<ByteSource | undefined> {
  const name = fileNameOf(source);
  const extension = extensionOf(name);
  const stem = name.slice(0, name.length - extension.length);
  const headers = { img: ['hdr'], 'img.gz': ['hdr', 'hdr.gz'], raw: ['mhd', 'nhdr'], zraw: ['mhd'] }[
    extension
  ];
  for (const header of headers ?? []) {
    const found = await source.sibling(stem + header);
    if (found) return found;
  }
  return undefined;
}

function keyOf(file: { path: string; member?: string }): string {
  return `${file.path}\0${file.member ?? ''}`;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function titleOf(paths: readonly string[]): string {
  const first = paths[0] === undefined ? 'Study' : path.basename(path.resolve(paths[0]));
  return paths.length > 1 ? `${first} and ${paths.length - 1} more` : first;
}
