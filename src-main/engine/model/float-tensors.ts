/**
 * Float tensors of either activation type (manifest: float32 or float16), seen from code that thinks in float32.
 * float16 travels as its bits in a Uint16Array, which every version of Node has.
 */
import { Tensor } from 'onnxruntime-node';
import type { Activation } from '../../checkpoint/manifest.ts';
import { fromFloat16Array, toFloat16Array } from '../../checkpoint/weights/half-floats.ts';

/** Elements of a float tensor as they lie in memory. */
export type FloatArray = Float32Array | Uint16Array;

export const bytesOf: Readonly<Record<Activation, number>> = { float32: 4, float16: 2 };

/** Zeros. */
export function allocateFloats(activation: Activation, length: number): FloatArray {
  return activation === 'float32' ? new Float32Array(length) : new Uint16Array(length);
}

export function encodeFloats(activation: Activation, values: Float32Array): FloatArray {
  return activation === 'float32' ? values : toFloat16Array(values);
}

export function floatTensor(activation: Activation, data: FloatArray, dims: readonly number[]): Tensor {
  return data instanceof Float32Array
    ? new Tensor('float32', data, dims)
    : new Tensor(activation, data as Uint16Array, dims);
}

/** The memory of a fetched float tensor; a Float16Array is seen as its bits. */
export function rawFloats(tensor: Tensor): FloatArray {
  const data = tensor.data;
  if (data instanceof Float32Array || data instanceof Uint16Array) return data;
  const view = data as unknown as ArrayBufferView;
  return new Uint16Array(view.buffer, view.byteOffset, view.byteLength / 2);
}

export function decodeFloats(tensor: Tensor): Float32Array {
  const raw = rawFloats(tensor);
  return raw instanceof Float32Array ? raw : fromFloat16Array(raw);
}
