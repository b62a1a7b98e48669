/**
 * Random checkpoints of any size in Hugging Face layout: for benches, which need a large model's speed and no model's
 * knowledge. Written as a stream, so that several gigabytes need no memory.
 */
import { copyFile, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Architecture } from './manifest.ts';
import { readArchitecture } from './source/read-config.ts';

export interface RandomCheckpointOptions {
  readonly out: string;
  /** Tokenizer, chat template and preprocessor are copied from this checkpoint; its token ids are kept. */
  readonly tokenizerFrom: string;
  /** Fields that replace those of `sevenBillionRatios`. */
  readonly text?: Partial<RandomText>;
  readonly vision?: Partial<RandomVision>;
  readonly tied?: boolean;
  readonly seed?: number;
  /** A file is closed before it would pass this many bytes, and an index is written; one file where absent. */
  readonly shardBytes?: number;
}

export interface RandomText {
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  vocab_size: number;
}

export interface RandomVision {
  depth: number;
  hidden_size: number;
  intermediate_size: number;
  num_heads: number;
  fullatt_block_indexes: number[];
}

/** The 7B's proportions at a fourteenth of the layers and a third of the width: 252 million parameters. */
export const sevenBillionRatios: { readonly text: RandomText; readonly vision: RandomVision } = {
  text: {
    hidden_size: 1280,
    intermediate_size: 6784,
    num_hidden_layers: 7,
    num_attention_heads: 10,
    num_key_value_heads: 2,
    vocab_size: 16_384,
  },
  vision: {
    depth: 4,
    hidden_size: 320,
    intermediate_size: 856,
    num_heads: 4,
    fullatt_block_indexes: [3],
  },
};

/** config.json of Qwen2.5-VL-7B-Instruct: 8.3 billion parameters, head and embedding table apart. */
export const sevenBillion: { readonly text: RandomText; readonly vision: RandomVision } = {
  text: {
    hidden_size: 3584,
    intermediate_size: 18_944,
    num_hidden_layers: 28,
    num_attention_heads: 28,
    num_key_value_heads: 4,
    vocab_size: 152_064,
  },
  vision: {
    depth: 32,
    hidden_size: 1280,
    intermediate_size: 3420,
    num_heads: 16,
    fullatt_block_indexes: [7, 15, 23, 31],
  },
};

const copied = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'chat_template.json',
  'preprocessor_config.json',
  'generation_config.json',
];

/** Weights made at once. */
const chunkWeights = 1024 * 1024;

/**
 * Writes the checkpoint in bfloat16 and returns its architecture. Equal options give equal bytes.
 *
 * @throws ReadroomError where the sizes contradict each other; RangeError when the vocabulary is too small
 */
export async function writeRandomCheckpoint(options: RandomCheckpointOptions): Promise<Architecture> {
  const { out, tokenizerFrom, tied = false } = options;
  const original = JSON.parse(await readFile(path.join(tokenizerFrom, 'config.json'), 'utf8')) as unknown;
  const { tokens, text: originalText } = readArchitecture(original);
  const text = { ...sevenBillionRatios.text, ...options.text };
  if (text.vocab_size < originalText.vocab) {
    throw new RangeError(
      `A vocabulary of ${text.vocab_size} is too small for that tokenizer's ${originalText.vocab}`,
    );
  }
  const headDim = text.hidden_size / text.num_attention_heads;
  const half = headDim / 2;
  // 16 : 24 : 24, as the 7B splits its 64 frequencies.
  const section = [
    half - 2 * Math.floor((half * 3) / 8),
    Math.floor((half * 3) / 8),
    Math.floor((half * 3) / 8),
  ];
  const config = {
    architectures: ['Qwen2_5_VLForConditionalGeneration'],
    model_type: 'qwen2_5_vl',
    ...text,
    hidden_act: 'silu',
    max_position_embeddings: 128_000,
    rms_norm_eps: 1e-6,
    rope_theta: 1_000_000,
    rope_scaling: { type: 'mrope', mrope_section: section },
    use_sliding_window: false,
    tie_word_embeddings: tied,
    torch_dtype: 'bfloat16',
    image_token_id: tokens.imagePad,
    video_token_id: tokens.videoPad,
    vision_start_token_id: tokens.visionStart,
    vision_end_token_id: tokens.visionEnd,
    eos_token_id: tokens.endOfText,
    vision_config: {
      ...sevenBillionRatios.vision,
      ...options.vision,
      hidden_act: 'silu',
      in_channels: 3,
      patch_size: 14,
      spatial_merge_size: 2,
      temporal_patch_size: 2,
      window_size: 112,
      out_hidden_size: text.hidden_size,
    },
  };
  const architecture = readArchitecture(config);
  await mkdir(out, { recursive: true });
  await writeFile(path.join(out, 'config.json'), `${JSON.stringify(config, null, 1)}\n`);
  for (const name of copied) {
    const from = path.join(tokenizerFrom, name);
    if (await stat(from).catch(() => null)) await copyFile(from, path.join(out, name));
  }
  const shapes = tensorShapes(architecture);
  await writeShards(out, shapes, options.shardBytes ?? Number.POSITIVE_INFINITY, options.seed ?? 1);
  return architecture;
}

