/**
 * vision.onnx: pixel_values -> image_features (docs/container.md has its inputs and shapes).
 *
 * Source of the behaviour: transformers `Qwen2_5_VisionTransformerPretrainedModel`.
 */
import type { VisionArchitecture } from '../manifest.ts';
import type { EncodingPolicy } from './encoding-policy.ts';
import { contrib, GraphBuilder } from './graph-builder.ts';
import { Layers } from './layers.ts';
import type { TensorLookup } from './tensor-lookup.ts';

/** Fixed in the reference's code, not in config.json. */
const normEps = 1e-6;

/** Shapes and tables that all blocks of one graph share. */
interface Tables {
  readonly cos: string;
  readonly sin: string;
  readonly gather: string;
  readonly scatter: string;
  /** [N*W, 1, M, M] */
  readonly bias: string;
  /** Shape vectors. */
  readonly perImage: string;
  readonly perWindow: string;
  readonly windowsOfImage: string;
}

export function visionGraph(
  vision: VisionArchitecture,
  tensors: TensorLookup,
  policy: EncodingPolicy,
): GraphBuilder {
  const graph = new GraphBuilder('vision');
  const layers = new Layers(graph, tensors, { activation: policy.activation, fileBase: 'vision', normEps });
  const { hidden, patchSize, temporalPatchSize, channels, mergeSize } = vision;
  const patchFeatures = channels * temporalPatchSize * patchSize * patchSize;
  const pixels = graph.input('pixel_values', policy.activation, ['all_patches', patchFeatures]);
  const tables = declareTables(graph, vision, policy, pixels);

  const embedded = layers.linear(pixels, {
    weight: 'visual.patch_embed.proj.weight',
    encoding: policy.patchEmbedding,
    outFeatures: hidden,
    inFeatures: patchFeatures,
    checkpointShape: [hidden, channels, temporalPatchSize, patchSize, patchSize],
  });
  let residual = layers.toFloat32(embedded);
  let normed = layers.norm(residual, 'visual.blocks.0.norm1.weight', hidden);
  for (let block = 0; block < vision.depth; block++) {
    const prefix = `visual.blocks.${block}`;
    const attended = layers.toFloat32(attention(layers, vision, policy, tables, block, normed));
    const middle = layers.addAndNorm(residual, attended, `${prefix}.norm2.weight`, hidden);
    const mlp = layers.gatedMlp(middle.normed, {
      prefix: `${prefix}.mlp`,
      size: hidden,
      intermediate: vision.intermediate,
      bias: true,
      encoding: policy.vision,
      downEncoding: policy.vision,
    });
    const last = block === vision.depth - 1;
    const gain = last ? 'visual.merger.ln_q.weight' : `visual.blocks.${block + 1}.norm1.weight`;
    const next = layers.addAndNorm(middle.sum, layers.toFloat32(mlp), gain, hidden);
    residual = next.sum;
    normed = next.normed;
  }
  merger(layers, vision, policy, normed);
  graph.output('image_features', policy.activation, [`all_patches / ${mergeSize ** 2}`, vision.outHidden]);
  return graph;
}

function declareTables(
  graph: GraphBuilder,
  vision: VisionArchitecture,
  policy: EncodingPolicy,
  pixels: string,
): Tables {
  const half = vision.headDim / 2;
  const cos = graph.input('rotary_cos', policy.activation, ['patches', half]);
  const sin = graph.input('rotary_sin', policy.activation, ['patches', half]);
  const gather = graph.input('window_gather', 'int64', ['window_slots']);
  const scatter = graph.input('window_scatter', 'int64', ['patches']);
  const windowBias = graph.input('window_bias', policy.activation, ['windows', 1, 'window', 'window']);

  const rest = graph.ints([-1]);
  const width = graph.ints([vision.hidden]);
  const one = graph.ints([1]);
  const patches = graph.size(cos, 0);
  const images = graph.node('Div', [graph.size(pixels, 0), patches]);
  const window = graph.size(windowBias, 2);
  // The table of one image, once for every image: [W,1,M,M] -> [1,W,1,M,M] -> [N,W,1,M,M] -> [N*W,1,M,M].
  const lifted = graph.node('Unsqueeze', [windowBias, graph.ints([0])]);
  const repeated = graph.node('Expand', [lifted, graph.shape([images, one, one, one, one])]);
  return {
    cos,
    sin,
    gather,
    scatter,
    bias: graph.node('Reshape', [repeated, graph.shape([rest, one, window, window])]),
    perImage: graph.shape([rest, patches, width]),
    perWindow: graph.shape([rest, window, width]),
    windowsOfImage: graph.shape([rest, graph.size(gather, 0), width]),
  };
}

/** [N*L, hidden] -> [N*L, hidden], within windows or over whole images. */
function attention(
  layers: Layers,
  vision: VisionArchitecture,
  policy: EncodingPolicy,
  tables: Tables,
  block: number,
  normed: string,
): string {
  const { graph } = layers;
  const { hidden } = vision;
  const project = (part: number) => {
    const rows = layers.linear(normed, {
      weight: `visual.blocks.${block}.attn.qkv.weight`,
      bias: `visual.blocks.${block}.attn.qkv.bias`,
      encoding: policy.vision,
      inFeatures: hidden,
      outFeatures: hidden,
      firstRow: part * hidden,
      tensorRows: 3 * hidden,
    });
    return graph.node('Reshape', [rows, tables.perImage]);
  };
  const query = layers.rotate(project(0), tables.cos, tables.sin);
  const key = layers.rotate(project(1), tables.cos, tables.sin);
  const value = project(2);
  const attend = (q: string, k: string, v: string, mask: readonly string[]) =>
    graph.node('MultiHeadAttention', [q, k, v, ...mask], {
      domain: contrib,
      attributes: { num_heads: { int: vision.heads } },
    });
  let attended: string;
  if (vision.fullAttentionBlocks.includes(block)) {
    attended = attend(query, key, value, []);
  } else {
    const toWindows = (x: string) => {
      const slots = graph.node('Gather', [x, tables.gather], { attributes: { axis: { int: 1 } } });
      return graph.node('Reshape', [slots, tables.perWindow]);
    };
    const windows = attend(toWindows(query), toWindows(key), toWindows(value), ['', '', tables.bias]);
    const slots = graph.node('Reshape', [windows, tables.windowsOfImage]);
    attended = graph.node('Gather', [slots, tables.scatter], { attributes: { axis: { int: 1 } } });
  }
  return layers.linear(graph.reshape(attended, [-1, hidden]), {
    weight: `visual.blocks.${block}.attn.proj.weight`,
    bias: `visual.blocks.${block}.attn.proj.bias`,
    encoding: policy.vision,
    inFeatures: hidden,
    outFeatures: hidden,
  });
}

/** Joins the patches of each merge block and projects to the decoder's width. */
function merger(layers: Layers, vision: VisionArchitecture, policy: EncodingPolicy, normed: string): void {
  const { graph } = layers;
  const width = vision.hidden * vision.mergeSize ** 2;
  const project = (index: number, x: string, outFeatures: number, output?: string) =>
    layers.linear(
      x,
      {
        weight: `visual.merger.mlp.${index}.weight`,
        bias: `visual.merger.mlp.${index}.bias`,
        encoding: policy.vision,
        inFeatures: width,
        outFeatures,
      },
      output,
    );
  const inner = project(0, graph.reshape(normed, [-1, width]), width);
  const activated = graph.node('Gelu', [inner], { domain: contrib });
  project(2, activated, vision.outHidden, 'image_features');
}
