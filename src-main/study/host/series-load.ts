/**
 * The pixels of one series while they are being decoded: slices can be had one by one as soon as they are there, the
 * ones that somebody waits for first.
 */

import type { PixelType } from '../../../src-contract/channels.ts';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { StudyEvent, StudyResult } from '../../../src-contract/study-protocol.ts';
import type { OpenStudy } from '../open-study.ts';
import { extent, type SeriesPixels, type ValueArray } from '../pixels.ts';

type Range = [number, number];

/** Progress events are for eyes: more than this many milliseconds apart, and at the end. */
const progressInterval = 80;

interface Waiter {
  /** True once it has what it waits for, or never will. */
  readonly look: () => boolean;
  readonly reject: (error: ReadroomError) => void;
}

export class SeriesLoad {
  readonly #open: OpenStudy;
  readonly #seriesId: string;
  readonly #emit: (event: StudyEvent) => void;
  /** Slices that are decoded; made with the first of them. */
  #there: Uint8Array | undefined;
  #count = 0;
  #pixels: SeriesPixels | undefined;
  #range: Range | undefined;
  /** Of the decoding under way. */
  #work: AbortController | undefined;
  #complete: SeriesPixels | undefined;
  /** Slices that are waited for: the last one asked for is what is being looked at. */
  readonly #wanted: number[] = [];
  readonly #waiters = new Set<Waiter>();
  #lastProgress = 0;

  constructor(open: OpenStudy, seriesId: string, emit: (event: StudyEvent) => void) {
    this.#open = open;
    this.#seriesId = seriesId;
    this.#emit = emit;
  }

