/** Which weights a precision stores in how many bits. The measurements behind it are in docs/container.md. */
import type { Precision } from '../../../src-contract/run-events.ts';
import type { Activation } from '../manifest.ts';
import type { Encoding } from '../weights/weight-job.ts';

export interface EncodingPolicy {
  readonly activation: Activation;
  /** Linear layers of the vision tower and its merger. */
  readonly vision: Encoding;
  /** Patch embedding: sees raw pixels, and is small. */
  readonly patchEmbedding: Encoding;
  /** Linear layers of the decoder. */
  readonly decoder: Encoding;
  readonly head: Encoding;
  /** Rows of the embedding table, looked up one by one. */
  readonly embedding: 'float32' | 'float16';
}

export const encodingPolicies: Readonly<Record<Precision, EncodingPolicy>> = {
  fp32: {
    activation: 'float32',
    vision: 'float32',
    patchEmbedding: 'float32',
    decoder: 'float32',
    head: 'float32',
    embedding: 'float32',
  },
  fp16: {
    activation: 'float16',
    vision: 'float16',
    patchEmbedding: 'float16',
    decoder: 'float16',
    head: 'float16',
    embedding: 'float16',
  },
  int4: {
    activation: 'float32',
    vision: 'int8',
    patchEmbedding: 'float32',
    decoder: 'int4',
    head: 'int8',
    embedding: 'float16',
  },
};
