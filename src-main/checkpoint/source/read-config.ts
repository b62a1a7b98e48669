/**
 * config.json -> the architecture our graphs implement, or an error that names the field that says otherwise.
 * Two layouts are in use: text fields at the top level (Qwen's own checkpoints), or in text_config (newer saves).
 */
import type { z } from 'zod';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Architecture, TextArchitecture, VisionArchitecture } from '../manifest.ts';
import {
  type OuterConfig,
  outerConfigSchema,
  type TextConfig,
  textConfigSchema,
  type VisionConfig,
  visionConfigSchema,
} from './config-schema.ts';

const file = 'config.json';
const modelType = 'qwen2_5_vl';
const architectureName = 'Qwen2_5_VLForConditionalGeneration';

/** @param json parsed config.json @throws ReadroomError 'checkpoint-unsupported' or 'checkpoint-malformed', with `field` */
export function readArchitecture(json: unknown): Architecture {
  // Before anything else: another model's config must be called another model, not a broken one.
  const named = json as { model_type?: unknown; architectures?: unknown } | null;
  if (typeof named !== 'object' || named === null) throw malformed('', 'no JSON object');
  if (named.model_type !== modelType) {
    throw unsupported('model_type', `is ${JSON.stringify(named.model_type)}, not '${modelType}'`);
  }
  const outer = parse(outerConfigSchema, json, '');
  const { architectures } = outer;
  if (architectures && architectures.length > 0 && !architectures.includes(architectureName)) {
    throw unsupported('architectures', `is ${JSON.stringify(architectures)}, not ["${architectureName}"]`);
  }
  if (outer.quantization_config !== undefined && outer.quantization_config !== null) {
    throw unsupported('quantization_config', 'is present: the weights are already quantised');
  }
  const nested = outer.text_config !== undefined && outer.text_config !== null;
  const prefix = nested ? 'text_config.' : '';
  const text = parse(textConfigSchema, nested ? outer.text_config : json, prefix);
  const vision = parse(visionConfigSchema, outer.vision_config, 'vision_config.');
  const architecture = {
    vision: visionArchitecture(vision),
    text: textArchitecture(text, outer, prefix),
    tokens: {
      imagePad: outer.image_token_id,
      videoPad: outer.video_token_id,
      visionStart: outer.vision_start_token_id,
      visionEnd: outer.vision_end_token_id,
      endOfText: [outer.eos_token_id ?? text.eos_token_id ?? []].flat(),
    },
  };
  if (architecture.vision.outHidden !== architecture.text.hidden) {
    throw malformed(
      'vision_config.out_hidden_size',
      `${architecture.vision.outHidden} differs from ${prefix}hidden_size ${architecture.text.hidden}`,
    );
  }
  return architecture;
}

function textArchitecture(text: TextConfig, outer: OuterConfig, prefix: string): TextArchitecture {
  const heads = text.num_attention_heads;
  const kvHeads = text.num_key_value_heads ?? heads;
  const headDim = wholeQuotient(
    text.hidden_size,
    heads,
    `${prefix}num_attention_heads`,
    `${prefix}hidden_size`,
  );
  wholeQuotient(heads, kvHeads, `${prefix}num_key_value_heads`, `${prefix}num_attention_heads`);
  if (text.head_dim != null && text.head_dim !== headDim) {
    throw unsupported(
      `${prefix}head_dim`,
      `is ${text.head_dim}; this architecture has hidden_size / heads = ${headDim}`,
    );
  }
  if (headDim % 2 !== 0) {
    throw unsupported(
      `${prefix}num_attention_heads`,
      `gives heads of ${headDim}; rotation needs an even size`,
    );
  }
  checkActivation(text.hidden_act, `${prefix}hidden_act`);
  checkNoSlidingWindow(text, prefix);
  return {
    vocab: text.vocab_size,
    hidden: text.hidden_size,
    layers: text.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    intermediate: text.intermediate_size,
    rmsNormEps: text.rms_norm_eps,
    ...readRope(text, prefix, headDim),
    maxPositions: text.max_position_embeddings,
    tiedEmbeddings: outer.tie_word_embeddings === true || text.tie_word_embeddings === true,
  };
}

