/** Execution providers by the names people know them by. */
import type { Precision, Provider } from '../../src-contract/run-events.ts';

export const providerNames: Readonly<Record<Provider, string>> = {
  webgpu: 'GPU (WebGPU)',
  cuda: 'GPU (CUDA)',
  dml: 'GPU (DirectML)',
  coreml: 'Core ML',
  cpu: 'CPU',
};

export const precisionNotes: Readonly<Record<Precision, string>> = {
  fp32: 'full precision: the reference, token for token',
  fp16: 'half precision: for graphics cards',
  int4: '4 bit: the smallest, for large models',
};
