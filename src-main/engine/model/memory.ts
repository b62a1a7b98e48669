/** What a model needs in memory, and whether it is there: a cheap check before minutes of loading end in a crash. */
import { freemem, platform, totalmem } from 'node:os';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { loadedOverFiles } from '../../checkpoint/conversion-plan.ts';
import type { Manifest } from '../../checkpoint/manifest.ts';
import { bytesOf } from './float-tensors.ts';

/** Positions that any useful run needs. */
const usefulPositions = 4096;
/** Part of what is free after loading that the cache may take. */
const cacheShare = 0.7;
/** The runtime, its scratch memory, and this process. */
const overheadBytes = 200e6;

/** Bytes of keys and values for one position. */
export function cacheBytesPerPosition(manifest: Manifest): number {
  const { layers, kvHeads, headDim } = manifest.architecture.text;
  return 2 * layers * kvHeads * headDim * bytesOf[manifest.graphs.decoder.activation];
}

/** Bytes that the loaded weights take. The embedding table stays in its file's mapping, which is no memory of ours. */
export function loadedBytes(manifest: Manifest): number {
  const graphs = manifest.files.filter(
    ({ name }) => /\.(onnx|bin)$/.test(name) && !name.startsWith('embed.'),
  );
  return overheadBytes + loadedOverFiles * graphs.reduce((sum, file) => sum + file.bytes, 0);
}

/** Memory that can be had without pushing other programs out. */
export function availableMemory(): number {
  // On macOS 'free' leaves out what caches hold and give back, so it says almost nothing.
  if (platform() === 'darwin') return totalmem() * 0.75;
  // Node 20.13 and later know the limits of containers.
  const limited = (process as { availableMemory?: () => number }).availableMemory?.();
  return limited !== undefined && limited > 0 ? Math.min(limited, freemem()) : freemem();
}

/**
 * Positions there is room for: the checkpoint's own limit, or less where memory is short.
 * Throws 'engine-out-of-memory' when not even a short conversation would fit.
 */
export function contextLimit(manifest: Manifest, available: number = availableMemory()): number {
  const perPosition = cacheBytesPerPosition(manifest);
  const weights = loadedBytes(manifest);
  const most = manifest.architecture.text.maxPositions;
  const fits = Math.floor(((available - weights) * cacheShare) / perPosition);
  if (fits < Math.min(usefulPositions, most)) {
    const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
    const needed = weights + (Math.min(usefulPositions, most) * perPosition) / cacheShare;
    throw new ReadroomError(
      'engine-out-of-memory',
      `The model needs about ${gigabytes(needed)} GB of memory; ${gigabytes(available)} GB are free.`,
      { remedy: 'Close other programs, or convert the checkpoint with precision int4.' },
    );
  }
  return Math.min(most, fits);
}