/** Names (older naming) and shapes of every tensor. */
export function tensorShapes({ vision, text }: Architecture): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const linear = (name: string, outFeatures: number, inFeatures: number, bias: boolean) => {
    shapes.set(`${name}.weight`, [outFeatures, inFeatures]);
    if (bias) shapes.set(`${name}.bias`, [outFeatures]);
  };
  const mlp = (prefix: string, size: number, intermediate: number, bias: boolean) => {
    linear(`${prefix}.gate_proj`, intermediate, size, bias);
    linear(`${prefix}.up_proj`, intermediate, size, bias);
    linear(`${prefix}.down_proj`, size, intermediate, bias);
  };
  const { hidden } = vision;
  const patch = [vision.channels, vision.temporalPatchSize, vision.patchSize, vision.patchSize];
  shapes.set('visual.patch_embed.proj.weight', [hidden, ...patch]);
  for (let block = 0; block < vision.depth; block++) {
    const prefix = `visual.blocks.${block}`;
    shapes.set(`${prefix}.norm1.weight`, [hidden]);
    shapes.set(`${prefix}.norm2.weight`, [hidden]);
    linear(`${prefix}.attn.qkv`, 3 * hidden, hidden, true);
    linear(`${prefix}.attn.proj`, hidden, hidden, true);
    mlp(`${prefix}.mlp`, hidden, vision.intermediate, true);
  }
  const merged = hidden * vision.mergeSize ** 2;
  shapes.set('visual.merger.ln_q.weight', [hidden]);
  linear('visual.merger.mlp.0', merged, merged, true);
  linear('visual.merger.mlp.2', vision.outHidden, merged, true);

  shapes.set('model.embed_tokens.weight', [text.vocab, text.hidden]);
  for (let layer = 0; layer < text.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    shapes.set(`${prefix}.input_layernorm.weight`, [text.hidden]);
    shapes.set(`${prefix}.post_attention_layernorm.weight`, [text.hidden]);
    linear(`${prefix}.self_attn.q_proj`, text.heads * text.headDim, text.hidden, true);
    linear(`${prefix}.self_attn.k_proj`, text.kvHeads * text.headDim, text.hidden, true);
    linear(`${prefix}.self_attn.v_proj`, text.kvHeads * text.headDim, text.hidden, true);
    linear(`${prefix}.self_attn.o_proj`, text.hidden, text.heads * text.headDim, false);
    mlp(`${prefix}.mlp`, text.hidden, text.intermediate, false);
  }
  shapes.set('model.norm.weight', [text.hidden]);
  if (!text.tiedEmbeddings) shapes.set('lm_head.weight', [text.vocab, text.hidden]);
  return shapes;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

const elements = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

/** One file, or several with Hugging Face's names and model.safetensors.index.json. */
async function writeShards(out: string, shapes: Shapes, shardBytes: number, seed: number): Promise<void> {
  const shards: Map<string, readonly number[]>[] = [];
  let room = 0;
  for (const [name, shape] of shapes) {
    const bytes = 2 * elements(shape);
    if (shards.length === 0 || bytes > room) {
      shards.push(new Map());
      room = shardBytes;
    }
    shards.at(-1)!.set(name, shape);
    room -= bytes;
  }
  const random = new RandomBits(seed);
  if (shards.length === 1) return writeTensors(path.join(out, 'model.safetensors'), shapes, random);
  const digits = (value: number) => String(value).padStart(5, '0');
  const weightMap: Record<string, string> = {};
  for (const [index, shard] of shards.entries()) {
    const file = `model-${digits(index + 1)}-of-${digits(shards.length)}.safetensors`;
    for (const name of shard.keys()) weightMap[name] = file;
    await writeTensors(path.join(out, file), shard, random);
  }
  const totalSize = [...shapes.values()].reduce((sum, shape) => sum + 2 * elements(shape), 0);
  const index = { metadata: { total_size: totalSize }, weight_map: weightMap };
  await writeFile(path.join(out, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 1)}\n`);
}

async function writeTensors(file: string, shapes: Shapes, random: RandomBits): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const [name, shape] of shapes) {
    const start = end;
    end += 2 * elements(shape);
    header[name] = { dtype: 'BF16', shape, data_offsets: [start, end] };
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(Buffer.concat([length, text]));
    for (const [name, shape] of shapes) {
      const count = elements(shape);
      // Norm gains around 1; weights small enough that activations keep their size from layer to layer.
      const gain = name.includes('norm') || name.includes('ln_q');
      const spread = gain ? 0 : name.endsWith('.bias') ? 0.02 : 1 / Math.sqrt(count / shape[0]!);
      for (let done = 0; done < count; done += chunkWeights) {
        await handle.writeFile(random.bfloat16(Math.min(chunkWeights, count - done), gain ? 1 : 0, spread));
      }
    }
  } finally {
    await handle.close();
  }
}

/** A small, fast generator (xorshift32); the sum of two draws is near enough to a bell. */
class RandomBits {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** `count` bfloat16 numbers of this mean and standard deviation. */
  bfloat16(count: number, mean: number, spread: number): Uint8Array {
    const values = new Float32Array(count);
    let state = this.#state;
    // Two uniforms of 16 bits from one draw; their sum has standard deviation 65536 * sqrt(1/6).
    const scale = spread / (65_536 * Math.sqrt(1 / 6));
    for (let i = 0; i < count; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = mean + ((state & 0xffff) + (state >>> 16) - 65_535) * scale;
    }
    this.#state = state;
    const halves = new Uint16Array(values.buffer);
    const out = new Uint16Array(count);
    for (let i = 0; i < count; i++) out[i] = halves[2 * i + 1]!;
    return new Uint8Array(out.buffer);
  }
}
