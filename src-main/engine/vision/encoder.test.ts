import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageFeatures, ImagePixels, VisionLanguageModel } from '../language-model.ts';
import { openModel } from '../model/open-model.ts';
import { convertFixture, type TestContainer } from '../model/test-models.ts';
import { FeatureCache } from './feature-cache.ts';

function flat(width: number, height: number, level: number): ImagePixels {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i * level) % 251);
  return { width, height, channels: 1, data };
}

describe('vision encoder', () => {
  let container: TestContainer;
  let model: VisionLanguageModel;

  beforeAll(async () => {
    // Bounds that let a 252 x 252 slice (324 patches) through as it is: 8 make a batch.
    container = await convertFixture('tied-bf16', 'fp32', {
      min_pixels: 784,
      max_pixels: 100_000,
      image_processor_type: 'Qwen2VLImageProcessor',
    });
    model = await openModel(container.folder, { providers: ['cpu'], threads: 2, featureCacheBytes: 10e6 });
  });
  afterAll(async () => {
    await model.release();
    container.remove();
  });

  it('keeps the order of images of several sizes, and one by one gives the same', async () => {
    const images = [flat(56, 84, 3), flat(56, 56, 5), flat(56, 84, 7), flat(84, 56, 3)];
    const { features } = await model.encodeImages(images);
    expect(features.map(({ gridHeight, gridWidth }) => [gridHeight, gridWidth])).toEqual([
      [6, 4],
      [4, 4],
      [6, 4],
      [4, 6],
    ]);
    const other = await openModel(container.folder, { providers: ['cpu'], threads: 2 });
    for (const [index, image] of images.entries()) {
      const alone = (await other.encodeImages([image])).features[0]!;
      expect(alone.key).toBe(features[index]!.key);
      let difference = 0;
      for (let i = 0; i < alone.data.length; i++) {
        difference = Math.max(difference, Math.abs(alone.data[i]! - features[index]!.data[i]!));
      }
      expect(difference).toBeLessThan(1e-5);
    }
    await other.release();
  });

  it('encodes an image once: within a call and over calls', async () => {
    const a = flat(112, 112, 11);
    const b = flat(112, 112, 13);
    const steps: number[] = [];
    const first = await model.encodeImages([a, b, a], { onProgress: (_, total) => steps.push(total) });
    expect(first.cached).toBe(0);
    expect(steps).toEqual([2]);
    expect(first.features[2]).toBe(first.features[0]);
    const second = await model.encodeImages([b, a]);
    expect(second.cached).toBe(2);
    expect(second.features[0]).toBe(first.features[1]);
  });

  it('cancels between batches and keeps what is done', async () => {
    const slices = Array.from({ length: 20 }, (_, i) => flat(252, 252, i + 17));
    const abort = new AbortController();
    const run = model.encodeImages(slices, { signal: abort.signal, onProgress: () => abort.abort() });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    const steps: number[] = [];
    const again = await model.encodeImages(slices, { onProgress: (done) => steps.push(done) });
    expect(again.cached).toBe(8);
    expect(steps).toEqual([8, 12]);
  });
});

describe('feature cache', () => {
  const features = (key: string, floats: number): ImageFeatures => ({
    gridHeight: 2,
    gridWidth: 2,
    tokens: 1,
    data: new Float32Array(floats),
    key,
  });

  it('forgets what was not used for longest once it is full', () => {
    const cache = new FeatureCache(100);
    cache.set(features('a', 10));
    cache.set(features('b', 10));
    cache.get('a');
    cache.set(features('c', 10));
    expect(cache.get('b')).toBeUndefined();
    expect(cache.get('a')).toBeDefined();
    expect(cache.bytes).toBe(80);
    cache.set(features('a', 5));
    expect(cache.bytes).toBe(60);
    cache.set(features('large', 200));
    expect(cache.bytes).toBe(0);
  });
});
