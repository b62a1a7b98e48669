/**
 * The pixels behind a run, made again from the case's files: the slices as the model was shown them, and the headers of
 * DICOM instances. Nothing is read before it is asked for, and nothing is handed out that is not what the run was about:
 * files are checked by their hash, slices by the hash of a crop that the trace recorded.
 */

import type { AffineChain, ProcessorBox } from '../../src-contract/geometry.ts';
import type { Series, SourceFile } from '../../src-contract/study.ts';
import { summarizeEvents, type Trace } from '../../src-contract/trace.ts';
import { type Crop, Cropper, describeCrop } from '../engine/grounding/crops.ts';
import type { ImagePixels } from '../engine/language-model.ts';
import { prepareReferenceImage, prepareReferenceVolume } from '../runs/prepare-reference.ts';
import { prepareSeriesInput, windowOf } from '../runs/prepare-study.ts';
import type { PreparedInput } from '../runs/prepared-input.ts';
import { pilResize } from '../slices/pil-resample.ts';
import { type DicomFile, type OpenStudy, openStudy } from '../study/open-study.ts';
import type { SeriesPixels } from '../study/pixels.ts';
import { NotExportable } from './export-run.ts';

/** All throw NotExportable, with the reason, where the files are gone or are not those of the run. */
export interface SourceImages {
  /** 8-bit slices of the model grid, in order, before the model's own resize. One for 2D. */
  slices(): Promise<readonly ImagePixels[]>;
  /** Slice z at the processor's size: what boxes in processor pixels are drawn on and crops are cut from. */
  aligned(z: number): Promise<ImagePixels>;
  /** One crop a slice of the box. */
  crops(box: ProcessorBox): Promise<Crop[]>;
  /** The DICOM file behind source slice k. */
  dicomFile(k: number): Promise<DicomFile>;
}

interface Opened {
  readonly key: string;
  readonly study: OpenStudy;
  readonly series: Series;
  pixels?: SeriesPixels;
}

