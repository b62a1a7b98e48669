/** inputs_embeds of a stretch of a plan: rows of the embedding table, with image features in the image positions. */
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Activation } from '../../checkpoint/manifest.ts';
import { allocateFloats, encodeFloats, type FloatArray, rawFloats } from '../model/float-tensors.ts';
import { runSession } from '../model/session-run.ts';
import type { SequencePlan } from './sequence-plan.ts';

export class Embedder {
  readonly #session: InferenceSession;
  readonly #activation: Activation;
  readonly #hidden: number;

  constructor(session: InferenceSession, activation: Activation, hidden: number) {
    this.#session = session;
    this.#activation = activation;
    this.#hidden = hidden;
  }

  /**
   * [to - from, hidden] row-major.
   * @param offset positions of the sequence before the plan's first
   */
  async embed(plan: SequencePlan, offset: number, from: number, to: number): Promise<FloatArray> {
    const hidden = this.#hidden;
    const textAt: number[] = [];
    for (let at = from; at < to; at++) if (!plan.images[at]) textAt.push(at);
    const rows = textAt.length > 0 ? await this.#lookUp(textAt.map((at) => plan.ids[at]!)) : undefined;
    if (rows && textAt.length === to - from) return rows;
    const out = allocateFloats(this.#activation, (to - from) * hidden);
    if (rows) {
      textAt.forEach((at, row) => {
        out.set(rows.subarray(row * hidden, (row + 1) * hidden), (at - from) * hidden);
      });
    }
    let at = from;
    while (at < to) {
      const image = plan.images[at];
      if (!image) {
        at++;
        continue;
      }
      const first = offset + at - image.start;
      const count = Math.min(image.features.tokens - first, to - at);
      const features = image.features.data.subarray(first * hidden, (first + count) * hidden);
      out.set(encodeFloats(this.#activation, features), (at - from) * hidden);
      at += count;
    }
    return out;
  }

  async #lookUp(ids: readonly number[]): Promise<FloatArray> {
    const input = new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
    const { inputs_embeds } = await runSession(this.#session, { input_ids: input }, ['inputs_embeds']);
    return rawFloats(inputs_embeds!);
  }
}
