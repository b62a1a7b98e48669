/** The KV cache and position bookkeeping of one sequence, driven over the decoder graph (docs/container.md). */
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Activation, TextArchitecture } from '../../checkpoint/manifest.ts';
import type { DecodeContext, Segment, StepHooks } from '../language-model.ts';
import { encodeFloats, floatTensor } from '../model/float-tensors.ts';
import { type Feeds, runSession } from '../model/session-run.ts';
import type { Embedder } from './embedder.ts';
import type { KvCache } from './kv-cache.ts';
import { ropeRows } from './mrope.ts';
import { type PlacedImage, planSequence, type SequencePlan } from './sequence-plan.ts';

export interface ContextOptions {
  readonly decoder: InferenceSession;
  readonly embedder: Embedder;
  readonly cache: KvCache;
  readonly text: TextArchitecture;
  readonly activation: Activation;
  readonly mergeSize: number;
  readonly imagePad: number;
  /** Most positions the sequence may have. */
  readonly limit: number;
  /**
   * Positions a run, about: bounds memory, and how long a cancel waits. The pieces of a prompt are of one size, at most
   * half as large again: a rest of a few positions would cost a whole pass over the weights.
   */
  readonly chunk: number;
}

export class OnnxDecodeContext implements DecodeContext {
  readonly #options: ContextOptions;
  readonly #ids: number[] = [];
  readonly #images: (PlacedImage | undefined)[] = [];
  /** [length]: the M-RoPE position that follows each position. */
  readonly #nextAfter: number[] = [];
  #busy = false;

  constructor(options: ContextOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#ids.length;
  }

  get ids(): readonly number[] {
    return this.#ids;
  }

  async append(segments: readonly Segment[], hooks: StepHooks = {}): Promise<Float32Array> {
    const plan = this.#plan(segments, this.length);
    if (plan.length === 0) throw new RangeError('Nothing to append');
    return this.#exclusively(() => this.#extend(plan, 0, hooks));
  }

  async setPrompt(
    segments: readonly Segment[],
    hooks: StepHooks = {},
  ): Promise<{ logits: Float32Array; reused: number }> {
    const plan = this.#plan(segments, 0);
    if (plan.length === 0) throw new RangeError('An empty prompt');
    return this.#exclusively(async () => {
      const reused = Math.min(this.#commonPrefix(plan), plan.length - 1);
      this.#truncate(reused);
      return { logits: await this.#extend(plan, reused, hooks), reused };
    });
  }

  rewind(length: number): void {
    if (this.#busy) throw busyError();
    if (!Number.isInteger(length) || length < 0 || length > this.length) {
      throw new RangeError(`Can not rewind to ${length} of ${this.length} positions`);
    }
    const image = length > 0 ? this.#images[length - 1] : undefined;
    if (image && length < image.start + image.features.tokens) {
      throw new RangeError(`Position ${length} is in the middle of an image`);
    }
    this.#truncate(length);
  }

  /** Forgets everything and gives the cache's memory back. */
  release(): void {
    this.#truncate(0);
    this.#options.cache.release();
  }

  /** Lays out what would follow the first `before` positions; checks that it fits. */
  #plan(segments: readonly Segment[], before: number): SequencePlan {
    const { text, mergeSize, imagePad, limit } = this.#options;
    const start = before === 0 ? 0 : this.#nextAfter[before - 1]!;
    const { vocab, hidden } = text;
    const plan = planSequence(segments, before, start, { imagePad, vocab, hidden, mergeSize });
    if (before + plan.length > limit) {
      throw new ReadroomError(
        'context-too-long',
        `The conversation would be ${before + plan.length} tokens long; this model has room for ${limit}.`,
        { remedy: 'Ask about fewer or smaller images, or close other programs where memory is the limit.' },
      );
    }
    return plan;
  }

  /** Positions that the cache and a plan from the sequence's beginning share. */
  #commonPrefix(plan: SequencePlan): number {
    const most = Math.min(this.length, plan.length);
    let at = 0;
    while (at < most && this.#ids[at] === plan.ids[at] && sameImage(this.#images[at], plan.images[at])) at++;
    return at;
  }

  #truncate(length: number): void {
    this.#ids.length = length;
    this.#images.length = length;
    this.#nextAfter.length = length;
  }

  /** Computes plan positions from `from` on; returns the logits of the last. The cache holds whole chunks throughout. */
  async #extend(plan: SequencePlan, from: number, hooks: StepHooks): Promise<Float32Array> {
    const { chunk, cache } = this.#options;
    const offset = this.length - from;
    cache.reserve(this.length, offset + plan.length);
    let logits: Float32Array | undefined;
    const pieces = Math.max(1, Math.round((plan.length - from) / chunk));
    const size = Math.ceil((plan.length - from) / pieces);
    for (let at = from; at < plan.length; ) {
      if (hooks.signal?.aborted) {
        this.#dropPartialImage();
        throw new ReadroomError('cancelled', 'Cancelled.');
      }
      const end = Math.min(at + size, plan.length);
      try {
        logits = await this.#runChunk(plan, offset, at, end);
      } catch (thrown) {
        this.#dropPartialImage();
        throw thrown;
      }
      at = end;
      hooks.onProgress?.(at - from, plan.length - from);
    }
    return logits!;
  }

  async #runChunk(plan: SequencePlan, offset: number, from: number, to: number): Promise<Float32Array> {
    const { decoder, embedder, cache, activation, text } = this.#options;
    const count = to - from;
    const total = offset + to;
    const embeds = await embedder.embed(plan, offset, from, to);
    const positions = new Int32Array(3 * count);
    for (let axis = 0; axis < 3; axis++) {
      const row = axis * plan.length;
      positions.set(plan.positions.subarray(row + from, row + to), axis * count);
    }
    const rope = ropeRows(positions, text);
    const half = text.headDim / 2;
    const feeds: Feeds = {
      inputs_embeds: floatTensor(activation, embeds, [1, count, text.hidden]),
      rope_cos: floatTensor(activation, encodeFloats(activation, rope.cos), [count, half]),
      rope_sin: floatTensor(activation, encodeFloats(activation, rope.sin), [count, half]),
      seqlens_k: new Tensor('int32', Int32Array.of(total - 1), [1]),
      total_sequence_length: new Tensor('int32', Int32Array.of(total), []),
      logits_rows: new Tensor('int64', BigInt64Array.of(BigInt(count - 1)), [1]),
      ...cache.feeds(),
    };
    const outputs = await runSession(decoder, feeds, ['logits', ...cache.fetches]);
    cache.accept(outputs, offset + from, count);
    for (let at = from; at < to; at++) {
      this.#ids.push(plan.ids[at]!);
      this.#images.push(plan.images[at]);
      this.#nextAfter.push(plan.nextAfter[at]!);
    }
    return outputs.logits!.data as Float32Array;
  }

  /** An image that a cancel cut in two would put everything appended later at wrong positions. */
  #dropPartialImage(): void {
    const image = this.#images.at(-1);
    if (image && this.length < image.start + image.features.tokens) this.#truncate(image.start);
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw busyError();
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}

function sameImage(a: PlacedImage | undefined, b: PlacedImage | undefined): boolean {
  if (!a || !b) return a === b;
  return a.start === b.start && a.features.key === b.features.key && a.features.tokens === b.features.tokens;
}

function busyError(): ReadroomError {
  return new ReadroomError('engine-busy', 'The model is still working on something else.', {
    remedy: 'Wait for the run to end, or cancel it.',
  });
}
