/**
 * The layers that the vision tower and the decoder share. Activations are 2-D [rows, features]; a Hugging Face weight
 * is [out, in], which Gemm(transB=1) and MatMulNBits read as it is, so nothing is ever transposed.
 *
 * In float16 containers the residual stream and the norms stay float32: single activations of trained Qwen2.5 models
 * come near float16's largest value, and the casts cost next to nothing beside the matrix products.
 */
import type { Activation } from '../manifest.ts';
import { blockSize, type Encoding, type SourceRows, weightJob } from '../weights/weight-job.ts';
import { contrib, type GraphBuilder } from './graph-builder.ts';
import type { TensorLookup } from './tensor-lookup.ts';

/** Works on int8-quantised activations: twice as fast on CPUs as exact ones. Other providers ignore it. */
const accuracyLevel = 4;

export interface LayerOptions {
  readonly activation: Activation;
  /** Base name of the data files for the weights. */
  readonly fileBase: string;
  readonly normEps: number;
}

interface LinearSpec {
  readonly weight: string;
  readonly bias?: string;
  readonly encoding: Encoding;
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** First row of the weight (and bias) to use, where one tensor holds several projections. */
  readonly firstRow?: number;
  /** Rows that the tensor has in all; `outFeatures` where absent. */
  readonly tensorRows?: number;
  /** Shape in the checkpoint where it isn't [out, in]: a convolution whose kernel is its stride. */
  readonly checkpointShape?: readonly number[];
  readonly fileBase?: string;
}

export class Layers {
  readonly graph: GraphBuilder;
  readonly options: LayerOptions;
  readonly #tensors: TensorLookup;

  constructor(graph: GraphBuilder, tensors: TensorLookup, options: LayerOptions) {
    this.graph = graph;
    this.#tensors = tensors;
    this.options = options;
  }

  /** float32 for sums and norms -> the graph's activation type. */
  toActivation(value: string): string {
    return this.options.activation === 'float16' ? this.graph.cast(value, 'float16') : value;
  }

  /** The graph's activation type -> float32. */
  toFloat32(value: string, output?: string): string {
    if (this.options.activation === 'float16') return this.graph.cast(value, 'float32', output);
    return output === undefined ? value : this.graph.node('Identity', [value], { outputs: [output] });
  }

  /** [rows, in] -> [rows, out]. */
  linear(x: string, spec: LinearSpec, output?: string): string {
    const { outFeatures, inFeatures, firstRow = 0, encoding } = spec;
    const tensorRows = spec.tensorRows ?? outFeatures;
    const tensor = this.#tensors.require(spec.weight, spec.checkpointShape ?? [tensorRows, inFeatures]);
    const part = tensorRows === outFeatures ? '' : `.${firstRow}`;
    const source = { tensor, firstRow, rows: outFeatures, columns: inFeatures };
    const fileBase = spec.fileBase ?? this.options.fileBase;
    const dims = [outFeatures, inFeatures];
    const weights = this.graph.weight(
      weightJob(`${spec.weight}${part}.${encoding}`, source, encoding, fileBase, dims),
    );
    const bias =
      spec.bias === undefined ? [] : [this.#biasOf(spec.bias, part, firstRow, outFeatures, tensorRows)];
    const outputs = output === undefined ? undefined : [output];
    if (encoding === 'float32' || encoding === 'float16') {
      return this.graph.node('Gemm', [x, weights[0]!, ...bias], {
        attributes: { transB: { int: 1 } },
        outputs,
      });
    }
    const [packed, scales, ...zeros] = weights as [string, string, ...string[]];
    // Scales have the activations' type; ONNX Runtime folds the cast into a constant when it loads the graph.
    const cast = this.options.activation === 'float16' ? scales : this.graph.cast(scales, 'float32');
    const product = this.graph.node('MatMulNBits', [x, packed, cast, ...zeros], {
      domain: contrib,
      attributes: {
        K: { int: inFeatures },
        N: { int: outFeatures },
        bits: { int: encoding === 'int4' ? 4 : 8 },
        block_size: { int: blockSize },
        accuracy_level: { int: accuracyLevel },
      },
      outputs: bias.length === 0 ? outputs : undefined,
    });
    return bias.length === 0 ? product : this.graph.node('Add', [product, bias[0]!], { outputs });
  }

  #biasOf(name: string, part: string, firstRow: number, size: number, tensorSize: number): string {
    const tensor = this.#tensors.require(name, [tensorSize]);
    // A bias is a column of single numbers, so that a part of it is a range of rows.
    const source: SourceRows = { tensor, firstRow, rows: size, columns: 1 };
    const encoding = this.options.activation;
    const job = weightJob(`${name}${part}.${encoding}`, source, encoding, this.options.fileBase, [size]);
    return this.graph.weight(job)[0]!;
  }

  #gain(name: string, size: number): string {
    const source = { tensor: this.#tensors.require(name, [size]), firstRow: 0, rows: size, columns: 1 };
    return this.graph.weight(weightJob(name, source, 'float32', this.options.fileBase, [size]))[0]!;
  }

  /** RMSNorm of float32 [rows, size], in the activation type. */
  norm(x: string, gain: string, size: number): string {
    const attributes = {
      epsilon: { float: this.options.normEps },
      axis: { int: -1 },
      stash_type: { int: 1 },
    };
    return this.toActivation(
      this.graph.node('SimplifiedLayerNormalization', [x, this.#gain(gain, size)], { attributes }),
    );
  }

  /** residual + branch (both float32), and its RMSNorm in the activation type. */
  addAndNorm(residual: string, branch: string, gain: string, size: number): { sum: string; normed: string } {
    const sum = `${gain}.sum`;
    const normed = this.graph.node(
      'SkipSimplifiedLayerNormalization',
      [branch, residual, this.#gain(gain, size)],
      {
        domain: contrib,
        attributes: { epsilon: { float: this.options.normEps } },
        outputs: [`${gain}.normed`, '', '', sum],
      },
    );
    return { sum, normed: this.toActivation(normed) };
  }

  /** down(silu(gate(x)) * up(x)) */
  gatedMlp(
    x: string,
    spec: {
      prefix: string;
      size: number;
      intermediate: number;
      bias: boolean;
      encoding: Encoding;
      /** Of the projection back to `size`. */
      downEncoding: Encoding;
    },
  ): string {
    const project = (
      name: string,
      encoding: Encoding,
      value: string,
      inFeatures: number,
      outFeatures: number,
    ) =>
      this.linear(value, {
        weight: `${spec.prefix}.${name}.weight`,
        bias: spec.bias ? `${spec.prefix}.${name}.bias` : undefined,
        encoding,
        inFeatures,
        outFeatures,
      });
    const gate = project('gate_proj', spec.encoding, x, spec.size, spec.intermediate);
    const up = project('up_proj', spec.encoding, x, spec.size, spec.intermediate);
    const silu = this.graph.node('Mul', [gate, this.graph.node('Sigmoid', [gate])]);
    const product = this.graph.node('Mul', [silu, up]);
    return project('down_proj', spec.downEncoding, product, spec.intermediate, spec.size);
  }

  /** Rotates [1 or N, rows, heads * headDim] by the rows of cos and sin, row for row. */
  rotate(x: string, cos: string, sin: string, output?: string): string {
    // A single position id is where the first row's angle stands; the caches hold exactly these rows.
    return this.graph.node('RotaryEmbedding', [x, this.graph.ints([0]), cos, sin], {
      domain: contrib,
      outputs: output === undefined ? undefined : [output],
    });
  }
}
