/**
 * The cache on the device (webgpu): each run's `present.*` stays there and is the next run's past. `present` is as
 * long as the past buffer when that has room, so one upload of zeros fixes the length and the device reuses its
 * buffers. Writing `present` into the past buffer itself would save a copy on the device, but gave wrong results for
 * single tokens in ONNX Runtime 1.30 (on SwiftShader), so it is not done.
 */
import type { Tensor } from 'onnxruntime-node';
import type { Activation } from '../../checkpoint/manifest.ts';
import { allocateFloats, floatTensor } from '../model/float-tensors.ts';
import type { Feeds } from '../model/session-run.ts';
import { growthStep, type KvCache, type KvShape, kvNames, roundUp } from './kv-cache.ts';

/** Room for an answer and its crops after the prompt. Past it each step allocates anew: slower, still right. */
const spareRows = 1024;

export class DeviceKvCache implements KvCache {
  readonly fetches: readonly string[];
  readonly #shape: KvShape;
  readonly #activation: Activation;
  readonly #limit: number;
  readonly #names: ReturnType<typeof kvNames>;
  #tensors: Tensor[] = [];
  #capacity = 0;

  /** @param limit no more positions than this are ever asked for */
  constructor(shape: KvShape, activation: Activation, limit: number) {
    this.#shape = shape;
    this.#activation = activation;
    this.#limit = limit;
    this.#names = kvNames(shape.layers);
    this.fetches = this.#names.map((name) => name.present);
  }

  reserve(kept: number, total: number): void {
    if (this.#tensors.length > 0 && (kept > 0 || total <= this.#capacity)) return;
    this.release();
    const { kvHeads, headDim } = this.#shape;
    this.#capacity = Math.max(total, Math.min(roundUp(total + spareRows, growthStep), this.#limit));
    // One block of zeros serves all names: it is only ever uploaded.
    const zeros = allocateFloats(this.#activation, kvHeads * this.#capacity * headDim);
    const dims = [1, kvHeads, this.#capacity, headDim];
    this.#tensors = this.#names.map(() => floatTensor(this.#activation, zeros, dims));
  }

  feeds(): Feeds {
    return Object.fromEntries(this.#names.map((name, index) => [name.past, this.#tensors[index]!]));
  }

  accept(outputs: Record<string, Tensor>): void {
    const old = this.#tensors;
    this.#tensors = this.#names.map((name) => outputs[name.present]!);
    this.#capacity = this.#tensors[0]!.dims[2]!;
    disposeOnDevice(old);
  }

  release(): void {
    disposeOnDevice(this.#tensors);
    this.#tensors = [];
    this.#capacity = 0;
  }
}

function disposeOnDevice(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) if (tensor.location === 'gpu-buffer') tensor.dispose();
}
