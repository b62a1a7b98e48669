/** Input as the reference's script reads it: stored order, its own depth-axis guess, Pillow's grey levels. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { SourceFile } from '../../src-contract/study.ts';
import { buildChain, storedOrientation } from '../slices/affine-chain.ts';
import { type NormaliseMode, serialiseReference, type TargetSize } from '../slices/serialise.ts';
import { readReferenceVolume, readRgb8 } from '../study/reference-input.ts';
import type { PreparedInput } from './prepared-input.ts';

async function describeSource(path: string): Promise<SourceFile> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return { path, bytes: statSync(path).size, sha256: hash.digest('hex') };
}

/**
 * A 2D example: what Pillow's convert('RGB') gives.
 * @throws ReadroomError as readRgb8 does
 */
export async function prepareReferenceImage(path: string): Promise<PreparedInput> {
  const { width, height, channels, data } = await readRgb8(path);
  return {
    mode: '2d',
    images: [{ width, height, channels, data }],
    chain: buildChain({
      sourceToPatient: null,
      sourceSize: [width, height, 1],
      orientation: storedOrientation,
      gridSize: [width, height, 1],
      serialization: 'image',
    }),
    sources: [await describeSource(path)],
    series: null,
    synthetic: false,
    normalization: "Pillow's convert('RGB')",
    title: `${basename(path)} · ${width} x ${height}`,
    warnings: [],
  };
}

export interface ReferenceVolumeOptions {
  readonly targetSize: TargetSize;
  readonly normalize: NormaliseMode;
}

/**
 * A 3D example in the reference's serialisation.
 * @throws ReadroomError as readReferenceVolume does; 'input-invalid' for an array that is no volume
 */
export async function prepareReferenceVolume(
  path: string,
  { targetSize, normalize }: ReferenceVolumeOptions,
): Promise<PreparedInput> {
  const volume = await readReferenceVolume(path);
  const { slices, chain } = serialiseReference(volume, targetSize, normalize);
  return {
    mode: '3d',
    images: slices,
    chain,
    sources: [await describeSource(path)],
    series: null,
    synthetic: false,
    normalization:
      normalize === 'percentile'
        ? '1st to 99th percentile to 0..255, truncated'
        : 'minimum to maximum, truncated',
    title: `${basename(path)} · ${volume.shape.join(' x ')}`,
    warnings: [],
  };
}
