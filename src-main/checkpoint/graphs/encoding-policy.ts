/** Which weights a precision stores in how many bits. The measurements behind it are in docs/container.md. */
import type { Precision } from '../../../src-contract/run-events.ts';
import type { Activation, TextArchitecture } from '../manifest.ts';
import type { Encoding } from '../weights/weight-job.ts';

export interface EncodingPolicy {
  readonly activation: Activation;
  /** Linear layers of the vision tower and its merger. */
  readonly vision: Encoding;
  /** Patch embedding: sees raw pixels, and is small. */
  readonly patchEmbedding: Encoding;
  /** Linear layers of the decoder, but for the next ones. */
  readonly decoder: Encoding;
  /** Projections that write into the residual stream: attention's output and the MLP's. */
  readonly output: Encoding;
  /** Key and value projections. */
  readonly keyValue: Encoding;
  readonly head: Encoding;
  /** Rows of the embedding table, looked up one by one. */
  readonly embedding: 'float32' | 'float16' | 'int8';
}

/** Above this many weights a matrix of 8 bits instead of 4 would cost more time a token than its precision is worth. */
const largeHead = 64 * 1024 * 1024;
/** Likewise for the matrices of all layers together. */
const largeDecoder = 64 * 1024 * 1024;

/**
 * int4 keeps 4 bits for what decoding spends its time on, the large matrices of the decoder. Key and value projections
 * (1 % of a 7B decoder's weights under grouped attention, and half of the error of quantising everything) and a small
 * head get 8; the vision tower, whose features every later token sees, gets 8 as well. Small decoders suffer most from 4
 * bits and gain least, so there what writes into the residual stream has 8 too. The embedding table, a sixth of the
 * container as float16, has 8.
 */
export function encodingPolicy(precision: Precision, text: TextArchitecture): EncodingPolicy {
  if (precision === 'int4') {
    return {
      activation: 'float32',
      vision: 'int8',
      patchEmbedding: 'float32',
      decoder: 'int4',
      output: layerWeights(text) > largeDecoder ? 'int4' : 'int8',
      keyValue: 'int8',
      head: text.vocab * text.hidden > largeHead ? 'int4' : 'int8',
      embedding: 'int8',
    };
  }
  const type = precision === 'fp16' ? 'float16' : 'float32';
  return {
    activation: type,
    vision: type,
    patchEmbedding: type,
    decoder: type,
    output: type,
    keyValue: type,
    head: type,
    embedding: type,
  };
}

/** Weights of the decoder's large matrices, key and value aside. */
function layerWeights({ layers, hidden, intermediate }: TextArchitecture): number {
  return layers * hidden * (2 * hidden + 3 * intermediate);
}
