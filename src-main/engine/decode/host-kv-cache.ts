/**
 * The cache in this process's own memory: for cpu, and for cuda, dml and coreml, which would copy it at each step
 * anyway. Only the new rows are fetched: fetching `present.*` would copy the whole cache out at every token, because
 * the Node binding copies each output (3,072 rows of a 7B shape on 2 cores: 99 ms a token against 56).
 */
import type { Tensor } from 'onnxruntime-node';
import type { Activation } from '../../checkpoint/manifest.ts';
import { allocateFloats, type FloatArray, floatTensor, rawFloats } from '../model/float-tensors.ts';
import type { Feeds } from '../model/session-run.ts';
import { growthStep, type KvCache, type KvShape, kvNames, roundUp } from './kv-cache.ts';

export class HostKvCache implements KvCache {
  readonly fetches: readonly string[];
  readonly #shape: KvShape;
  readonly #activation: Activation;
  readonly #limit: number;
  readonly #names: ReturnType<typeof kvNames>;
  #capacity = 0;
  /** One [1, kvHeads, capacity, headDim] a name. */
  #buffers: FloatArray[] = [];
  #feeds: Feeds = {};

  /** @param limit no more positions than this are ever asked for */
  constructor(shape: KvShape, activation: Activation, limit: number) {
    this.#shape = shape;
    this.#activation = activation;
    this.#limit = limit;
    this.#names = kvNames(shape.layers);
    this.fetches = this.#names.map((name) => name.fresh);
    this.release();
  }

  reserve(kept: number, total: number): void {
    if (total <= this.#capacity) return;
    // As tight as whole steps allow: GroupQueryAttention clears a buffer of the past's full length at every token, so
    // spare rows cost each token more (5-10 % at half as much again) than a copy costs once in 256.
    this.#resize(Math.max(total, Math.min(roundUp(total, growthStep), this.#limit)), kept);
  }

  feeds(): Feeds {
    return this.#feeds;
  }

  accept(outputs: Record<string, Tensor>, start: number, count: number): void {
    const { kvHeads, headDim } = this.#shape;
    const rowLength = kvHeads * headDim;
    this.#names.forEach((name, index) => {
      const rows = rawFloats(outputs[name.fresh]!);
      const buffer = this.#buffers[index]!;
      for (let head = 0; head < kvHeads; head++) {
        let to = (head * this.#capacity + start) * headDim;
        let from = head * headDim;
        for (let row = 0; row < count; row++, to += headDim, from += rowLength) {
          buffer.set(rows.subarray(from, from + headDim), to);
        }
      }
    });
  }

  release(): void {
    this.#capacity = 0;
    this.#buffers = this.#names.map(() => allocateFloats(this.#activation, 0));
    this.#rebuildFeeds();
  }

  #resize(capacity: number, kept: number): void {
    const { kvHeads, headDim } = this.#shape;
    const before = this.#capacity;
    // One buffer after the other, so that old and new never exist twice in full.
    for (const [index, old] of this.#buffers.entries()) {
      const grown = allocateFloats(this.#activation, kvHeads * capacity * headDim);
      for (let head = 0; head < kvHeads; head++) {
        const from = head * before * headDim;
        grown.set(old.subarray(from, from + kept * headDim), head * capacity * headDim);
      }
      this.#buffers[index] = grown;
    }
    this.#capacity = capacity;
    this.#rebuildFeeds();
  }

  #rebuildFeeds(): void {
    const { kvHeads, headDim } = this.#shape;
    this.#feeds = Object.fromEntries(
      this.#names.map((name, index) => [
        name.past,
        floatTensor(this.#activation, this.#buffers[index]!, [1, kvHeads, this.#capacity, headDim]),
      ]),
    );
  }
}
