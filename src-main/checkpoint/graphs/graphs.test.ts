import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Precision } from '../../../src-contract/run-events.ts';
import { convertCheckpoint } from '../convert.ts';
import { writeRandomCheckpoint } from '../random-checkpoint.ts';
import {
  cosine,
  type Piece,
  relativeDifference,
  syntheticPixels,
  TestContainer,
} from '../testing/run-container.ts';
import { fixtureCheckpoint, readTensors, scratchFolder } from '../testing/scratch.ts';

const patch = 1176;

async function openConverted(source: string, precision: Precision): Promise<TestContainer> {
  const out = path.join(await scratchFolder(), precision);
  await convertCheckpoint({ source, out, precision });
  const container = await TestContainer.open(out);
  onTestFinished(() => container.release());
  return container;
}

/** The conversation of make_odd_heads.py: three images of one grid among text. */
async function conversation(container: TestContainer, gridHeight: number, gridWidth: number) {
  const pixels = syntheticPixels(3 * gridHeight * gridWidth * patch, 7);
  const features = await container.encode(pixels, gridHeight, gridWidth);
  const size = features.length / 3;
  const pieces: Piece[] = [{ ids: [1, 2, 3] }];
  for (let image = 0; image < 3; image++) {
    const own = features.slice(image * size, (image + 1) * size);
    pieces.push({ ids: [8] }, { gridHeight, gridWidth, features: own }, { ids: [9] });
  }
  pieces.push({ ids: [10, 11, 12, 13, 14] });
  return { pixels, features, pieces };
}

/** A checkpoint whose sizes are multiples of nothing, against what transformers computes for it. */
describe('a decoder with heads of 12', () => {
  async function oddHeads(): Promise<string> {
    const out = process.env.READROOM_ODD_HEADS ?? (await scratchFolder());
    await writeRandomCheckpoint({
      out,
      tokenizerFrom: fixtureCheckpoint('memo'),
      text: {
        hidden_size: 36,
        intermediate_size: 51,
        num_hidden_layers: 2,
        num_attention_heads: 3,
        num_key_value_heads: 1,
        vocab_size: 601,
      },
      vision: { depth: 2, hidden_size: 24, intermediate_size: 37, num_heads: 2, fullatt_block_indexes: [1] },
    });
    return out;
  }

  it.each<[Precision, number, number]>([
    ['fp32', 2e-5, 1],
    ['fp16', 5e-3, 0.9999],
    ['int4', 0.3, 0.985],
  ])('computes in %s what transformers does', async (precision, tolerance, likeness) => {
    const container = await openConverted(await oddHeads(), precision);
    const tensors = await readTensors(
      path.resolve(import.meta.dirname, '../testing'),
      'odd-heads.safetensors',
    );
    const floats = (name: string) => new Float32Array(tensors.get(name)!.buffer);
    const expected = { features: floats('features'), logits: floats('logits') };
    const { features, pieces } = await conversation(container, 10, 6);
    const { hidden, vocab } = container.manifest.architecture.text;
    const every4th = Float32Array.from(
      expected.features,
      (_, i) => features[Math.floor(i / hidden) * 4 * hidden + (i % hidden)]!,
    );
    expect(relativeDifference(every4th, expected.features)).toBeLessThan(Math.min(tolerance, 0.05));
    const logits = (await container.logits(pieces, 1000)).slice(-8 * vocab);
    expect(relativeDifference(logits, expected.logits)).toBeLessThan(tolerance);
    expect(cosine(logits, expected.logits)).toBeGreaterThan(likeness - 1e-6);
  });
});

describe.each(['like-7b', 'memo', 'odd-f16'])('the graphs of %s', (name) => {
  let fp32: TestContainer;
  let base: Awaited<ReturnType<typeof conversation>>;
  let logits: Float32Array;
  let close: () => Promise<void>;

  beforeAll(async () => {
    const out = await mkdtemp(path.join(tmpdir(), 'readroom-graphs-'));
    await convertCheckpoint({ source: fixtureCheckpoint(name), out, precision: 'fp32' });
    fp32 = await TestContainer.open(out);
    base = await conversation(fp32, 14, 6);
    logits = await fp32.logits(base.pieces, 1000);
    close = async () => {
      await fp32.release();
      await rm(out, { recursive: true });
    };
  });
  afterAll(() => close());

  it('give images of a batch what each has alone', async () => {
    const size = base.pixels.length / 3;
    const second = await fp32.encode(base.pixels.slice(size, 2 * size), 14, 6);
    const tokens = base.features.length / 3;
    expect(relativeDifference(second, base.features.slice(tokens, 2 * tokens))).toBeLessThan(1e-5);
  });

  it('give the same logits in chunks, down to one position', async () => {
    for (const chunk of [1, 7, 32]) {
      expect(relativeDifference(await fp32.logits(base.pieces, chunk), logits)).toBeLessThan(1e-5);
    }
  });

  it.each<[Precision, number, number]>([
    ['fp16', 0.999, 0.9999],
    ['int4', 0.998, 0.993],
  ])('stay close in %s', async (precision, visionLikeness, likeness) => {
    const container = await openConverted(fixtureCheckpoint(name), precision);
    const { features, pieces } = await conversation(container, 14, 6);
    expect(cosine(features, base.features)).toBeGreaterThan(visionLikeness);
    expect(cosine(await container.logits(pieces, 32), logits)).toBeGreaterThan(likeness);
  });
});
