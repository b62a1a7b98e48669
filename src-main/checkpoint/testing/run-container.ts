/** Runs a container's graphs as plainly as possible: what the graphs' own tests need, and nothing of the engine. */
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { type PositionSegment, ropePositions, ropeRows } from '../../engine/decode/mrope.ts';
import { visionLayout } from '../../engine/vision/vision-layout.ts';
import type { Manifest } from '../manifest.ts';
import { verifyContainer } from '../verify.ts';
import { fromFloat16Array, toFloat16Array } from '../weights/half-floats.ts';

/** A sequence: token ids, and images given by their grid and their pixel values. */
export type Piece =
  | { readonly ids: readonly number[] }
  | { readonly gridHeight: number; readonly gridWidth: number; readonly features: Float32Array };

export class TestContainer {
  readonly manifest: Manifest;
  readonly #vision: ort.InferenceSession;
  readonly #embed: ort.InferenceSession;
  readonly #decoder: ort.InferenceSession;

  private constructor(manifest: Manifest, sessions: readonly ort.InferenceSession[]) {
    this.manifest = manifest;
    [this.#vision, this.#embed, this.#decoder] = sessions as [
      ort.InferenceSession,
      ort.InferenceSession,
      ort.InferenceSession,
    ];
  }

  static async open(folder: string): Promise<TestContainer> {
    const manifest = await verifyContainer(folder);
    const sessions: ort.InferenceSession[] = [];
    for (const name of ['vision', 'embed', 'decoder'] as const) {
      const file = path.join(folder, manifest.graphs[name].file);
      sessions.push(await ort.InferenceSession.create(file, { intraOpNumThreads: 1 }));
    }
    return new TestContainer(manifest, sessions);
  }

  /** [N*L, patch features] of N images of one grid -> [tokens, hidden]. */
  async encode(pixels: Float32Array, gridHeight: number, gridWidth: number): Promise<Float32Array> {
    const { vision } = this.manifest.architecture;
    const layout = visionLayout(vision, gridHeight, gridWidth);
    const features = vision.channels * vision.temporalPatchSize * vision.patchSize ** 2;
    const rows = [layout.patches, vision.headDim / 2];
    const { windows, windowSlots } = layout;
    const result = await this.#vision.run({
      pixel_values: this.#floats(pixels, [pixels.length / features, features]),
      rotary_cos: this.#floats(layout.rotaryCos, rows),
      rotary_sin: this.#floats(layout.rotarySin, rows),
      window_gather: new ort.Tensor('int64', layout.windowGather, [windows * windowSlots]),
      window_scatter: new ort.Tensor('int64', layout.windowScatter, [layout.patches]),
      window_bias: this.#floats(layout.windowBias, [windows, 1, windowSlots, windowSlots]),
    });
    return toFloats(result.image_features!);
  }

  /** Logits [S, vocab] of a whole sequence, fed in chunks of at most `chunk` positions through a padded past. */
  async logits(pieces: readonly Piece[], chunk: number): Promise<Float32Array> {
    const { text, vision, tokens } = this.manifest.architecture;
    const unit = vision.mergeSize ** 2;
    const ids = pieces.flatMap((piece) =>
      'ids' in piece
        ? piece.ids
        : new Array<number>((piece.gridHeight * piece.gridWidth) / unit).fill(tokens.imagePad),
    );
    const length = ids.length;
    const embedded = await this.#embed.run({
      input_ids: new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [1, length]),
    });
    const embeds = toFloats(embedded.inputs_embeds!).slice();
    let at = 0;
    for (const piece of pieces) {
      if ('features' in piece) embeds.set(piece.features, at * text.hidden);
      at += 'ids' in piece ? piece.ids.length : (piece.gridHeight * piece.gridWidth) / unit;
    }
    const segments = pieces.map(
      (piece): PositionSegment =>
        'ids' in piece ? { kind: 'text', length: piece.ids.length } : { kind: 'image', ...piece },
    );
    const rope = ropeRows(ropePositions(segments, 0, vision.mergeSize).positions, text);
    const past = new TestCache(text.layers, text.kvHeads, text.headDim, length + 3);
    const logits = new Float32Array(length * text.vocab);
    const half = text.headDim / 2;
    for (let from = 0; from < length; from += chunk) {
      const to = Math.min(from + chunk, length);
      const count = to - from;
      const result = await this.#decoder.run(
        {
          inputs_embeds: this.#floats(embeds.slice(from * text.hidden, to * text.hidden), [
            1,
            count,
            text.hidden,
          ]),
          rope_cos: this.#floats(rope.cos.slice(from * half, to * half), [count, half]),
          rope_sin: this.#floats(rope.sin.slice(from * half, to * half), [count, half]),
          seqlens_k: new ort.Tensor('int32', Int32Array.of(to - 1), [1]),
          total_sequence_length: new ort.Tensor('int32', Int32Array.of(to), []),
          logits_rows: new ort.Tensor(
            'int64',
            BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
            [count],
          ),
          ...past.feeds(from, (data, dims) => this.#floats(data, dims)),
        },
        ['logits', ...past.newNames],
      );
      logits.set(toFloats(result.logits!), from * text.vocab);
      past.store(from, count, result);
    }
    return logits;
  }

  async release(): Promise<void> {
    for (const session of [this.#vision, this.#embed, this.#decoder]) await session.release();
  }

  #floats(data: Float32Array, dims: readonly number[]): ort.Tensor {
    if (this.manifest.graphs.decoder.activation === 'float32') return new ort.Tensor('float32', data, dims);
    return new ort.Tensor('float16', toFloat16Array(data), dims);
  }
}

