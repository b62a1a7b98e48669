/**
 * manifest.json of a container: what was converted, from what, to what, and how to drive its graphs.
 *
 * It is written last, so its presence is what makes a folder a whole container (docs/container.md).
 */
import { z } from 'zod';
import { precisionSchema } from '../../src-contract/run-events.ts';

/** Raised when an older container can no longer be driven by the engine: a container of another version is refused. */
export const containerFormatVersion = 1;

/**
 * Raised when the same checkpoint would convert to other bytes (graphs, quantisation, layout of the data files).
 * Part of the cache key, so that an improved converter makes a fresh container beside the old one.
 */
export const converterRevision = 4;

/** The name of the manifest inside its container folder. */
export const manifestFileName = 'manifest.json';

const count = z.number().int().positive();
const tokenId = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A plain file name: a container's files lie in its folder, never above or below it. */
const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);

/** The vision tower, from vision_config. Sizes of patches and windows are pixels, all others are counts. */
export const visionArchitectureSchema = z.object({
  depth: count,
  hidden: count,
  heads: count,
  /** hidden / heads; a multiple of 4 (two axes, two halves). */
  headDim: count,
  intermediate: count,
  /** Width of image_features: equals text.hidden. */
  outHidden: count,
  channels: count,
  patchSize: count,
  temporalPatchSize: count,
  /** Side of the square of patches that becomes one token. */
  mergeSize: count,
  windowSize: count,
  /** Blocks that attend to the whole image; all others attend within windows. */
  fullAttentionBlocks: z.array(z.number().int().nonnegative()),
  ropeTheta: z.number().positive(),
});
export type VisionArchitecture = z.infer<typeof visionArchitectureSchema>;

/** The language model, from text_config (or the top level of older configs). */
export const textArchitectureSchema = z.object({
  vocab: count,
  hidden: count,
  layers: count,
  heads: count,
  kvHeads: count,
  headDim: count,
  intermediate: count,
  rmsNormEps: z.number().positive(),
  ropeTheta: z.number().positive(),
  /** How many of the headDim/2 frequencies follow the temporal, height and width position. */
  mropeSection: z.tuple([z.number().int(), z.number().int(), z.number().int()]),
  /** max_position_embeddings: the longest context the checkpoint was made for. */
  maxPositions: count,
  /** True where lm_head shares the embedding table. */
  tiedEmbeddings: z.boolean(),
});
export type TextArchitecture = z.infer<typeof textArchitectureSchema>;

export const architectureSchema = z.object({
  vision: visionArchitectureSchema,
  text: textArchitectureSchema,
  tokens: z.object({
    imagePad: tokenId,
    videoPad: tokenId,
    visionStart: tokenId,
    visionEnd: tokenId,
    /** config.json's eos_token_id, as a list; generation_config.json may say more. */
    endOfText: z.array(tokenId),
  }),
});
export type Architecture = z.infer<typeof architectureSchema>;

/** The element type of a graph's float inputs and outputs. `logits` is float32 in every container. */
export const activationSchema = z.enum(['float32', 'float16']);
export type Activation = z.infer<typeof activationSchema>;

const graphSchema = z.object({
  /** The .onnx file; its external data files lie beside it and are among `files`. */
  file: fileName,
  activation: activationSchema,
});

export const containerFileSchema = z.object({
  name: fileName,
  bytes: z.number().int().nonnegative(),
  sha256,
});
export type ContainerFile = z.infer<typeof containerFileSchema>;

export const manifestSchema = z.object({
  format: z.literal('readroom-container'),
  formatVersion: z.literal(containerFormatVersion),
  converterRevision: z.number().int().positive(),
  source: z.object({
    /** Name of the checkpoint folder, without its path: a path would tell whose machine it was. */
    name: z.string(),
    /** Over the names and hashes of `files`: what the engine calls modelHash. */
    sha256,
    files: z.array(containerFileSchema),
    /** What `fingerprintCheckpoint` said of the folder when it was converted. */
    fingerprint: sha256,
  }),
  precision: precisionSchema,
  /** Weights in the checkpoint; a tied table counts once. */
  parameters: count,
  architecture: architectureSchema,
  graphs: z.object({
    vision: graphSchema,
    embed: graphSchema,
    decoder: graphSchema,
    /** The decoder for a cache in the engine's own memory; absent in float16, and in containers of revision 3 and before. */
    decoderHost: graphSchema.optional(),
  }),
  /** Which weights have how many bits, in words; for reports. */
  weights: z.record(z.string(), z.string()),
  files: z.array(containerFileSchema),
});
export type Manifest = z.infer<typeof manifestSchema>;