  /** Begins to decode, unless that is under way or done. */
  start(first?: number): void {
    if (first !== undefined) this.#wanted.push(first);
    if (this.#complete || this.#work) return;
    this.#work = new AbortController();
    void this.#read(this.#work.signal);
  }

  /** Stops decoding, and whoever waits for it; slices that are there stay until the next `start`. */
  cancel(): void {
    this.#work?.abort();
    this.#work = undefined;
    this.#fail(new ReadroomError('cancelled', 'Reading the series was stopped.'));
  }

  /** How it stands, once there is a slice. */
  async describe(signal: AbortSignal): Promise<StudyResult<'pixels'>> {
    const pixels = await this.#until(() => this.#pixels, signal);
    const { columns, rows, slices, channels, data } = pixels;
    const range = this.#range ?? [0, 0];
    return { seriesId: this.#seriesId, type: pixelTypeOf(data), columns, rows, slices, channels, range };
  }

  /** The bytes of some slices in a row: a copy, since a view would be sent with the whole volume behind it. */
  async slices(first: number, count: number, type: PixelType, signal: AbortSignal): Promise<Uint8Array> {
    const last = first + count - 1;
    // The one that is wanted last is taken first.
    for (let k = last; k >= first; k--) if (this.#there?.[k] !== 1) this.#wanted.push(k);
    const data = await this.#until(() => {
      if (this.#pixels && last >= this.#pixels.slices) throw noSuchSlice(last);
      return this.#there?.subarray(first, last + 1).every((one) => one === 1)
        ? this.#pixels?.data
        : undefined;
    }, signal);
    if (pixelTypeOf(data) !== type) {
      throw new ReadroomError('input-invalid', `The series is of type ${pixelTypeOf(data)} now.`, {
        field: 'type',
      });
    }
    const length = data.length / this.#there!.length;
    const part = data.subarray(first * length, (last + 1) * length);
    return new Uint8Array(part.buffer, part.byteOffset, part.byteLength).slice();
  }

  /** The pixels if all of them are there. */
  get complete(): SeriesPixels | undefined {
    return this.#complete;
  }

  /** Everything, decoded first if need be. */
  async whole(signal: AbortSignal): Promise<SeriesPixels> {
    this.start();
    return this.#until(() => this.#complete, signal);
  }

  async #read(signal: AbortSignal): Promise<void> {
    this.#there = undefined;
    this.#pixels = undefined;
    this.#range = undefined;
    this.#count = 0;
    try {
      const pixels = await this.#open.readPixels(this.#seriesId, {
        signal,
        nextSlice: () => this.#nextWanted(),
        // One more file may be in the works when decoding is stopped, and begun anew.
        onSlices: (soFar, indexes) => {
          if (!signal.aborted) this.#arrived(soFar, indexes);
        },
      });
      if (signal.aborted) return;
      // What was read in one piece was not announced slice by slice.
      this.#arrived(
        pixels,
        Array.from({ length: pixels.slices }, (_, index) => index).filter((k) => this.#there?.[k] !== 1),
      );
      this.#complete = pixels;
      this.#wake();
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toReadroomError(thrown);
      this.#work = undefined;
      this.#fail(error);
      this.#emit({ type: 'series-failed', seriesId: this.#seriesId, error: error.toPayload() });
    }
  }

  #arrived(pixels: SeriesPixels, indexes: readonly number[]): void {
    const before = this.#pixels && pixelTypeOf(this.#pixels.data);
    this.#pixels = pixels;
    if (before && before !== pixelTypeOf(pixels.data)) {
      this.#emit({ type: 'series-retyped', seriesId: this.#seriesId });
    }
    this.#there ??= new Uint8Array(pixels.slices);
    const length = pixels.data.length / pixels.slices;
    for (const index of indexes) {
      this.#there[index] = 1;
      const [low, high] = extent(pixels.data.subarray(index * length, (index + 1) * length));
      this.#range = this.#range
        ? [Math.min(low, this.#range[0]), Math.max(high, this.#range[1])]
        : [low, high];
    }
    this.#count += indexes.length;
    this.#wake();
    const now = performance.now();
    if (this.#count < pixels.slices && now - this.#lastProgress < progressInterval) return;
    this.#lastProgress = now;
    this.#emit({
      type: 'series-progress',
      seriesId: this.#seriesId,
      done: this.#count,
      total: pixels.slices,
      range: this.#range ?? [0, 0],
    });
  }

  #nextWanted(): number | undefined {
    while (this.#wanted.length > 0) {
      const index = this.#wanted.pop()!;
      if (this.#there?.[index] !== 1) return index;
    }
    return undefined;
  }

  /** Lets everyone who waits look again. */
  #wake(): void {
    for (const waiter of this.#waiters) if (waiter.look()) this.#waiters.delete(waiter);
  }

  #fail(error: ReadroomError): void {
    for (const { reject } of this.#waiters) reject(error);
    this.#waiters.clear();
  }

  /** Waits until `look` sees something; fails with the decoding, or with the caller's own cancel. */
  #until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(new ReadroomError('cancelled', 'Cancelled.'));
      };
      const waiter: Waiter = {
        look: () => {
          try {
            const seen = look();
            if (seen === undefined) return false;
            resolve(seen);
          } catch (thrown) {
            reject(thrown);
          }
          signal.removeEventListener('abort', onAbort);
          return true;
        },
        reject,
      };
      if (waiter.look()) return;
      if (signal.aborted) onAbort();
      else if (!this.#work) reject(new ReadroomError('cancelled', 'The series is not being read.'));
      else {
        this.#waiters.add(waiter);
        signal.addEventListener('abort', onAbort, { once: true });
      }
    });
  }
}

const pixelTypes = [
  [Uint8Array, 'uint8'],
  [Int16Array, 'int16'],
  [Uint16Array, 'uint16'],
  [Int32Array, 'int32'],
  [Float32Array, 'float32'],
] as const;

function pixelTypeOf(data: ValueArray): PixelType {
  return pixelTypes.find(([type]) => data instanceof type)?.[1] ?? 'float32';
}

function noSuchSlice(index: number): ReadroomError {
  return new ReadroomError('input-invalid', `There is no slice ${index} in this series.`, { field: 'slice' });
}
