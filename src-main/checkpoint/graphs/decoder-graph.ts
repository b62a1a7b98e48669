/**
 * embed.onnx and decoder.onnx (docs/container.md has their inputs and shapes).
 *
 * Source of the behaviour: transformers `Qwen2_5_VLTextModel`. Rotation is outside GroupQueryAttention, because that
 * operator knows one position a token where M-RoPE has three.
 */
import type { TextArchitecture } from '../manifest.ts';
import { blockSize, blocksPerRow, type Encoding, type WeightJob, weightJob } from '../weights/weight-job.ts';
import type { EncodingPolicy } from './encoding-policy.ts';
import { contrib, GraphBuilder } from './graph-builder.ts';
import { Layers } from './layers.ts';
import type { TensorLookup } from './tensor-lookup.ts';

const embeddingTable = 'language_model.embed_tokens.weight';
/** The table has data files of its own: where embeddings are tied, the decoder's head reads the same bytes. */
const embeddingFiles = 'embed';

export function embedGraph(
  text: TextArchitecture,
  tensors: TensorLookup,
  policy: EncodingPolicy,
): GraphBuilder {
  const graph = new GraphBuilder('embed');
  const { vocab, hidden } = text;
  const ids = graph.input('input_ids', 'int64', [1, 'tokens']);
  const tensor = tensors.require(embeddingTable, [vocab, hidden]);
  const source = { tensor, firstRow: 0, rows: vocab, columns: hidden };
  const name = `${embeddingTable}.${policy.embedding}`;
  const job = weightJob(name, source, policy.embedding, embeddingFiles, [vocab, hidden]);
  if (policy.embedding === 'int8') gatherInt8(graph, job, ids, text, policy);
  else graph.node('Gather', [graph.weight(job)[0]!, ids], { outputs: ['inputs_embeds'] });
  graph.output('inputs_embeds', policy.activation, [1, 'tokens', hidden]);
  return graph;
}

/** Looks rows up in blocks of int8: only those that are asked for are made floats. Makes `inputs_embeds`. */
function gatherInt8(
  graph: GraphBuilder,
  job: WeightJob,
  ids: string,
  { vocab, hidden }: TextArchitecture,
  policy: EncodingPolicy,
): void {
  const padded = blocksPerRow(hidden) * blockSize;
  // Shared with a tied head of int8, the same bytes are [vocab, blocks, 32] there. A Reshape in the graph would be folded
  // into a copy of the whole table; this way it stays in its file's mapping.
  const [packed, ...others] = job.outputs;
  const [flat, scales] = graph.weight({
    ...job,
    outputs: [{ ...packed!, dims: [vocab, padded] }, ...others],
  });
  const rows = graph.node('GatherBlockQuantized', [flat!, ids, scales!], {
    domain: contrib,
    attributes: {
      bits: { int: 8 },
      block_size: { int: blockSize },
      gather_axis: { int: 0 },
      quantize_axis: { int: 1 },
    },
  });
  const cut =
    padded === hidden
      ? rows
      : graph.node('Slice', [rows, graph.ints([0]), graph.ints([hidden]), graph.ints([2])]);
  graph.cast(cut, policy.activation, 'inputs_embeds');
}

/**
 * Where the engine keeps keys and values. 'host': in its own memory, and new rows are all that it asks for; 'device': with
 * the provider, as `present.*`.
 */
export type CachePlace = 'host' | 'device';

export function decoderGraph(
  text: TextArchitecture,
  tensors: TensorLookup,
  policy: EncodingPolicy,
  cache: CachePlace = 'device',
): GraphBuilder {
  const graph = new GraphBuilder(cache === 'host' ? 'decoder-host' : 'decoder');
  const layers = new Layers(graph, tensors, {
    activation: policy.activation,
    fileBase: 'decoder',
    normEps: text.rmsNormEps,
  });
  const { hidden } = text;
  const embeds = graph.input('inputs_embeds', policy.activation, [1, 'tokens', hidden]);
  for (const name of ['rope_cos', 'rope_sin']) {
    graph.input(name, policy.activation, ['tokens', text.headDim / 2]);
  }
  graph.input('seqlens_k', 'int32', [1]);
  graph.input('total_sequence_length', 'int32', []);
  const wanted = graph.input('logits_rows', 'int64', ['logits_rows']);
  const single = cache === 'host' ? declareSingle(graph) : undefined;
  const onlyWanted = (x: string) => graph.node('Gather', [x, wanted], { attributes: { axis: { int: 0 } } });

  let residual = layers.toFloat32(graph.reshape(embeds, [-1, hidden]));
  let normed = layers.norm(residual, 'language_model.layers.0.input_layernorm.weight', hidden);
  for (let layer = 0; layer < text.layers; layer++) {
    const prefix = `language_model.layers.${layer}`;
    const last = layer === text.layers - 1;
    let mixed = attention(layers, text, policy, layer, normed, single);
    if (last) {
      // Nothing after the last attention mixes rows: only those whose logits are wanted go on.
      mixed = onlyWanted(mixed);
      residual = onlyWanted(residual);
    }
    const attended = layers.linear(mixed, {
      weight: `${prefix}.self_attn.o_proj.weight`,
      encoding: policy.output,
      inFeatures: text.heads * text.headDim,
      outFeatures: hidden,
    });
    const gain = `${prefix}.post_attention_layernorm.weight`;
    const middle = layers.addAndNorm(residual, layers.toFloat32(attended), gain, hidden);
    const mlp = layers.gatedMlp(middle.normed, {
      prefix: `${prefix}.mlp`,
      size: hidden,
      intermediate: text.intermediate,
      bias: false,
      encoding: policy.decoder,
      downEncoding: policy.output,
    });
    const nextGain = last
      ? 'language_model.norm.weight'
      : `language_model.layers.${layer + 1}.input_layernorm.weight`;
    const next = layers.addAndNorm(middle.sum, layers.toFloat32(mlp), nextGain, hidden);
    residual = next.sum;
    normed = next.normed;
  }
  head(layers, text, policy, normed);
  return graph;
}

