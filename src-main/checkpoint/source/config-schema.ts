/**
 * The fields of config.json that decide what the network computes, with the defaults of transformers'
 * `Qwen2_5_VLConfig`. Fields that only matter in training (dropout, initializer_range) are let through unread.
 */
import { z } from 'zod';

/** No checkpoint comes near these; they bound what a wrong config.json can make us do before a tensor disagrees. */
const count = z.number().int().positive().max(10_000_000);
const layerCount = z.number().int().positive().max(1024);
const tokenId = z
  .number()
  .int()
  .nonnegative()
  .max(2 ** 31 - 1);

const ropeSchema = z
  .object({
    type: z.string().optional(),
    rope_type: z.string().optional(),
    rope_theta: z.number().positive().optional(),
    mrope_section: z.array(z.number().int().nonnegative()).optional(),
  })
  .nullish();
export type RopeConfig = z.infer<typeof ropeSchema>;

export const textConfigSchema = z.object({
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: layerCount,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: count.default(32_768),
  rms_norm_eps: z.number().positive().default(1e-5),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: z.number().int().nullish(),
  max_window_layers: z.number().int().nullish(),
  layer_types: z.array(z.string()).nullish(),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema,
  rope_parameters: ropeSchema,
  tie_word_embeddings: z.boolean().nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
});
export type TextConfig = z.infer<typeof textConfigSchema>;

/** Square patches are sometimes given as a pair. */
const side = z.union([count, z.array(count).min(1)]);

export const visionConfigSchema = z.object({
  depth: layerCount.default(32),
  hidden_size: count.default(3584),
  hidden_act: z.string().default('silu'),
  intermediate_size: count.default(3420),
  num_heads: count.default(16),
  in_channels: count.default(3),
  patch_size: side.default(14),
  spatial_merge_size: count.default(2),
  temporal_patch_size: side.default(2),
  window_size: count.default(112),
  out_hidden_size: count.default(3584),
  fullatt_block_indexes: z.array(z.number().int().nonnegative()).default([7, 15, 23, 31]),
  rope_parameters: ropeSchema,
});
export type VisionConfig = z.infer<typeof visionConfigSchema>;

export const outerConfigSchema = z.object({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  quantization_config: z.unknown().optional(),
  tie_word_embeddings: z.boolean().nullish(),
  image_token_id: tokenId.default(151_655),
  video_token_id: tokenId.default(151_656),
  vision_start_token_id: tokenId.default(151_652),
  vision_end_token_id: tokenId.default(151_653),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
  text_config: z.record(z.string(), z.unknown()).nullish(),
  vision_config: z.record(z.string(), z.unknown()),
});
export type OuterConfig = z.infer<typeof outerConfigSchema>;