/** Keys and values of every layer, [kvHeads, capacity, headDim] each. */
class TestCache {
  readonly #names: readonly string[];
  readonly #buffers: readonly Float32Array[];
  readonly #kvHeads: number;
  readonly #headDim: number;
  readonly #capacity: number;

  constructor(layers: number, kvHeads: number, headDim: number, capacity: number) {
    this.#names = Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
    this.#buffers = this.#names.map(() => new Float32Array(kvHeads * capacity * headDim));
    this.#kvHeads = kvHeads;
    this.#headDim = headDim;
    this.#capacity = capacity;
  }

  get newNames(): string[] {
    return this.#names.map((name) => `new_key_values.${name}`);
  }

  /** The past of the first chunk has no length at all; later ones are padded to the capacity. */
  feeds(length: number, floats: (data: Float32Array, dims: readonly number[]) => ort.Tensor) {
    const dims = [1, this.#kvHeads, length === 0 ? 0 : this.#capacity, this.#headDim];
    const entries = this.#names.map((name, i) => [
      `past_key_values.${name}`,
      floats(length === 0 ? new Float32Array(0) : this.#buffers[i]!, dims),
    ]);
    return Object.fromEntries(entries) as Record<string, ort.Tensor>;
  }

  store(from: number, count: number, result: ort.InferenceSession.ReturnType): void {
    this.#names.forEach((name, i) => {
      const rows = toFloats(result[`new_key_values.${name}`]!);
      for (let row = 0; row < count; row++) {
        for (let head = 0; head < this.#kvHeads; head++) {
          const start = (row * this.#kvHeads + head) * this.#headDim;
          const at = (head * this.#capacity + from + row) * this.#headDim;
          this.#buffers[i]!.set(rows.subarray(start, start + this.#headDim), at);
        }
      }
    });
  }
}

function toFloats(tensor: ort.Tensor): Float32Array {
  if (tensor.type === 'float32') return tensor.data as Float32Array;
  // Uint16Array, or Float16Array where that exists: the bits are the same.
  const data = tensor.data as unknown as ArrayBufferView;
  return fromFloat16Array(new Uint16Array(data.buffer, data.byteOffset, tensor.size));
}

/** Pixel values that Python makes alike: multiples of 1/1024 in [-2, 2). */
export function syntheticPixels(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return ((state >>> 20) - 2048) / 1024;
  });
}

/** Largest difference over largest value. */
export function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let largest = 0;
  expected.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(actual[i]! - value));
    largest = Math.max(largest, Math.abs(value));
  });
  return difference / largest;
}

export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  b.forEach((value, i) => {
    dot += a[i]! * value;
    aa += a[i]! ** 2;
    bb += value ** 2;
  });
  return dot / Math.sqrt(aa * bb);
}