function head(layers: Layers, text: TextArchitecture, policy: EncodingPolicy, normed: string): void {
  const { graph } = layers;
  const half = policy.activation === 'float16';
  const logits = layers.linear(
    normed,
    {
      weight: text.tiedEmbeddings ? embeddingTable : 'lm_head.weight',
      encoding: policy.head,
      inFeatures: text.hidden,
      outFeatures: text.vocab,
      fileBase: text.tiedEmbeddings && policy.head === policy.embedding ? embeddingFiles : undefined,
    },
    half ? undefined : 'logits',
  );
  if (half) graph.cast(logits, 'float32', 'logits');
  graph.output('logits', 'float32', ['logits_rows', text.vocab]);
}

/** [S, hidden] -> [S, heads * headDim]: projections, rotation, grouped attention over past and new rows. */
function attention(
  layers: Layers,
  text: TextArchitecture,
  policy: EncodingPolicy,
  layer: number,
  normed: string,
  single: SingleRow | undefined,
): string {
  const { graph } = layers;
  const { hidden, heads, kvHeads, headDim } = text;
  const type = policy.activation;
  const project = (name: string, encoding: Encoding, outFeatures: number, output?: string) => {
    const rows = layers.linear(normed, {
      weight: `language_model.layers.${layer}.self_attn.${name}.weight`,
      bias: `language_model.layers.${layer}.self_attn.${name}.bias`,
      encoding,
      inFeatures: hidden,
      outFeatures,
    });
    return graph.reshape(rows, [1, -1, outFeatures], output);
  };
  const past = (what: string) =>
    graph.input(`past_key_values.${layer}.${what}`, type, [1, kvHeads, 'past_buffer', headDim]);
  const newKey = `new_key_values.${layer}.key`;
  const newValue = `new_key_values.${layer}.value`;
  const query = layers.rotate(project('q_proj', policy.decoder, heads * headDim), 'rope_cos', 'rope_sin');
  const key = layers.rotate(
    project('k_proj', policy.keyValue, kvHeads * headDim),
    'rope_cos',
    'rope_sin',
    newKey,
  );
  const value = project('v_proj', policy.keyValue, kvHeads * headDim, newValue);
  const presents = [`present.${layer}.key`, `present.${layer}.value`];
  const inputs = { query, key, value, past: [past('key'), past('value')] };
  for (const name of [newKey, newValue]) graph.output(name, type, [1, 'tokens', kvHeads * headDim]);
  if (single) {
    return graph.either(
      single.isSingle,
      { type, shape: ['tokens', heads * headDim] },
      () => singleRowAttention(graph, text, inputs, single),
      () => graph.reshape(groupedAttention(graph, text, inputs, presents), [-1, heads * headDim]),
    );
  }
  const mixed = groupedAttention(graph, text, inputs, presents);
  for (const what of ['key', 'value']) {
    graph.output(`present.${layer}.${what}`, type, [1, kvHeads, 'present_buffer', headDim]);
  }
  return graph.reshape(mixed, [-1, heads * headDim]);
}

/** GroupQueryAttention takes heads whose size is a multiple of this. */
const headMultiple = 8;

interface AttentionInputs {
  /** [1, S, heads * headDim] */
  readonly query: string;
  /** [1, S, kvHeads * headDim] each */
  readonly key: string;
  readonly value: string;
  /** [1, kvHeads, P, headDim]: keys, values */
  readonly past: readonly string[];
}

/** Attention of the new rows over past and new ones; also makes the named `presents`. Heads of odd sizes are filled up
 * with zeros, which add nothing to a score and nothing to a mean, and cut off again: the cache never sees them. */
