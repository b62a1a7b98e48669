/**
 * The same weights as graphs in the layout that @huggingface/transformers loads: embed_tokens, vision_encoder and
 * decoder_model_merged, with its names of inputs and outputs. The operators are those of our own graphs (grouped
 * attention, the same matrix products on the same bytes, logits of the last position only), so that what is compared is
 * how the two drive ONNX Runtime, not how well somebody exported a graph.
 *
 * Differences that the layout asks for: positions arrive as ids and are turned into angles in the graph; the mask arrives
 * as ones; keys and values go in and out whole (`past_key_values.*` -> `present.*`), as long as the sequence.
 */
import { copyFile, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decoderGraph, embedGraph } from '../src-main/checkpoint/graphs/decoder-graph.ts';
import { type EncodingPolicy, encodingPolicy } from '../src-main/checkpoint/graphs/encoding-policy.ts';
import { contrib, GraphBuilder } from '../src-main/checkpoint/graphs/graph-builder.ts';
import { Layers } from '../src-main/checkpoint/graphs/layers.ts';
import type { TensorLookup } from '../src-main/checkpoint/graphs/tensor-lookup.ts';
import { visionGraph } from '../src-main/checkpoint/graphs/vision-graph.ts';
import type { TextArchitecture, VisionArchitecture } from '../src-main/checkpoint/manifest.ts';
import {
  encodeModel,
  inlineTensor,
  type ModelProto,
  valueInfo,
} from '../src-main/checkpoint/onnx/model-proto.ts';
import { CheckpointFolder } from '../src-main/checkpoint/source/checkpoint-folder.ts';
import { CheckpointTensors } from '../src-main/checkpoint/source/checkpoint-tensors.ts';
import { NamedTensors } from '../src-main/checkpoint/source/named-tensors.ts';
import { readManifest } from '../src-main/checkpoint/verify.ts';
import { planData } from '../src-main/checkpoint/weights/data-plan.ts';
import { visionLayout } from '../src-main/engine/vision/vision-layout.ts';

export interface PeerOptions {
  /** The checkpoint. */
  readonly source: string;
  /** Our container of it, whose data files the peer's graphs read too. */
  readonly container: string;
  /** Made anew. */
  readonly out: string;
  /** The only patch grid that the peer's vision graph knows. */
  readonly grid: { readonly height: number; readonly width: number };
}

/** Writes a model folder for `from_pretrained`; weights are hard links to the container's files. */
export async function writePeerModel({ source, container, out, grid }: PeerOptions): Promise<void> {
  const { architecture, precision, files } = await readManifest(container);
  const { text, vision } = architecture;
  const folder = await CheckpointFolder.open(source);
  const tensors = await CheckpointTensors.open(folder);
  try {
    const named = new NamedTensors(tensors);
    const policy = encodingPolicy(precision, text);
    const visionBuilder = visionGraph(vision, named, policy);
    const embedBuilder = embedGraph(text, named, policy);
    // Laid out exactly as the converter did, which is what makes its data files fit.
    const ours = [visionBuilder, embedBuilder, decoderGraph(text, named, policy)];
    const { places } = planData(ours.flatMap(({ jobs }) => jobs));
    const models: Record<string, ModelProto> = {
      embed_tokens: embedBuilder.build(places),
      vision_encoder: withFixedGrid(visionBuilder.build(places), vision, grid),
      decoder_model_merged: peerDecoderGraph(text, named, policy).build(places),
    };
    await rm(out, { recursive: true, force: true });
    await mkdir(join(out, 'onnx'), { recursive: true });
    for (const [name, model] of Object.entries(models)) {
      await writeFile(join(out, 'onnx', `${name}.onnx`), encodeModel(model));
    }
    for (const { name } of files.filter((file) => file.name.endsWith('.bin'))) {
      await link(join(container, name), join(out, 'onnx', name));
    }
    const processor = 'preprocessor_config.json';
    await copyFile(join(source, processor), join(out, processor));
    const config = JSON.parse(await readFile(join(source, 'config.json'), 'utf8')) as Record<string, unknown>;
    // Newer configs have the decoder's fields under text_config, and that is where the library looks.
    const textConfig = config.text_config ?? { ...config, model_type: 'qwen2_5_vl_text' };
    await writeFile(join(out, 'config.json'), JSON.stringify({ ...config, text_config: textConfig }));
  } finally {
    await tensors.close();
  }
}

