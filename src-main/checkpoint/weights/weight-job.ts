/**
 * What has to be written for one weight of a graph: which rows of which checkpoint tensor, in which encoding, as which
 * initialisers. Graph building makes the jobs, `data-plan.ts` gives them places, `write-data.ts` does them.
 */
import { type ElementType, elementBytes } from '../onnx/model-proto.ts';

/**
 * How a weight is stored. int4 and int8 are blocks of 32 along the input features (MatMulNBits, GatherBlockQuantized)
 * with a float16 scale each: at a scale a block, float32 would be a fifth of an int4 container's bytes.
 */
export type Encoding = 'float32' | 'float16' | 'int4' | 'int8';

/** Weights of one quantisation block share a scale. Every container uses this size. */
export const blockSize = 32;

/** Rows [firstRow, firstRow + rows) of a tensor of shape [*, columns]; a vector is one row. */
export interface SourceRows {
  /** Name in the checkpoint, e.g. 'model.layers.0.self_attn.q_proj.weight'. */
  readonly tensor: string;
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: number;
}

/** One initialiser that a job produces. */
export interface JobOutput {
  /** Name of the initialiser in the graphs. */
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly bytes: number;
}

export interface WeightJob {
  /** Equal keys mean equal bytes: written once, shared by the graphs that ask for it. */
  readonly key: string;
  readonly source: SourceRows;
  readonly encoding: Encoding;
  /** Base of the names of the data files that hold the outputs. */
  readonly fileBase: string;
  /** float: [weight]; int8: [packed, scales]; int4: [packed, scales, zero points]. */
  readonly outputs: readonly JobOutput[];
}

function output(name: string, type: ElementType, dims: readonly number[]): JobOutput {
  return { name, type, dims, bytes: dims.reduce((product, size) => product * size, elementBytes[type]) };
}

/** Blocks of 32 in a row of `columns` weights; the last may be partly padding. */
export function blocksPerRow(columns: number): number {
  return Math.ceil(columns / blockSize);
}

/** Bytes of the zero points of a row of int4 blocks: two in a byte. */
export function zeroPointBytes(blocks: number): number {
  return Math.ceil(blocks / 2);
}

/** @param dims shape of the initialiser for float encodings; quantised weights are always [rows, columns] */
export function weightJob(
  name: string,
  source: SourceRows,
  encoding: Encoding,
  fileBase: string,
  dims: readonly number[],
): WeightJob {
  const key = `${source.tensor}[${source.firstRow}+${source.rows}]:${encoding}`;
  const base = { key, source, encoding, fileBase };
  if (encoding === 'float32' || encoding === 'float16') {
    return { ...base, outputs: [output(name, encoding, dims)] };
  }
  const blocks = blocksPerRow(source.columns);
  const scales = output(`${name}.scales`, 'float16', [source.rows, blocks]);
  if (encoding === 'int8') {
    return {
      ...base,
      outputs: [output(`${name}.packed`, 'uint8', [source.rows, blocks, blockSize]), scales],
    };
  }
  return {
    ...base,
    outputs: [
      output(`${name}.packed`, 'uint8', [source.rows, blocks, blockSize / 2]),
      scales,
      output(`${name}.zeros`, 'uint8', [source.rows * zeroPointBytes(blocks)]),
    ],
  };
}