/** Keeps the study of the case at hand open, and no other. */
export class SourceReader {
  readonly #signal: AbortSignal | undefined;
  #opened: Opened | undefined;
  /** Read last. */
  #file: { readonly sha256: string; readonly file: DicomFile } | undefined;
  #prepared: { readonly key: string; readonly input: PreparedInput } | undefined;

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  of(trace: Trace, sources: readonly SourceFile[]): SourceImages {
    let slices: Promise<readonly ImagePixels[]> | undefined;
    const aligned = new Map<number, ImagePixels>();
    const [width, height] = trace.chain.processorSize;
    const getSlices = (): Promise<readonly ImagePixels[]> => {
      slices ??= explained(() => this.#slices(trace, sources));
      return slices;
    };
    return {
      slices: getSlices,
      aligned: async (z) => {
        const made = aligned.get(z);
        if (made) return made;
        const image = pilResize((await getSlices())[z], width, height, 'bilinear');
        aligned.set(z, image);
        return image;
      },
      crops: async (box) => new Cropper(await getSlices(), { width, height }).cut(box),
      dicomFile: (k) => explained(() => this.#dicomFile(trace, sources, k)),
    };
  }

  async #slices(trace: Trace, sources: readonly SourceFile[]): Promise<readonly ImagePixels[]> {
    // Runs of one case ask about the same slices, again and again.
    const key = JSON.stringify([
      keyOf(sources),
      trace.chain.canonicalToSource,
      trace.chain.gridSize,
      trace.normalization,
    ]);
    if (this.#prepared?.key !== key) {
      this.#prepared = undefined;
      this.#prepared = { key, input: await this.#prepare(trace, sources) };
    }
    const prepared = this.#prepared.input;
    requireSameGrid(prepared, trace);
    requireSameCrop(prepared.images, trace);
    return prepared.images;
  }

  async #prepare(trace: Trace, sources: readonly SourceFile[]): Promise<PreparedInput> {
    const { chain, normalization } = trace;
    requireModelSize(chain);
    if (!trace.series) {
      const [source] = sources;
      if (!source) throw new NotExportable('The trace names no source file.');
      const [columns, rows, depth] = chain.gridSize;
      const prepared =
        chain.serialization === 'reference'
          ? await prepareReferenceVolume(source.path, {
              targetSize: [depth, rows, columns],
              normalize: normalization?.startsWith('minimum') ? 'minmax' : 'percentile',
            })
          : await prepareReferenceImage(source.path);
      if (prepared.sources[0].sha256 !== source.sha256) throw changed(source);
      return prepared;
    }
    const opened = await this.#open(trace, sources);
    opened.pixels ??= await opened.study.readPixels(opened.series.id, { signal: this.#signal });
    const isSlice = chain.serialization === 'image';
    return prepareSeriesInput(opened.pixels, {
      slice: isSlice ? chain.canonicalToSource[11] : undefined,
      window: windowOf(normalization) ?? undefined,
    });
  }

  async #open(trace: Trace, sources: readonly SourceFile[]): Promise<Opened> {
    const key = keyOf(sources);
    if (this.#opened?.key === key) {
      requireSamePlace(this.#opened.series, trace);
      return this.#opened;
    }
    this.#opened = undefined;
    this.#file = undefined;
    if (sources.length === 0) throw new NotExportable('The trace names no source file.');
    const study = await openStudy([...new Set(sources.map(({ path }) => path))], { signal: this.#signal });
    const wanted = new Set(sources.map(({ sha256 }) => sha256));
    const same = study.study.series.filter(
      (series) =>
        series.sources.length === wanted.size && series.sources.every(({ sha256 }) => wanted.has(sha256)),
    );
    const found = same.find(({ id }) => id === trace.series?.id) ?? same[0];
    if (!found) {
      const [problem] = study.study.problems;
      throw problem ? new NotExportable(problem.error.message) : changed(sources[0]);
    }
    requireSamePlace(found, trace);
    this.#opened = { key, study, series: found };
    return this.#opened;
  }

  async #dicomFile(trace: Trace, sources: readonly SourceFile[], k: number): Promise<DicomFile> {
    if (trace.series?.format !== 'dicom') {
      throw new NotExportable('The source is no DICOM: there are no instances that could be referenced.');
    }
    const { study, series } = await this.#open(trace, sources);
    const place = study.dicomPlace(series.id, k);
    if (!place) throw new NotExportable(`Slice ${k} has no DICOM file.`);
    // A multi-frame file is read once for all of its slices.
    if (this.#file?.sha256 === place.source.sha256) return { ...this.#file.file, frame: place.frame };
    this.#file = undefined;
    const file = await study.dicomFile(series.id, k);
    if (!file) throw new NotExportable(`Slice ${k} has no DICOM file.`);
    this.#file = { sha256: place.source.sha256, file };
    return file;
  }
}

const keyOf = (sources: readonly SourceFile[]): string =>
  sources.map(({ path, member, sha256 }) => `${path}\0${member ?? ''}\0${sha256}`).join('\n');

const changed = ({ path }: SourceFile): NotExportable =>
  new NotExportable(`The source ${path} is not the file that the run was about.`);

/** Pixels of all slices before and after the model's resize: far above what any model is shown. */
const mostModelPixels = 1 << 28;

function requireModelSize({ gridSize, processorSize }: AffineChain): void {
  const most = Math.max(...[gridSize, processorSize].map(([x, y, z]) => x * y * z));
  if (most <= mostModelPixels) return;
  throw new NotExportable('The trace speaks of more pixels than a model is ever shown.');
}

/** The series has the hashes that the trace names; that it also has the grid, the trace only says. */
function requireSamePlace(series: Series, { chain }: Trace): void {
  const { columns, rows, slices, sourceToPatient } = series;
  const size = [columns, rows, slices].every((length, axis) => length === chain.sourceSize[axis]);
  const place = chain.sourceToPatient;
  const same =
    place === null || sourceToPatient === null
      ? place === sourceToPatient
      : place.every(
          (value, n) => Math.abs(value - sourceToPatient[n]) <= 1e-6 * Math.max(1, Math.abs(value)),
        );
  if (!size || !same) throw new NotExportable("The source's grid is not the one that the trace records.");
}

function requireSameGrid({ chain, images }: PreparedInput, trace: Trace): void {
  const same = (a: readonly number[], b: readonly number[]): boolean =>
    a.length === b.length && a.every((value, index) => Math.abs(value - b[index]) < 1e-9);
  const { chain: recorded } = trace;
  const fits =
    same(chain.gridSize, recorded.gridSize) &&
    same(chain.sourceSize, recorded.sourceSize) &&
    same(chain.canonicalToSource, recorded.canonicalToSource) &&
    images.length === recorded.gridSize[2];
  if (!fits) throw new NotExportable("The source's grid is not the one that the trace records.");
}

/** A crop of the trace, cut again: the same pixels, or these are not the slices that the model saw. */
function requireSameCrop(images: readonly ImagePixels[], trace: Trace): void {
  const crop = summarizeEvents(trace.events).steps.find((step) => step.crop?.images[0])?.crop;
  if (!crop) return;
  const [width, height] = trace.chain.processorSize;
  const z = crop.images[0].slice;
  const [again] = new Cropper(images, { width, height }).cut({ ...crop.box, z1: z, z2: z + 1 });
  if (describeCrop(again).sha256 === crop.images[0].sha256) return;
  throw new NotExportable('The source gives other pixels than those that the model saw in this run.');
}

/** What stands in the way of reading a source is a reason to leave a run out, not to give up the export. */
async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof NotExportable) throw thrown;
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'cancelled') throw thrown;
    throw new NotExportable(thrown instanceof Error ? thrown.message : String(thrown));
  }
}