/**
 * The library hands over `pixel_values` and `image_grid_thw` and leaves window tables and rotations to the graph. Here
 * they are constants of one grid, which costs nothing at run time and is all that a study of equal slices needs.
 */
function withFixedGrid(model: ModelProto, vision: VisionArchitecture, grid: PeerOptions['grid']): ModelProto {
  const layout = visionLayout(vision, grid.height, grid.width);
  const { windows, windowSlots, patches } = layout;
  const rows = [patches, vision.headDim / 2];
  const constants = [
    inlineTensor('rotary_cos', 'float32', rows, layout.rotaryCos),
    inlineTensor('rotary_sin', 'float32', rows, layout.rotarySin),
    inlineTensor('window_gather', 'int64', [windows * windowSlots], layout.windowGather),
    inlineTensor('window_scatter', 'int64', [patches], layout.windowScatter),
    inlineTensor('window_bias', 'float32', [windows, 1, windowSlots, windowSlots], layout.windowBias),
  ];
  const { graph } = model;
  return {
    ...model,
    graph: {
      ...graph,
      input: [graph.input[0]!, valueInfo('image_grid_thw', 'int64', ['images', 3])],
      initializer: [...graph.initializer, ...constants],
    },
  };
}

function peerDecoderGraph(
  text: TextArchitecture,
  tensors: TensorLookup,
  policy: EncodingPolicy,
): GraphBuilder {
  const graph = new GraphBuilder('decoder');
  const layers = new Layers(graph, tensors, {
    activation: policy.activation,
    fileBase: 'decoder',
    normEps: text.rmsNormEps,
  });
  const { hidden, vocab } = text;
  const embeds = graph.input('inputs_embeds', policy.activation, [1, 'sequence_length', hidden]);
  const shared = { ...lengths(graph), ...rotation(graph, text) };
  let residual = graph.reshape(embeds, [-1, hidden]);
  let normed = layers.norm(residual, 'language_model.layers.0.input_layernorm.weight', hidden);
  for (let layer = 0; layer < text.layers; layer++) {
    const prefix = `language_model.layers.${layer}`;
    const attended = layers.linear(attention(layers, text, policy, layer, normed, shared), {
      weight: `${prefix}.self_attn.o_proj.weight`,
      encoding: policy.output,
      inFeatures: text.heads * text.headDim,
      outFeatures: hidden,
    });
    const middle = layers.addAndNorm(residual, attended, `${prefix}.post_attention_layernorm.weight`, hidden);
    const mlp = layers.gatedMlp(middle.normed, {
      prefix: `${prefix}.mlp`,
      size: hidden,
      intermediate: text.intermediate,
      bias: false,
      encoding: policy.decoder,
      downEncoding: policy.output,
    });
    const following = `language_model.layers.${layer + 1}.input_layernorm.weight`;
    const gain = layer === text.layers - 1 ? 'language_model.norm.weight' : following;
    const next = layers.addAndNorm(middle.sum, mlp, gain, hidden);
    residual = next.sum;
    normed = next.normed;
  }
  const logits = layers.linear(lastRows(graph, normed), {
    weight: text.tiedEmbeddings ? 'language_model.embed_tokens.weight' : 'lm_head.weight',
    encoding: policy.head,
    inFeatures: hidden,
    outFeatures: vocab,
    fileBase: text.tiedEmbeddings && policy.head === policy.embedding ? 'embed' : undefined,
  });
  graph.reshape(logits, [1, -1, vocab], 'logits');
  graph.output('logits', 'float32', [1, 'logits_rows', vocab]);
  return graph;
}

/** The last `num_logits_to_keep` rows: what the library asks for while it generates. */
function lastRows(graph: GraphBuilder, rows: string): string {
  const wanted = graph.input('num_logits_to_keep', 'int64', []);
  const start = graph.node('Neg', [graph.reshape(wanted, [1])]);
  return graph.node('Slice', [rows, start, graph.ints([Number.MAX_SAFE_INTEGER]), graph.ints([0])]);
}

