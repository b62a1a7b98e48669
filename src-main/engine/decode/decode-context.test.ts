import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { ImagePixels, Segment, VisionLanguageModel } from '../language-model.ts';
import { openModel } from '../model/open-model.ts';
import { convertFixture, type TestContainer } from '../model/test-models.ts';
import { seededRandom } from './random.ts';

const bounds = { min_pixels: 784, max_pixels: 12544, image_processor_type: 'Qwen2VLImageProcessor' };

function noise(width: number, height: number, seed: number): ImagePixels {
  const random = seededRandom(seed);
  const data = Uint8Array.from({ length: width * height }, () => Math.floor(random() * 256));
  return { width, height, channels: 1, data };
}

function text(length: number, seed: number): Segment {
  const random = seededRandom(seed);
  return { kind: 'tokens', ids: Array.from({ length }, () => Math.floor(random() * 500)) };
}

function expectClose(found: Float32Array, wanted: Float32Array, label = ''): void {
  let difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference = Math.max(difference, Math.abs(found[i]! - wanted[i]!));
  }
  expect(difference, label).toBeLessThan(1e-4);
}

describe('decode context', () => {
  let container: TestContainer;
  let model: VisionLanguageModel;
  /** Text, an image, text, another image, text: 3 + 16 + 300 + 6 + 20 positions. */
  let prompt: Segment[];

  const fresh = async (segments: readonly Segment[]): Promise<Float32Array> => {
    model.context.rewind(0);
    return model.context.append(segments);
  };

  beforeAll(async () => {
    container = await convertFixture('untied-f32-sharded', 'fp32', bounds);
    model = await openModel(container.folder, { providers: ['cpu'], threads: 2 });
    const { features } = await model.encodeImages([noise(112, 112, 1), noise(84, 56, 2)]);
    const [first, second] = features.map((image): Segment => ({ kind: 'image', features: image }));
    prompt = [text(3, 1), first!, text(300, 2), second!, text(20, 3)];
  });
  beforeEach(() => model.context.rewind(0));
  afterAll(async () => {
    await model.release();
    container.remove();
  });

  it('gives one result whether appended whole or piece by piece', async () => {
    const whole = await fresh(prompt);
    const ids = [...model.context.ids];
    expect(model.context.length).toBe(345);
    model.context.rewind(0);
    let last = whole;
    for (const segment of prompt) {
      if (segment.kind === 'image') last = await model.context.append([segment]);
      else {
        for (let at = 0; at < segment.ids.length; at += 7) {
          last = await model.context.append([{ kind: 'tokens', ids: segment.ids.slice(at, at + 7) }]);
        }
      }
    }
    expectClose(last, whole);
    expect(model.context.ids).toEqual(ids);
  });

  it('gives one result for every chunk length, image boundaries or not', async () => {
    const whole = await fresh(prompt);
    for (const chunk of [1, 10, 64, 1000]) {
      const other = await openModel(container.folder, { providers: ['cpu'], threads: 2, chunk });
      expectClose(await other.context.append(prompt), whole, `chunk ${chunk}`);
      await other.release();
    }
  });

  it('is exact after a rewind', async () => {
    const wanted = await fresh([...prompt.slice(0, 3), text(30, 9)]);
    await fresh(prompt);
    model.context.rewind(319);
    expectClose(await model.context.append([text(30, 9)]), wanted);
    expect(() => model.context.rewind(400)).toThrow(RangeError);
    expect(() => model.context.rewind(10)).toThrow(/middle of an image/);
  });

  it('keeps the longest common prefix of a prompt', async () => {
    const wanted = await fresh([...prompt.slice(0, 4), text(5, 8)]);
    await fresh(prompt);
    const changed = await model.context.setPrompt([...prompt.slice(0, 4), text(5, 8)]);
    expect(changed.reused).toBe(325);
    expectClose(changed.logits, wanted);
    expect(model.context.length).toBe(330);
    const same = await model.context.setPrompt([...prompt.slice(0, 4), text(5, 8)]);
    expect(same.reused).toBe(329);
    expectClose(same.logits, wanted);
    const longer = await model.context.setPrompt([...prompt.slice(0, 4), text(5, 8), text(4, 7)]);
    expect(longer.reused).toBe(330);
  });

  it('does not take one image for another of the same size', async () => {
    const { features } = await model.encodeImages([noise(112, 112, 77)]);
    const other: Segment[] = [prompt[0]!, { kind: 'image', features: features[0]! }, ...prompt.slice(2)];
    const wanted = await fresh(other);
    await fresh(prompt);
    const { logits, reused } = await model.context.setPrompt(other);
    expect(reused).toBe(3);
    expectClose(logits, wanted);
  });

  it('stays whole through a cancel between chunks', async () => {
    const wanted = await fresh(prompt);
    const small = await openModel(container.folder, { providers: ['cpu'], threads: 2, chunk: 10 });
    // Chunks of 10: the first image lies at 3..19, the second at 319..325; a cut image is dropped.
    const lengths = new Map([
      [1, 3],
      [2, 20],
      [5, 50],
      [32, 319],
    ]);
    for (const [after, length] of lengths) {
      small.context.rewind(0);
      const abort = new AbortController();
      let chunks = 0;
      const onProgress = () => {
        if (++chunks === after) abort.abort();
      };
      const run = small.context.setPrompt(prompt, { signal: abort.signal, onProgress });
      await expect(run).rejects.toMatchObject({ code: 'cancelled' });
      expect(small.context.length).toBe(length);
      const again = await small.context.setPrompt(prompt);
      expectClose(again.logits, wanted, `cancelled after ${after}`);
      expect(again.reused).toBeGreaterThan(0);
    }
    await small.release();
  });

  it('reports progress and refuses a second run at the same time', async () => {
    const seen: number[] = [];
    const pieces = await openModel(container.folder, { providers: ['cpu'], threads: 2, chunk: 100 });
    const run = pieces.context.append(prompt, { onProgress: (done) => seen.push(done) });
    await expect(pieces.context.append([text(1, 1)])).rejects.toMatchObject({ code: 'engine-busy' });
    await run;
    await pieces.release();
    // Three of 115 each, rather than three of 100 and a rest of 45.
    expect(seen).toEqual([115, 230, 345]);
  });

  it('refuses what does not fit before touching the cache', async () => {
    await fresh(prompt);
    const limit = model.info.contextLimit;
    const long: Segment = { kind: 'tokens', ids: new Array<number>(limit).fill(1) };
    await expect(model.context.append([long])).rejects.toThrow(ReadroomError);
    await expect(model.context.setPrompt([long, long])).rejects.toMatchObject({ code: 'context-too-long' });
    expect(model.context.length).toBe(345);
  });

  it('names ids outside the vocabulary', async () => {
    await expect(model.context.append([{ kind: 'tokens', ids: [5, 1e6] }])).rejects.toThrow(/1000000/);
    await expect(model.context.append([])).rejects.toThrow(RangeError);
  });
});