function groupedAttention(
  graph: GraphBuilder,
  text: TextArchitecture,
  { query, key, value, past }: AttentionInputs,
  presents: readonly string[],
): string {
  const { heads, kvHeads, headDim } = text;
  const missing = (headMultiple - (headDim % headMultiple)) % headMultiple;
  const pad = (x: string) => graph.node('Pad', [x, graph.ints([0, missing]), '', graph.ints([3])]);
  const widen = (x: string, count: number) => {
    if (missing === 0) return x;
    return graph.reshape(pad(graph.reshape(x, [1, -1, count, headDim])), [
      1,
      -1,
      count * (headDim + missing),
    ]);
  };
  const cut = (x: string, output?: string) =>
    graph.node('Slice', [x, graph.ints([0]), graph.ints([headDim]), graph.ints([3])], {
      outputs: output === undefined ? undefined : [output],
    });
  const wide = missing === 0 ? presents : presents.map((name) => `${name}.wide`);
  const mixed = graph.node(
    'GroupQueryAttention',
    [
      widen(query, heads),
      widen(key, kvHeads),
      widen(value, kvHeads),
      ...past.map((x) => (missing === 0 ? x : pad(x))),
      'seqlens_k',
      'total_sequence_length',
    ],
    {
      domain: contrib,
      attributes: {
        num_heads: { int: heads },
        kv_num_heads: { int: kvHeads },
        do_rotary: { int: 0 },
        ...(missing === 0 ? {} : { scale: { float: 1 / Math.sqrt(headDim) } }),
      },
      outputs: [`${presents[0]}.mixed`, ...wide],
    },
  );
  if (missing === 0) return mixed;
  presents.forEach((name, i) => {
    cut(wide[i]!, name);
  });
  return cut(graph.reshape(mixed, [1, -1, heads, headDim + missing]));
}

/** What the attention of a single row needs to know, once for all layers. */
interface SingleRow {
  /** Bool []: the run is of one row, and there is a past. */
  readonly isSingle: string;
  /** [P]: 0 for rows of the past buffer that hold a past, -large for padding. */
  readonly bias: string;
}

/** As in the vision tower: gives exactly 0 after the softmax. */
const maskedScore = -60_000;

function declareSingle(graph: GraphBuilder): SingleRow {
  const scalar = (vector: string) => graph.node('Squeeze', [vector, graph.ints([0])]);
  const rows = graph.size('inputs_embeds', 1);
  const room = graph.size('past_key_values.0.key', 2);
  const one = graph.node('Equal', [rows, graph.ints([1])]);
  const isSingle = scalar(graph.node('And', [one, graph.node('Greater', [room, graph.ints([0])])]));
  const slots = graph.node('Range', [scalar(graph.ints([0])), scalar(room), scalar(graph.ints([1]))]);
  // With a single new row its index is the length of the past.
  const padding = graph.node('GreaterOrEqual', [slots, graph.cast('seqlens_k', 'int64')]);
  const large = graph.cast(graph.ints([maskedScore]), 'float32');
  return { isSingle, bias: graph.node('Mul', [graph.cast(padding, 'float32'), large]) };
}

/**
 * Attention of one new row, [1, heads * headDim]. GroupQueryAttention copies the whole cache into its `present` output
 * before it reads it, which for a single row costs as much as the attention; here the past is read where it lies, and
 * the new row joins as one more column of the scores.
 */
function singleRowAttention(
  graph: GraphBuilder,
  { heads, kvHeads, headDim }: TextArchitecture,
  { query, key, value, past }: AttentionInputs,
  { bias }: SingleRow,
): string {
  const scores = (a: string, b: string) =>
    graph.node('FusedMatMul', [a, b], {
      domain: contrib,
      attributes: { transB: { int: 1 }, alpha: { float: 1 / Math.sqrt(headDim) } },
    });
  const columns = (x: string, from: number, to: number) =>
    graph.node('Slice', [x, graph.ints([from]), graph.ints([to]), graph.ints([2])]);
  // Query heads of one key head lie together: [kvHeads, heads / kvHeads, headDim].
  const queries = graph.reshape(query, [kvHeads, heads / kvHeads, headDim]);
  const [pastKeys, pastValues] = past.map((x) => graph.reshape(x, [kvHeads, -1, headDim]));
  const newKey = graph.reshape(key, [kvHeads, 1, headDim]);
  const newValue = graph.reshape(value, [kvHeads, 1, headDim]);
  // Keys times queries reads the long operand once and in order; queries times keys would pack it first.
  const perm = { perm: { ints: [0, 2, 1] } };
  const ofPast = graph.node('Transpose', [scores(pastKeys!, queries)], { attributes: perm });
  const all = graph.node('Concat', [graph.node('Add', [ofPast, bias]), scores(queries, newKey)], {
    attributes: { axis: { int: 2 } },
  });
  const weights = graph.node('Softmax', [all], { attributes: { axis: { int: -1 } } });
  const mixed = graph.node('Add', [
    graph.node('MatMul', [columns(weights, 0, -1), pastValues!]),
    graph.node('MatMul', [columns(weights, -1, Number.MAX_SAFE_INTEGER), newValue]),
  ]);
  return graph.reshape(mixed, [1, heads * headDim]);
}