/** From the mask of ones: what GroupQueryAttention wants to know of lengths. */
function lengths(graph: GraphBuilder): { lastIndex: string; total: string } {
  const mask = graph.input('attention_mask', 'int64', [1, 'total_sequence_length']);
  const ones = graph.node('ReduceSum', [mask, graph.ints([1])], { attributes: { keepdims: { int: 0 } } });
  const lastIndex = graph.cast(graph.node('Sub', [ones, graph.ints([1])]), 'int32');
  const size = graph.node('Squeeze', [graph.size(mask, 1), graph.ints([0])]);
  return { lastIndex, total: graph.cast(size, 'int32') };
}

/** Rows of cosines and sines [S, headDim/2] from `position_ids` [3, 1, S], section by section. */
function rotation(graph: GraphBuilder, text: TextArchitecture): { cos: string; sin: string } {
  const half = text.headDim / 2;
  const ids = graph.input('position_ids', 'int64', [3, 1, 'sequence_length']);
  const axisOf = text.mropeSection.flatMap((count, axis) => new Array<number>(count).fill(axis));
  const positions = graph.cast(graph.reshape(ids, [3, -1]), 'float32');
  const perFrequency = graph.node('Gather', [positions, graph.ints(axisOf)], {
    attributes: { axis: { int: 0 } },
  });
  const rows = graph.node('Transpose', [perFrequency], { attributes: { perm: { ints: [1, 0] } } });
  const floats = (values: readonly number[]) => graph.cast(graph.ints(values), 'float32');
  // theta ^ (-2i / headDim); made of integers, and folded into a constant when the graph is loaded.
  const doubled = floats(Array.from({ length: half }, (_, i) => -2 * i));
  const exponents = graph.node('Div', [doubled, floats([text.headDim])]);
  const frequencies = graph.node('Pow', [floats([text.ropeTheta]), exponents]);
  const angles = graph.node('Mul', [rows, frequencies]);
  return { cos: graph.node('Cos', [angles]), sin: graph.node('Sin', [angles]) };
}

function attention(
  layers: Layers,
  text: TextArchitecture,
  policy: EncodingPolicy,
  layer: number,
  normed: string,
  shared: ReturnType<typeof lengths> & ReturnType<typeof rotation>,
): string {
  const { graph } = layers;
  const { hidden, heads, kvHeads, headDim } = text;
  const project = (name: 'q_proj' | 'k_proj' | 'v_proj', outFeatures: number) => {
    const rows = layers.linear(normed, {
      weight: `language_model.layers.${layer}.self_attn.${name}.weight`,
      bias: `language_model.layers.${layer}.self_attn.${name}.bias`,
      encoding: name === 'q_proj' ? policy.decoder : policy.keyValue,
      inFeatures: hidden,
      outFeatures,
    });
    return graph.reshape(rows, [1, -1, outFeatures]);
  };
  const query = layers.rotate(project('q_proj', heads * headDim), shared.cos, shared.sin);
  const key = layers.rotate(project('k_proj', kvHeads * headDim), shared.cos, shared.sin);
  const value = project('v_proj', kvHeads * headDim);
  const past = ['key', 'value'].map((what) =>
    graph.input(`past_key_values.${layer}.${what}`, policy.activation, [
      1,
      kvHeads,
      'past_sequence_length',
      headDim,
    ]),
  );
  const presents = ['key', 'value'].map((what) => `present.${layer}.${what}`);
  const mixed = graph.node(
    'GroupQueryAttention',
    [query, key, value, ...past, shared.lastIndex, shared.total],
    {
      domain: contrib,
      attributes: { num_heads: { int: heads }, kv_num_heads: { int: kvHeads }, do_rotary: { int: 0 } },
      outputs: [`attention.${layer}`, ...presents],
    },
  );
  for (const name of presents) {
    graph.output(name, policy.activation, [1, kvHeads, 'total_sequence_length', headDim]);
  }
  return graph.reshape(mixed, [-1, heads * headDim]);
}
