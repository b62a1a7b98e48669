/**
 * Keys and values of every layer, for as long as a context lives.
 *
 * A buffer is padded: GroupQueryAttention takes the filled length from `seqlens_k`, so rows past it are never read.
 * That makes a rewind free: lower the length, keep the memory.
 */
import type { Tensor } from 'onnxruntime-node';
import type { Feeds } from '../model/session-run.ts';

export interface KvShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

export interface KvCache {
  /** Makes room for `total` positions, of which the first `kept` hold data worth keeping. */
  reserve(kept: number, total: number): void;
  /** past_key_values.I.key / .value. */
  feeds(): Feeds;
  /** The outputs that `accept` wants. */
  readonly fetches: readonly string[];
  /** Takes what a run computed for the `count` positions after the first `start`. */
  accept(outputs: Record<string, Tensor>, start: number, count: number): void;
  /** Gives the memory back. */
  release(): void;
}

/** Rows are added in whole steps, so that a growing context does not copy itself at every token. */
export const growthStep = 256;

/** Names of the graph's inputs and outputs, layer by layer, key before value. */
export function kvNames(layers: number): { past: string; present: string; fresh: string }[] {
  const names = [];
  for (let layer = 0; layer < layers; layer++) {
    for (const what of ['key', 'value']) {
      names.push({
        past: `past_key_values.${layer}.${what}`,
        present: `present.${layer}.${what}`,
        fresh: `new_key_values.${layer}.${what}`,
      });
    }
  }
  return names;
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
