/** Pixels of an assembled series: decoded file by file, put at their slice, as values. */
import type { Series, SourceFile } from '../../../src-contract/study.ts';
import type { SeriesPixels, ValueArray } from '../pixels.ts';
import {
  checkedByteCount,
  formatBytes,
  malformed,
  type ReadLimits,
  throwIfCancelled,
  tooLarge,
} from '../reader.ts';
import { decodeInstance, sourceName } from '../readers/dicom/decode.ts';
import { frameValues, isMirrored } from '../readers/dicom/frame-values.ts';
import type { DicomInstance } from '../readers/dicom/instance.ts';
import type { Slice } from './slice.ts';

export interface ReadOptions {
  limits: ReadLimits;
  signal?: AbortSignal;
  onProgress?: (fraction: number) => void;
}

/**
 * @throws ReadroomError as decodeInstance does, 'cancelled', and 'file-malformed' where a file is no longer the one
 * that the series was put together from.
 */
export async function readSlices(
  series: Series,
  slices: readonly Slice[],
  load: (source: SourceFile) => Promise<Uint8Array>,
  options: ReadOptions,
): Promise<SeriesPixels> {
  const { limits, signal, onProgress } = options;
  const { rows, columns, channels } = series;
  checkedByteCount([columns, rows, slices.length, channels], 1, series.description || 'this series', limits);
  const volume = new VolumeBuilder(columns * rows * channels, slices.length, limits);
  const byInstance = new Map<DicomInstance, number[]>();
  slices.forEach((slice, k) => {
    const list = byInstance.get(slice.instance);
    if (list) list.push(k);
    else byInstance.set(slice.instance, [k]);
  });
  let done = 0;
  for (const [instance, indexes] of byInstance) {
    throwIfCancelled(signal);
    const name = sourceName(instance.source);
    const decoded = await decodeInstance(await load(instance.source), name, limits, signal);
    const { frames, pixels } = decoded;
    if (frames.rows !== rows || frames.columns !== columns || frames.frames !== instance.frames) {
      throw malformed(name, 'it has changed since the study was opened');
    }
    const length = frames.rows * frames.columns * frames.channels;
    const mirror = isMirrored(pixels, instance.units);
    for (const k of indexes) {
      const { frame, info } = slices[k];
      const stored = frames.data.subarray(frame * length, (frame + 1) * length);
      volume.put(
        k,
        frameValues(stored, info, { pixels, colour: decoded.colour, palette: decoded.palette, mirror }),
        name,
      );
    }
    done += indexes.length;
    onProgress?.(done / slices.length);
  }
  return { series, columns, rows, slices: slices.length, channels, data: volume.finish() };
}

type ValueType = 'Uint8Array' | 'Int16Array' | 'Uint16Array' | 'Int32Array' | 'Float32Array';
const constructors = { Uint8Array, Int16Array, Uint16Array, Int32Array, Float32Array };

/** Collects slices whose value types may differ, in the smallest type that holds all of them. */
class VolumeBuilder {
  readonly #frameLength: number;
  readonly #length: number;
  readonly #limits: ReadLimits;
  #type?: ValueType;
  #data?: ValueArray;

  constructor(frameLength: number, frames: number, limits: ReadLimits) {
    this.#frameLength = frameLength;
    this.#length = frameLength * frames;
    this.#limits = limits;
  }

  put(index: number, values: ValueArray, name: string): void {
    if (values.length !== this.#frameLength)
      throw malformed(name, 'it has changed since the study was opened');
    const type = this.#type === undefined ? typeOf(values) : common(this.#type, typeOf(values));
    if (type !== this.#type) this.#widen(type, name);
    this.#data?.set(values, index * this.#frameLength);
  }

  finish(): ValueArray {
    return this.#data ?? new Uint8Array(this.#length);
  }

  #widen(type: ValueType, name: string): void {
    const bytes = this.#length * constructors[type].BYTES_PER_ELEMENT;
    if (bytes > this.#limits.maxBytes) throw tooLarge(name, `its series would need ${formatBytes(bytes)}`);
    const wider = new constructors[type](this.#length);
    if (this.#data) wider.set(this.#data);
    this.#data = wider;
    this.#type = type;
  }
}

function typeOf(values: ValueArray): ValueType {
  if (values instanceof Uint8Array) return 'Uint8Array';
  if (values instanceof Int16Array) return 'Int16Array';
  if (values instanceof Uint16Array) return 'Uint16Array';
  return values instanceof Int32Array ? 'Int32Array' : 'Float32Array';
}

function common(a: ValueType, b: ValueType): ValueType {
  if (a === b) return a;
  if (a === 'Float32Array' || b === 'Float32Array') return 'Float32Array';
  if (a === 'Uint8Array') return b;
  return b === 'Uint8Array' ? a : 'Int32Array';
}
