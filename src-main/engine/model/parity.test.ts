/** Whole path against transformers: image -> processor -> vision graph; ids -> M-RoPE -> decoder graph -> logits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureImage, fixtureTable, fixtureTensors } from '../../slices/test-fixtures.ts';
import type { ImageFeatures, Segment, VisionLanguageModel } from '../language-model.ts';
import { openModel } from './open-model.ts';
import { convertFixture, type TestContainer } from './test-models.ts';

interface FeatureCase {
  name: string;
  images: string[];
  size: { shortest_edge: number; longest_edge: number };
}

const tolerance = 1e-4;
const models = ['tied-bf16', 'untied-f32-sharded', 'odd-f16', 'like-7b'];

/** Largest difference over the largest magnitude. */
function relative(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference = Math.max(difference, Math.abs(found[i]! - wanted[i]!));
    largest = Math.max(largest, Math.abs(wanted[i]!));
  }
  return difference / largest;
}

/** Ids with runs of pads -> segments. Undefined when an image is cut short. */
function segmentsOf(ids: Int32Array, pad: number, images: readonly ImageFeatures[]): Segment[] | undefined {
  const segments: Segment[] = [];
  let image = 0;
  for (let at = 0; at < ids.length; ) {
    if (ids[at] === pad) {
      const features = images[image++]!;
      if (at + features.tokens > ids.length) return undefined;
      segments.push({ kind: 'image', features });
      at += features.tokens;
    } else {
      let end = at;
      while (end < ids.length && ids[end] !== pad) end++;
      segments.push({ kind: 'tokens', ids: [...ids.subarray(at, end)] });
      at = end;
    }
  }
  return segments;
}

describe.each(models)('%s against transformers', (name) => {
  const cases = fixtureTable<FeatureCase>('tensors/cases.json');
  const tensors = fixtureTensors(`tensors/${name}.safetensors`);
  const floats = (key: string) => new Float32Array(tensors.get(key)!.bytes.buffer);
  const ints = (key: string) => new Int32Array(tensors.get(key)!.bytes.buffer);
  let container: TestContainer;
  let model: VisionLanguageModel;

  beforeAll(async () => {
    container = await convertFixture(name, 'fp32', {
      min_pixels: 784,
      max_pixels: name === 'odd-f16' ? 14112 : 7056,
      image_processor_type: 'Qwen2VLImageProcessor',
    });
    model = await openModel(container.folder, { providers: ['cpu'], threads: 2 });
  });
  afterAll(async () => {
    await model.release();
    container.remove();
  });

  it('gives the vision features', async () => {
    for (const { name: example, images } of cases) {
      const { features } = await model.encodeImages(images.map(fixtureImage));
      const grids = features.flatMap(({ gridHeight, gridWidth }) => [1, gridHeight, gridWidth]);
      expect(grids, example).toEqual([...ints(`vision.${example}.grids`)]);
      const joined = Float32Array.from(features.flatMap(({ data }) => [...data]));
      expect(relative(joined, floats(`vision.${example}`)), example).toBeLessThan(tolerance);
    }
  });

  it('gives the logits of a text at every position', async () => {
    const ids = ints('text.ids');
    const wanted = floats('text.logits');
    const vocab = wanted.length / ids.length;
    model.context.rewind(0);
    for (const [at, id] of ids.entries()) {
      const logits = await model.context.append([{ kind: 'tokens', ids: [id] }]);
      expect(relative(logits, wanted.subarray(at * vocab, (at + 1) * vocab)), `row ${at}`).toBeLessThan(
        tolerance,
      );
    }
  });

  it('gives the logits of a conversation with four images', async () => {
    const ids = ints('logits.ids');
    const rows = ints('logits.rows');
    const wanted = floats('logits.values');
    const vocab = wanted.length / rows.length;
    const images = cases.find((example) => example.name === 'several')!.images;
    const { features } = await model.encodeImages(images.map(fixtureImage));
    let compared = 0;
    for (const [index, row] of rows.entries()) {
      const segments = segmentsOf(ids.subarray(0, row + 1), model.tokenizer.specials.imagePad, features);
      if (!segments) continue;
      const { logits } = await model.context.setPrompt(segments);
      const expected = wanted.subarray(index * vocab, (index + 1) * vocab);
      expect(relative(logits, expected), `row ${row}`).toBeLessThan(tolerance);
      compared++;
    }
    expect(compared).toBeGreaterThan(12);
    expect(model.context.ids).toEqual([...ids]);
  });
});
