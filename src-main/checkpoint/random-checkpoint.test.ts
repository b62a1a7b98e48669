import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { planConversion } from './conversion-plan.ts';
import { convertCheckpoint } from './convert.ts';
import {
  sevenBillion,
  sevenBillionRatios,
  tensorShapes,
  writeRandomCheckpoint,
} from './random-checkpoint.ts';
import { readArchitecture } from './source/read-config.ts';
import { fixtureCheckpoint, scratchFolder } from './testing/scratch.ts';

const tiny = {
  tokenizerFrom: fixtureCheckpoint('memo'),
  text: {
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    vocab_size: 600,
  },
  vision: { depth: 1, hidden_size: 16, intermediate_size: 24, num_heads: 2, fullatt_block_indexes: [] },
};

it('writes a checkpoint that converts, the same one for the same seed', async () => {
  const digests: string[] = [];
  for (const seed of [1, 1, 2]) {
    const out = await scratchFolder();
    await writeRandomCheckpoint({ ...tiny, out, seed });
    digests.push(
      createHash('sha256')
        .update(await readFile(path.join(out, 'model.safetensors')))
        .digest('hex'),
    );
    const plan = await planConversion(out, 'int4');
    expect(plan.architecture.text.hidden).toBe(32);
    await plan.tensors.close();
  }
  expect(digests[1]).toBe(digests[0]);
  expect(digests[2]).not.toBe(digests[0]);
});

it('writes shards with their index, which convert to the bytes of the whole', async () => {
  const digest = async (shardBytes?: number) => {
    const source = await scratchFolder();
    await writeRandomCheckpoint({ ...tiny, out: source, shardBytes });
    const out = path.join(await scratchFolder(), 'container');
    const { files } = await convertCheckpoint({ source, out, precision: 'fp32' });
    const shards = (await readdir(source)).filter((name) => name.startsWith('model-'));
    return { shards: shards.length, data: files.filter(({ name }) => name.endsWith('.bin')) };
  };
  const [whole, sharded] = [await digest(), await digest(60_000)];
  expect(whole.shards).toBe(0);
  expect(sharded.shards).toBeGreaterThan(1);
  expect(sharded.data).toEqual(whole.data);
});

it('has the parameters of the 7B', () => {
  const json = {
    model_type: 'qwen2_5_vl',
    ...sevenBillion.text,
    rope_scaling: { mrope_section: [16, 24, 24] },
    vision_config: { ...sevenBillion.vision, out_hidden_size: sevenBillion.text.hidden_size },
  };
  const sizes = [...tensorShapes(readArchitecture(json)).values()].map((shape) =>
    shape.reduce((a, b) => a * b, 1),
  );
  // What the 7B's own index says: total_size 16,584,333,312 bytes of bfloat16.
  expect(2 * sizes.reduce((sum, size) => sum + size, 0)).toBe(16_584_333_312);
});

it('has more than 200 million parameters by default', async () => {
  const json = {
    model_type: 'qwen2_5_vl',
    ...sevenBillionRatios.text,
    rope_scaling: { mrope_section: [16, 24, 24] },
    vision_config: { ...sevenBillionRatios.vision, out_hidden_size: sevenBillionRatios.text.hidden_size },
  };
  const sizes = [...tensorShapes(readArchitecture(json)).values()].map((shape) =>
    shape.reduce((a, b) => a * b, 1),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(200e6);
});

it('refuses a vocabulary that the tokenizer does not fit', async () => {
  const options = { ...tiny, text: { ...tiny.text, vocab_size: 100 }, out: await scratchFolder() };
  await expect(writeRandomCheckpoint(options)).rejects.toThrow(RangeError);
});
