/** Which execution providers to try, in which order, and why one is not worth a try. */
import { existsSync, readdirSync } from 'node:fs';
import { listSupportedBackends } from 'onnxruntime-node';
import type { Precision, Provider } from '../../../src-contract/run-events.ts';

const platformOrder: Readonly<Record<string, readonly Provider[]>> = {
  win32: ['webgpu', 'dml', 'cpu'],
  darwin: ['webgpu', 'coreml', 'cpu'],
  linux: ['webgpu', 'cuda', 'cpu'],
};

/** Best first; cpu is always the last. */
export function defaultProviders(platform: string = process.platform): readonly Provider[] {
  return platformOrder[platform] ?? ['cpu'];
}

/** Providers that the installed onnxruntime-node can load on this machine. */
function builtIn(): string[] {
  return (listSupportedBackends() as { name: string }[]).map((backend) => backend.name);
}

/**
 * A reason not to try a provider at all, or undefined. Loading a session only to see it fail takes seconds.
 * @param chosen true where a person named this provider: then only what can't work is refused
 */
export function refusalBeforeLoading(
  provider: Provider,
  precision: Precision,
  chosen: boolean,
): string | undefined {
  if (provider === 'cpu') return undefined;
  if (!builtIn().includes(provider)) {
    return `onnxruntime-node has no ${provider} on ${process.platform}-${process.arch}`;
  }
  if (provider === 'cuda' && precision !== 'fp16') {
    return 'cuda runs grouped attention in float16 only; convert the checkpoint with precision fp16';
  }
  if (provider === 'webgpu' && !chosen && process.platform === 'linux' && !hasLinuxGpu()) {
    return 'no GPU device found; WebGPU would be drawn in software, slower than the cpu provider';
  }
  return undefined;
}

/** A render node of the kernel, an NVIDIA device, or WSL's. */
function hasLinuxGpu(): boolean {
  if (existsSync('/dev/nvidia0') || existsSync('/dev/dxg')) return true;
  try {
    return readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
  } catch {
    return false;
  }
}