function visionArchitecture(vision: VisionConfig): VisionArchitecture {
  const headDim = wholeQuotient(
    vision.hidden_size,
    vision.num_heads,
    'vision_config.num_heads',
    'vision_config.hidden_size',
  );
  if (headDim % 4 !== 0) {
    throw unsupported(
      'vision_config.num_heads',
      `gives heads of ${headDim}; rotation over two axes needs a multiple of 4`,
    );
  }
  checkActivation(vision.hidden_act, 'vision_config.hidden_act');
  const patchSize = oneSide(vision.patch_size, 'vision_config.patch_size');
  const windowBlocks = Math.floor(Math.floor(vision.window_size / vision.spatial_merge_size) / patchSize);
  if (windowBlocks === 0) {
    throw malformed('vision_config.window_size', `${vision.window_size} holds no merge block`);
  }
  const ropeType = vision.rope_parameters?.rope_type ?? 'axial';
  if (!['axial', 'default'].includes(ropeType)) {
    throw unsupported('vision_config.rope_parameters.rope_type', `is '${ropeType}', not 'axial'`);
  }
  return {
    depth: vision.depth,
    hidden: vision.hidden_size,
    heads: vision.num_heads,
    headDim,
    intermediate: vision.intermediate_size,
    outHidden: vision.out_hidden_size,
    channels: vision.in_channels,
    patchSize,
    temporalPatchSize: oneSide(vision.temporal_patch_size, 'vision_config.temporal_patch_size'),
    mergeSize: vision.spatial_merge_size,
    windowSize: vision.window_size,
    fullAttentionBlocks: vision.fullatt_block_indexes,
    ropeTheta: vision.rope_parameters?.rope_theta ?? 10_000,
  };
}

/** rope_theta stands at the top level, in rope_scaling or (transformers 5) in rope_parameters. */
function readRope(
  text: TextConfig,
  prefix: string,
  headDim: number,
): Pick<TextArchitecture, 'ropeTheta' | 'mropeSection'> {
  const key = text.rope_scaling ? 'rope_scaling' : 'rope_parameters';
  const rope = text[key] ?? {};
  const type = rope.rope_type ?? rope.type ?? 'default';
  if (type !== 'default' && type !== 'mrope') {
    const field = rope.rope_type === undefined ? 'type' : 'rope_type';
    throw unsupported(`${prefix}${key}.${field}`, `is '${type}'; only 'mrope' (or 'default') is implemented`);
  }
  const section = rope.mrope_section ?? [16, 24, 24];
  const [temporal, height, width] = section;
  const sum = section.reduce((total, size) => total + size, 0);
  if (section.length !== 3 || temporal === undefined || height === undefined || width === undefined) {
    throw unsupported(`${prefix}${key}.mrope_section`, `has ${section.length} sections, not 3`);
  }
  if (sum !== headDim / 2) {
    throw malformed(
      `${prefix}${key}.mrope_section`,
      `[${section.join(', ')}] sums to ${sum}, not to half a head, ${headDim / 2}`,
    );
  }
  return {
    ropeTheta: rope.rope_theta ?? text.rope_theta ?? 1_000_000,
    mropeSection: [temporal, height, width],
  };
}

/** Qwen's configs carry a sliding_window that use_sliding_window switches off. */
function checkNoSlidingWindow(text: TextConfig, prefix: string): void {
  const other = text.layer_types?.find((type) => type !== 'full_attention');
  if (other !== undefined) throw unsupported(`${prefix}layer_types`, `contains '${other}'`);
  const firstSliding = text.max_window_layers ?? 80;
  const inUse = text.use_sliding_window === true && text.sliding_window != null;
  if (inUse && text.layer_types == null && firstSliding < text.num_hidden_layers) {
    throw unsupported(
      `${prefix}use_sliding_window`,
      'is true; sliding windows in the decoder are not implemented',
    );
  }
}

function checkActivation(name: string, field: string): void {
  if (name !== 'silu' && name !== 'swish') throw unsupported(field, `is '${name}', not 'silu'`);
}

function oneSide(size: number | readonly number[], field: string): number {
  const sides = typeof size === 'number' ? [size] : size;
  const [first] = sides;
  if (first === undefined || sides.some((other) => other !== first)) throw unsupported(field, 'is no square');
  return first;
}

function wholeQuotient(dividend: number, divisor: number, field: string, of: string): number {
  if (dividend % divisor !== 0) throw malformed(field, `${divisor} does not divide ${of} ${dividend}`);
  return dividend / divisor;
}

function parse<S extends z.ZodType>(schema: S, value: unknown, prefix: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw malformed(`${prefix}${issue.path.join('.')}`, issue.message);
}

function unsupported(field: string, why: string): ReadroomError {
  return new ReadroomError('checkpoint-unsupported', `${file}: ${field} ${why}`, {
    file,
    field,
    remedy: `Readroom runs unquantised ${architectureName} checkpoints, such as Qwen2.5-VL and models tuned from it.`,
  });
}

function malformed(field: string, why: string): ReadroomError {
  return new ReadroomError('checkpoint-malformed', `${file}: ${field}: ${why}`, {
    file,
    field,
    remedy: 'Download config.json again, or correct the field.',
  });
}
