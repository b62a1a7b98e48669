/** Pixels of an assembled series: decoded file by file, put at their slice, as values. */
import type { Series, SourceFile } from '../../../src-contract/study.ts';
import type { SeriesPixels, ValueArray } from '../pixels.ts';
import {
  checkedByteCount,
  formatBytes,
  malformed,
  type ReadLimits,
  type SliceReading,
  throwIfCancelled,
  tooLarge,
} from '../reader.ts';
import { decodeInstance, sourceName } from '../readers/dicom/decode.ts';
import { frameValues, isMirrored } from '../readers/dicom/frame-values.ts';
import type { DicomInstance } from '../readers/dicom/instance.ts';
import { storedRange } from '../readers/dicom/pixel-description.ts';
import type { Slice } from './slice.ts';

export interface ReadOptions extends SliceReading {
  limits: ReadLimits;
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
  const { limits, signal, onProgress, nextSlice, onSlices } = options;
  const { rows, columns, channels } = series;
  checkedByteCount([columns, rows, slices.length, channels], 1, series.description || 'this series', limits);
  const volume = new VolumeBuilder(columns * rows * channels, slices.length, expectedType(slices), limits);
  const soFar = (): SeriesPixels => ({
    series,
    columns,
    rows,
    slices: slices.length,
    channels,
    data: volume.data,
  });
  const waiting = new Map<DicomInstance, number[]>();
  slices.forEach((slice, k) => {
    const list = waiting.get(slice.instance);
    if (list) list.push(k);
    else waiting.set(slice.instance, [k]);
  });
  let done = 0;
  while (waiting.size > 0) {
    throwIfCancelled(signal);
    const instance = nextInstance(waiting, slices[nextSlice?.() ?? -1]?.instance);
    const indexes = waiting.get(instance) ?? [];
    waiting.delete(instance);
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
    onSlices?.(soFar(), indexes);
    onProgress?.(done / slices.length);
  }
  return soFar();
}

function nextInstance(
  waiting: ReadonlyMap<DicomInstance, number[]>,
  wanted: DicomInstance | undefined,
): DicomInstance {
  if (wanted && waiting.has(wanted)) return wanted;
  const [first] = waiting.keys();
  return first;
}

type ValueType = 'Uint8Array' | 'Int16Array' | 'Uint16Array' | 'Int32Array' | 'Float32Array';
const constructors = { Uint8Array, Int16Array, Uint16Array, Int32Array, Float32Array };

/**
 * The type that the series will most likely need, from what its headers say: chosen before the first slice, since those
 * who look at slices as they come have to start again when it changes. The bits of a signed CT often span more than 16
 * bits of values although no value does, so 16 are tried first.
 */
function expectedType(slices: readonly Slice[]): ValueType {
  let low = 0;
  let high = 0;
  for (const { instance, info } of slices) {
    const { pixels } = instance;
    if (pixels.samples === 3 || pixels.photometric === 'PALETTE COLOR') return 'Uint8Array';
    const whole = Number.isInteger(info.slope) && Number.isInteger(info.intercept);
    if (pixels.kind !== 'integer' || !whole || info.lut) return 'Float32Array';
    for (const end of storedRange(pixels)) {
      low = Math.min(low, end * info.slope + info.intercept);
      high = Math.max(high, end * info.slope + info.intercept);
    }
  }
  if (low >= 0 && high <= 255) return 'Uint8Array';
  return low >= 0 && high > 32767 && high <= 65535 ? 'Uint16Array' : 'Int16Array';
}

/** Collects slices whose value types may differ, in a type that holds all of them. */
class VolumeBuilder {
  readonly #frameLength: number;
  readonly #length: number;
  readonly #limits: ReadLimits;
  #type: ValueType;
  #data: ValueArray | undefined;

  constructor(frameLength: number, frames: number, type: ValueType, limits: ReadLimits) {
    this.#frameLength = frameLength;
    this.#length = frameLength * frames;
    this.#type = type;
    this.#limits = limits;
  }

  put(index: number, values: ValueArray, name: string): void {
    if (values.length !== this.#frameLength)
      throw malformed(name, 'it has changed since the study was opened');
    const type = common(this.#type, values);
    if (type !== this.#type || !this.#data) this.#widen(type, name);
    this.#data?.set(values, index * this.#frameLength);
  }

  get data(): ValueArray {
    this.#data ??= new constructors[this.#type](this.#length);
    return this.#data;
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

/** The type that holds what a volume of type `a` holds, and `values` too. */
function common(a: ValueType, values: ValueArray): ValueType {
  const b = typeOf(values);
  if (a === b) return a;
  if (a === 'Float32Array' || b === 'Float32Array') return 'Float32Array';
  if (a === 'Uint8Array') return b;
  if (b === 'Uint8Array') return a;
  // Values below 32768 come in the signed type, whether or not the series has negative ones.
  if (a === 'Uint16Array' && b === 'Int16Array' && values.every((value) => value >= 0)) return a;
  return 'Int32Array';
}
