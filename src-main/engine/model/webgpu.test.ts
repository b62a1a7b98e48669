/**
 * webgpu against cpu, where an adapter is there: READROOM_TEST_WEBGPU=1. Without a GPU, Electron's own SwiftShader
 * serves (docs/decisions/0201-kv-cache-placement.md has the command).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureImage } from '../../slices/test-fixtures.ts';
import type { Segment, VisionLanguageModel } from '../language-model.ts';
import { openModel } from './open-model.ts';
import { convertFixture, type TestContainer } from './test-models.ts';

const bounds = { min_pixels: 784, max_pixels: 12544, image_processor_type: 'Qwen2VLImageProcessor' };

function difference(found: Float32Array, wanted: Float32Array): number {
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
}

describe.runIf(process.env.READROOM_TEST_WEBGPU)('webgpu', () => {
  let container: TestContainer;
  let cpu: VisionLanguageModel;
  let gpu: VisionLanguageModel;

  beforeAll(async () => {
    container = await convertFixture('tied-bf16', 'fp32', bounds);
    cpu = await openModel(container.folder, { providers: ['cpu'], threads: 2 });
    gpu = await openModel(container.folder, { providers: ['webgpu'] });
  }, 120_000);
  afterAll(async () => {
    await gpu.release();
    await cpu.release();
    container.remove();
  });

  it('gives the features and logits of the cpu through appends, rewinds and new prompts', async () => {
    const images = ['square56', 'exact84x112'].map(fixtureImage);
    const { features } = await cpu.encodeImages(images);
    const onDevice = await gpu.encodeImages(images);
    features.forEach((image, i) => {
      expect(difference(onDevice.features[i]!.data, image.data)).toBeLessThan(1e-4);
    });
    const text = (length: number, seed: number): Segment => ({
      kind: 'tokens',
      ids: Array.from({ length }, (_, i) => (i * 31 + seed * 17) % 500),
    });
    const image: Segment = { kind: 'image', features: features[0]! };
    const crop: Segment = { kind: 'image', features: features[1]! };
    const both = async (step: (model: VisionLanguageModel) => Promise<Float32Array>) => {
      expect(difference(await step(gpu), await step(cpu))).toBeLessThan(1e-4);
      expect(gpu.context.ids).toEqual(cpu.context.ids);
    };
    const prompt = async (model: VisionLanguageModel, segments: Segment[]) =>
      (await model.context.setPrompt(segments)).logits;
    await both((model) => prompt(model, [text(30, 1), image, text(100, 2)]));
    await both((model) => model.context.append([text(1, 3)]));
    await both((model) => model.context.append([crop, text(2, 4)]));
    await both((model) => {
      model.context.rewind(60);
      return model.context.append([text(5, 5)]);
    });
    await both((model) => prompt(model, [text(30, 1), image, text(12, 9)]));
    await both((model) => model.context.append([text(1, 6)]));
    await both((model) => prompt(model, [text(200, 7)]));
  }, 240_000);
});
