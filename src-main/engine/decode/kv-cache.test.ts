import { Tensor } from 'onnxruntime-node';
import { describe, expect, it, vi } from 'vitest';
import { DeviceKvCache } from './device-kv-cache.ts';
import { HostKvCache } from './host-kv-cache.ts';
import { kvNames } from './kv-cache.ts';

const shape = { layers: 2, kvHeads: 2, headDim: 3 };
const rowLength = shape.kvHeads * shape.headDim;

/** Rows whose numbers tell name, position, head and column. */
function rows(start: number, count: number): Record<string, Tensor> {
  return Object.fromEntries(
    kvNames(shape.layers).map(({ fresh }, name) => {
      const data = Float32Array.from({ length: count * rowLength }, (_, i) => {
        const position = start + Math.floor(i / rowLength);
        return name * 1e5 + position * 10 + (i % rowLength);
      });
      return [fresh, new Tensor('float32', data, [1, count, rowLength])];
    }),
  );
}

function expectRows(cache: HostKvCache, length: number): void {
  kvNames(shape.layers).forEach(({ past }, name) => {
    const tensor = cache.feeds()[past]!;
    const [, heads, capacity, headDim] = tensor.dims;
    expect([heads, headDim]).toEqual([shape.kvHeads, shape.headDim]);
    const data = tensor.data as Float32Array;
    for (let head = 0; head < shape.kvHeads; head++) {
      for (let position = 0; position < length; position++) {
        const at = (head * capacity! + position) * shape.headDim;
        expect(data[at], `${past} ${head} ${position}`).toBe(
          name * 1e5 + position * 10 + head * shape.headDim,
        );
      }
    }
  });
}

describe('host cache', () => {
  it('keeps rows head by head while it grows', () => {
    const cache = new HostKvCache(shape, 'float32', 10_000);
    let length = 0;
    for (const count of [5, 1, 300, 1, 700]) {
      cache.reserve(length, length + count);
      cache.accept(rows(length, count), length, count);
      length += count;
    }
    expectRows(cache, length);
  });

  it('grows in whole steps, never past the limit', () => {
    const cache = new HostKvCache(shape, 'float32', 3000);
    const capacity = () => Object.values(cache.feeds())[0]!.dims[2];
    expect(capacity()).toBe(0);
    cache.reserve(0, 1);
    expect(capacity()).toBe(256);
    cache.reserve(200, 257);
    expect(capacity()).toBe(512);
    cache.reserve(500, 2048);
    expect(capacity()).toBe(2048);
    cache.reserve(2000, 2049);
    expect(capacity()).toBe(2304);
    cache.reserve(2300, 2900);
    expect(capacity()).toBe(3000);
    cache.release();
    expect(capacity()).toBe(0);
  });

  it('takes float16 rows as bits', () => {
    const cache = new HostKvCache({ layers: 1, kvHeads: 1, headDim: 2 }, 'float16', 1000);
    cache.reserve(0, 2);
    const bits = (values: number[]) => new Tensor('float16', Uint16Array.from(values), [1, 2, 2]);
    const outputs = {
      'new_key_values.0.key': bits([1, 2, 3, 4]),
      'new_key_values.0.value': bits([5, 6, 7, 8]),
    };
    cache.accept(outputs, 0, 2);
    const tensor = cache.feeds()['past_key_values.0.value']!;
    const view = tensor.data as unknown as ArrayBufferView;
    expect([...new Uint16Array(view.buffer, view.byteOffset, 4)]).toEqual([5, 6, 7, 8]);
  });
});

describe('device cache', () => {
  const onDevice = (capacity: number) => {
    const dispose = vi.fn();
    const dims = [1, shape.kvHeads, capacity, shape.headDim];
    const tensor = { dims, location: 'gpu-buffer', dispose } as unknown as Tensor;
    return { tensor, dispose };
  };
  const presents = (made: ReturnType<typeof onDevice>) =>
    Object.fromEntries(kvNames(shape.layers).map(({ present }) => [present, made.tensor]));

  it('uploads room for a prompt and an answer, then lives on what runs return', () => {
    const cache = new DeviceKvCache(shape, 'float32', 10_000);
    cache.reserve(0, 300);
    const first = Object.values(cache.feeds())[0]!;
    expect([first.location, first.dims[2]]).toEqual(['cpu', 1536]);
    const one = onDevice(1536);
    cache.accept(presents(one));
    expect(Object.values(cache.feeds()).every((tensor) => tensor === one.tensor)).toBe(true);
    const two = onDevice(1536);
    cache.reserve(300, 301);
    cache.accept(presents(two));
    expect(one.dispose).toHaveBeenCalledTimes(4);
    // A new prompt that fits reuses the buffers; one that does not starts over.
    cache.reserve(0, 1000);
    expect(two.dispose).not.toHaveBeenCalled();
    cache.reserve(0, 2000);
    expect(two.dispose).toHaveBeenCalledTimes(4);
    expect(Object.values(cache.feeds())[0]!.dims[2]).toBe(3072);
  });
});
