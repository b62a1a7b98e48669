import { describe, expect, it } from 'vitest';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Series } from '../../../src-contract/study.ts';
import type { StudyEvent } from '../../../src-contract/study-protocol.ts';
import type { OpenStudy } from '../open-study.ts';
import type { SeriesPixels, ValueArray } from '../pixels.ts';
import type { SliceReading } from '../reader.ts';
import { SeriesLoad } from './series-load.ts';

const slices = 10;
const never = new AbortController().signal;

/** A reader that decodes one slice, of one pixel, each time it is told to. */
function slowReader(widenAt?: number) {
  const order: number[] = [];
  let data: ValueArray = new Int16Array(slices);
  let proceed: (() => void) | undefined;
  let fail: ((error: Error) => void) | undefined;
  const pixels = (): SeriesPixels => ({
    series: {} as Series,
    columns: 1,
    rows: 1,
    slices,
    channels: 1,
    data,
  });
  const study = {
    async readPixels(_id: string, { signal, nextSlice, onSlices }: SliceReading) {
      const left = new Set(Array.from({ length: slices }, (_, k) => k));
      while (left.size > 0) {
        await new Promise<void>((resolve, reject) => {
          proceed = resolve;
          fail = reject;
        });
        if (signal?.aborted) throw new ReadroomError('cancelled', 'Reading was cancelled.');
        const wanted = nextSlice?.();
        const k = wanted !== undefined && left.has(wanted) ? wanted : [...left][0];
        left.delete(k);
        order.push(k);
        if (k === widenAt) data = Int32Array.from(data);
        data[k] = k * 100;
        onSlices?.(pixels(), [k]);
      }
      return pixels();
    },
  } as unknown as OpenStudy;
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  return {
    study,
    order,
    async step(times = 1) {
      for (let i = 0; i < times; i++) {
        await tick();
        proceed?.();
      }
      await tick();
    },
    async breakOff() {
      await tick();
      fail?.(new Error('disk gone'));
      await tick();
    },
  };
}

function start(widenAt?: number) {
  const events: StudyEvent[] = [];
  const reader = slowReader(widenAt);
  const load = new SeriesLoad(reader.study, 's', (event) => events.push(event));
  const valueAt = async (k: number) =>
    new DataView((await load.slices(k, 1, 'int16', never)).buffer).getInt16(0, true);
  return { load, reader, events, valueAt };
}

describe('SeriesLoad', () => {
  it('is described by its first slice, which is the one asked for', async () => {
    const { load, reader } = start();
    load.start(7);
    const described = load.describe(never);
    await reader.step();
    expect(await described).toMatchObject({ type: 'int16', slices, range: [700, 700] });
    expect(reader.order).toEqual([7]);
  });

  it('takes slices first that somebody waits for', async () => {
    const { load, reader, valueAt } = start();
    load.start();
    await reader.step();
    const waiting = [valueAt(8), valueAt(5)];
    await reader.step(2);
    expect(await Promise.all(waiting)).toEqual([800, 500]);
    expect(reader.order).toEqual([0, 5, 8]);
    const batch = load.slices(1, 3, 'int16', never);
    await reader.step(3);
    expect(new Int16Array((await batch).buffer)).toEqual(Int16Array.of(100, 200, 300));
  });

  it('gives everything once, and reports its range', async () => {
    const { load, reader, events } = start();
    const both = [load.whole(never), load.whole(never)];
    await reader.step(slices);
    const [first, second] = await Promise.all(both);
    expect(first).toBe(second);
    expect(events.at(-1)).toMatchObject({
      type: 'series-progress',
      done: slices,
      total: slices,
      range: [0, 900],
    });
  });

  it('stops: who waits is told, what is there stays, and it can begin again', async () => {
    const { load, reader, valueAt } = start();
    load.start();
    await reader.step();
    const waiting = expect(valueAt(9)).rejects.toMatchObject({ code: 'cancelled' });
    load.cancel();
    await waiting;
    expect(await valueAt(0)).toBe(0);
    await expect(valueAt(3)).rejects.toMatchObject({ code: 'cancelled' });
    load.start(3);
    const again = valueAt(3);
    await reader.step(2);
    expect(await again).toBe(300);
  });

  it('tells everyone when decoding fails', async () => {
    const { load, reader, events, valueAt } = start();
    load.start();
    const waiting = expect(valueAt(2)).rejects.toThrow('disk gone');
    await reader.breakOff();
    await waiting;
    expect(events.at(-1)).toMatchObject({ type: 'series-failed', error: { message: 'disk gone' } });
  });

  it('refuses the old type after a slice needed a wider one', async () => {
    const { load, reader, events, valueAt } = start(4);
    load.start();
    await reader.step();
    expect(await valueAt(0)).toBe(0);
    const waiting = expect(valueAt(4)).rejects.toMatchObject({ field: 'type' });
    await reader.step();
    await waiting;
    expect(events.some(({ type }) => type === 'series-retyped')).toBe(true);
    expect((await load.slices(4, 1, 'int32', never)).byteLength).toBe(4);
  });

  it('lets one caller give up without stopping the rest', async () => {
    const { load, reader, valueAt } = start();
    load.start();
    const impatient = new AbortController();
    const gone = expect(load.slices(6, 1, 'int16', impatient.signal)).rejects.toMatchObject({
      code: 'cancelled',
    });
    const patient = valueAt(6);
    impatient.abort();
    await gone;
    await reader.step();
    expect(await patient).toBe(600);
  });

  it('refuses slices that are not there', async () => {
    const { load, reader } = start();
    load.start();
    const waiting = expect(load.slices(9, 2, 'int16', never)).rejects.toMatchObject({ field: 'slice' });
    await reader.step();
    await waiting;
  });
});
