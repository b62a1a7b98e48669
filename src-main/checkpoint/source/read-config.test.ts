import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { fixtureCheckpoint } from '../testing/scratch.ts';
import { readArchitecture } from './read-config.ts';

type Json = Record<string, unknown>;

function config(name: string): Json {
  return JSON.parse(readFileSync(path.join(fixtureCheckpoint(name), 'config.json'), 'utf8')) as Json;
}

/** The layout and the sizes that Qwen/Qwen2.5-VL-7B-Instruct publishes. */
const sevenBillion: Json = {
  architectures: ['Qwen2_5_VLForConditionalGeneration'],
  model_type: 'qwen2_5_vl',
  eos_token_id: 151_645,
  hidden_act: 'silu',
  hidden_size: 3584,
  intermediate_size: 18_944,
  max_position_embeddings: 128_000,
  max_window_layers: 28,
  num_attention_heads: 28,
  num_hidden_layers: 28,
  num_key_value_heads: 4,
  rms_norm_eps: 1e-6,
  rope_theta: 1_000_000,
  rope_scaling: { type: 'mrope', mrope_section: [16, 24, 24] },
  sliding_window: 32_768,
  use_sliding_window: false,
  tie_word_embeddings: false,
  vocab_size: 152_064,
  vision_config: {
    depth: 32,
    hidden_act: 'silu',
    hidden_size: 1280,
    in_chans: 3,
    intermediate_size: 3420,
    num_heads: 16,
    out_hidden_size: 3584,
    patch_size: 14,
    spatial_merge_size: 2,
    spatial_patch_size: 14,
    temporal_patch_size: 2,
    tokens_per_second: 2,
    window_size: 112,
    fullatt_block_indexes: [7, 15, 23, 31],
  },
};

describe('readArchitecture', () => {
  it('reads the flat layout of the published 7B', () => {
    const { vision, text, tokens } = readArchitecture(sevenBillion);
    expect(text).toMatchObject({ headDim: 128, kvHeads: 4, ropeTheta: 1e6, mropeSection: [16, 24, 24] });
    expect(text.tiedEmbeddings).toBe(false);
    expect(vision).toMatchObject({
      headDim: 80,
      channels: 3,
      fullAttentionBlocks: [7, 15, 23, 31],
      ropeTheta: 1e4,
    });
    expect(tokens).toMatchObject({ imagePad: 151_655, endOfText: [151_645] });
  });

  it.each([
    ['tied-bf16', { tiedEmbeddings: true, ropeTheta: 1e6, mropeSection: [2, 3, 3] }],
    ['odd-f16', { tiedEmbeddings: false, ropeTheta: 1e4, mropeSection: [4, 3, 5], headDim: 24 }],
    ['untied-f32-sharded', { tiedEmbeddings: false, ropeTheta: 1e6, mropeSection: [4, 2, 2], kvHeads: 4 }],
  ])('reads the layout of %s', (name, text) => {
    expect(readArchitecture(config(name)).text).toMatchObject(text);
  });

  it('takes rope_theta from rope_parameters, rope_scaling or the top level', () => {
    const { rope_scaling: _, rope_theta: __, ...rest } = sevenBillion;
    const section = { mrope_section: [16, 24, 24] };
    expect(readArchitecture({ ...rest, rope_parameters: { ...section, rope_theta: 5 } }).text.ropeTheta).toBe(
      5,
    );
    expect(readArchitecture({ ...rest, rope_scaling: { ...section, rope_theta: 6 } }).text.ropeTheta).toBe(6);
    expect(readArchitecture({ ...rest, rope_scaling: section, rope_theta: 7 }).text.ropeTheta).toBe(7);
  });

  it.each<[string, Json, string]>([
    ['another model', { model_type: 'qwen2_vl' }, 'model_type'],
    ['another class', { architectures: ['Qwen2_5_VLForSequenceClassification'] }, 'architectures'],
    ['quantised weights', { quantization_config: { quant_method: 'awq' } }, 'quantization_config'],
    ['another activation', { hidden_act: 'gelu' }, 'hidden_act'],
    ['yarn', { rope_scaling: { rope_type: 'yarn', mrope_section: [16, 24, 24] } }, 'rope_scaling.rope_type'],
    [
      'two sections',
      { rope_scaling: { type: 'mrope', mrope_section: [32, 32] } },
      'rope_scaling.mrope_section',
    ],
    [
      'sections of another sum',
      { rope_scaling: { type: 'mrope', mrope_section: [8, 8, 8] } },
      'rope_scaling.mrope_section',
    ],
    ['a sliding window', { use_sliding_window: true, max_window_layers: 20 }, 'use_sliding_window'],
    ['sliding layers', { layer_types: ['full_attention', 'sliding_attention'] }, 'layer_types'],
    ['heads that do not divide', { num_attention_heads: 27 }, 'num_attention_heads'],
    ['groups that do not divide', { num_key_value_heads: 5 }, 'num_key_value_heads'],
    ['a head size of its own', { head_dim: 64 }, 'head_dim'],
    ['no vocabulary', { vocab_size: undefined }, 'vocab_size'],
    ['a negative size', { hidden_size: -3584 }, 'hidden_size'],
    ['a million layers', { num_hidden_layers: 1_000_000 }, 'num_hidden_layers'],
    ['text for a number', { intermediate_size: '18944' }, 'intermediate_size'],
    ['no vision tower', { vision_config: undefined }, 'vision_config'],
  ])('refuses %s, naming the field', (_what, change, field) => {
    try {
      readArchitecture({ ...sevenBillion, ...change });
    } catch (error) {
      expect(error).toBeInstanceOf(ReadroomError);
      expect((error as ReadroomError).field).toBe(field);
      expect((error as ReadroomError).message).toContain(field);
      expect((error as ReadroomError).remedy).toBeTruthy();
      return;
    }
    expect.unreachable();
  });

  it.each<[string, Json, string]>([
    ['another activation', { hidden_act: 'quick_gelu' }, 'vision_config.hidden_act'],
    ['heads of 10', { hidden_size: 40, num_heads: 4 }, 'vision_config.num_heads'],
    ['a width that is not the decoder’s', { out_hidden_size: 8 }, 'vision_config.out_hidden_size'],
    ['windows smaller than a block', { window_size: 14 }, 'vision_config.window_size'],
  ])('refuses a vision tower with %s', (_what, change, field) => {
    const vision_config = { ...(sevenBillion.vision_config as Json), ...change };
    expect(() => readArchitecture({ ...sevenBillion, vision_config })).toThrow(
      expect.objectContaining({ field }),
    );
  });

  it('refuses what is no object at all', () => {
    for (const json of [null, 3, 'x', []]) expect(() => readArchitecture(json)).toThrow(ReadroomError);
  });
});
