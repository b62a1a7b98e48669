/** One open study and what can be asked of it: the work behind the study protocol. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Series } from '../../../src-contract/study.ts';
import type { StudyEvent, StudyParams, StudyResult } from '../../../src-contract/study-protocol.ts';
import type { ImagePixels } from '../../engine/language-model.ts';
import { QwenImageProcessor } from '../../engine/vision/image-processor.ts';
import { prepareSeriesInput } from '../../runs/prepare-study.ts';
import type { PreparedInput } from '../../runs/prepared-input.ts';
import { withProcessor } from '../../slices/serialise.ts';
import { type OpenStudy, openStudy } from '../open-study.ts';
import { pictureOf, shrink, toPng } from './pictures.ts';
import { findPreview } from './preview.ts';
import { SeriesLoad } from './series-load.ts';
import { readTags } from './tags.ts';

type Target = StudyParams<'prepare'>['target'];

interface ModelView {
  readonly viewId: string;
  readonly seriesId: string;
  readonly images: readonly ImagePixels[];
  readonly processor: QwenImageProcessor;
}

export class StudySession {
  readonly #emit: (event: StudyEvent) => void;
  #open: OpenStudy | undefined;
  readonly #loads = new Map<string, SeriesLoad>();
  readonly #thumbnails = new Map<string, Promise<Uint8Array>>();
  #view: ModelView | undefined;
  #views = 0;

  constructor(emit: (event: StudyEvent) => void) {
    this.#emit = emit;
  }

  async open(
    paths: readonly string[],
    standIns: StudyParams<'open'>['standIns'],
    signal: AbortSignal,
  ): Promise<StudyResult<'open'>> {
    if (this.#open) throw new ReadroomError('internal', 'This process has a study already.');
    const preview = findPreview(paths, signal).then((found) => {
      if (found && !this.#open && !signal.aborted) this.#emit({ type: 'preview', ...found });
    });
    // The preview goes first: it is one file of many.
    await preview;
    let last = 0;
    this.#open = await openStudy(paths, {
      signal,
      standIns,
      onProgress: ({ done, total, current }) => {
        const now = performance.now();
        if (done < total && now - last < 50) return;
        last = now;
        this.#emit({ type: 'progress', done, total, name: current });
      },
    });
    return this.#open.study;
  }

  async pixels(
    seriesId: string,
    first: number | undefined,
    signal: AbortSignal,
  ): Promise<StudyResult<'pixels'>> {
    const load = this.#load(seriesId);
    load.start(first);
    return load.describe(signal);
  }

  cancelPixels(seriesId: string): Record<string, never> {
    this.#loads.get(seriesId)?.cancel();
    return {};
  }

  async slice(
    { seriesId, slice, count, type }: StudyParams<'slice'>,
    signal: AbortSignal,
  ): Promise<StudyResult<'slice'>> {
    return this.#load(seriesId).slices(slice, count, type, signal);
  }

  thumbnail(seriesId: string, side: number, signal: AbortSignal): Promise<Uint8Array> {
    const key = `${seriesId} ${side}`;
    let made = this.#thumbnails.get(key);
    if (!made) {
      made = this.#makeThumbnail(seriesId, side, signal);
      this.#thumbnails.set(key, made);
      made.catch(() => this.#thumbnails.delete(key));
    }
    return made;
  }

  async #makeThumbnail(seriesId: string, side: number, signal: AbortSignal): Promise<Uint8Array> {
    const open = this.#study();
    const { slices } = this.#series(seriesId);
    const middle = slices >> 1;
    const complete = this.#loads.get(seriesId)?.complete;
    const pixels = complete ?? (await open.readSlice(seriesId, middle, { signal }));
    return toPng(shrink(pictureOf(pixels, pixels.slices === 1 ? 0 : middle), side));
  }

  async tags(seriesId: string, slice: number): Promise<StudyResult<'tags'>> {
    this.#series(seriesId);
    return { tags: await readTags(this.#study(), seriesId, slice) };
  }

  async prepare(seriesId: string, target: Target, signal: AbortSignal): Promise<StudyResult<'prepare'>> {
    const input = await this.#prepare(seriesId, target, signal);
    return {
      ...input,
      images: input.images.map((image) => ({ ...image, data: ownBytes(image.data) })),
      sources: [...input.sources],
      warnings: [...input.warnings],
    };
  }

  async modelView(
    seriesId: string,
    target: Target,
    model: string,
    signal: AbortSignal,
  ): Promise<StudyResult<'modelView'>> {
    const processor = await QwenImageProcessor.load(model);
    const { images, chain, normalization } = await this.#prepare(seriesId, target, signal);
    const { width, height } = processor.processedSize(images[0].width, images[0].height);
    const viewId = String(++this.#views);
    this.#view = { viewId, seriesId, images, processor };
    return {
      viewId,
      chain: withProcessor(chain, width, height),
      width,
      height,
      slices: images.length,
      imageProcessor: processor.type,
      normalization,
    };
  }

  modelViewSlice(viewId: string, slice: number): Uint8Array {
    const view = this.#view?.viewId === viewId ? this.#view : undefined;
    const image = view?.images[slice];
    if (!view || !image) throw new ReadroomError('input-invalid', 'There is no such view any more.');
    return toRgb(view.processor.processedImage(image));
  }

  async #prepare(seriesId: string, target: Target, signal: AbortSignal): Promise<PreparedInput> {
    const pixels = await this.#load(seriesId).whole(signal);
    return prepareSeriesInput(
      pixels,
      target.kind === 'slice' ? { slice: target.slice, window: target.window } : {},
    );
  }

  #study(): OpenStudy {
    if (this.#open) return this.#open;
    throw new ReadroomError('input-invalid', 'No study is open in this process.');
  }

  #series(seriesId: string): Series {
    const series = this.#study().study.series.find(({ id }) => id === seriesId);
    if (series) return series;
    throw new ReadroomError('input-invalid', `The study has no series '${seriesId}'.`, { field: 'seriesId' });
  }

  #load(seriesId: string): SeriesLoad {
    this.#series(seriesId);
    let load = this.#loads.get(seriesId);
    if (!load) {
      load = new SeriesLoad(this.#study(), seriesId, this.#emit);
      this.#loads.set(seriesId, load);
    }
    return load;
  }
}

/** A view on a larger buffer would be sent with all of it. */
function ownBytes(data: Uint8Array): Uint8Array {
  return data.byteLength === data.buffer.byteLength ? data : data.slice();
}

function toRgb({ data, channels }: ImagePixels): Uint8Array {
  if (channels === 3) return ownBytes(data);
  const rgb = new Uint8Array(data.length * 3);
  for (let i = 0; i < data.length; i++) rgb.fill(data[i], i * 3, i * 3 + 3);
  return rgb;
}
