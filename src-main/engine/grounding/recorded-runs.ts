/** For tests: the recorded runs of fixtures/reference/runs and what went into them. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AffineChain } from '../../../src-contract/geometry.ts';
import type { Options } from '../../../src-contract/run-events.ts';
import { buildChain, storedOrientation, withProcessor } from '../../slices/affine-chain.ts';
import { serialiseReference } from '../../slices/serialise.ts';
import { readReferenceVolume, readRgb8 } from '../../study/reference-input.ts';
import type { ImagePixels } from '../language-model.ts';

export const referenceFixtures = resolve(import.meta.dirname, '../../../fixtures/reference');

export interface RecordedRound {
  readonly promptIds: number[];
  readonly ids: number[];
  readonly text: string;
  readonly logProbs: number[];
  readonly crops?: readonly { slice: number; cut: [number, number, number, number]; sha256: string }[];
}

/** Fields as fixtures/reference/README.md describes them. */
export interface RecordedRun {
  readonly name: string;
  readonly source: string;
  readonly volume: boolean;
  readonly question: string;
  readonly choices: Options;
  readonly text: string;
  readonly bounds: 'processor' | 'defaults';
  readonly maxNewTokens: number;
  readonly maxRounds: number;
  readonly tokensPerRound: number;
  readonly targetSize?: [number, number, number];
  readonly forced?: readonly (readonly number[])[];
  readonly rounds: readonly RecordedRound[];
  readonly stopReason: string;
  readonly newTokens: number;
  readonly response: string;
  readonly prediction: string | null;
  readonly rewardChoice: string;
  readonly error?: string;
}

export function recordedRuns(model: string): RecordedRun[] {
  return JSON.parse(readFileSync(join(referenceFixtures, 'runs', `${model}.json`), 'utf8')) as RecordedRun[];
}

/**
 * Recorded runs of a shipped model on held-out cases of training/make_eval.py, and the sha256 of its weight files
 * (training/fixtures/embedded.py). Inputs lie beside the runs.
 */
export function embeddedFixture(model: string): { runs: RecordedRun[]; files: Record<string, string> } {
  const folder = join(referenceFixtures, 'embedded', model);
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const runs = (read('runs.json') as RecordedRun[]).map(
    (run): RecordedRun => ({
      ...run,
      source: join('embedded', model, run.source),
      bounds: 'processor',
      targetSize: [32, 256, 256],
    }),
  );
  return { runs, files: (read('model.json') as { files: Record<string, string> }).files };
}

type Size = (width: number, height: number) => Promise<{ width: number; height: number }>;

/** Images and chain of a run; `size` is the model's referenceAlignedSize. */
export async function recordedInput(
  run: RecordedRun,
  size: Size,
): Promise<{ images: ImagePixels[]; chain: AffineChain }> {
  const source = join(referenceFixtures, run.source);
  const { images, chain } = run.volume
    ? await volumeInput(source, run.targetSize as [number, number, number])
    : await imageInput(source);
  const processed = await size(images[0].width, images[0].height);
  return { images, chain: withProcessor(chain, processed.width, processed.height) };
}

async function imageInput(source: string) {
  const image: ImagePixels = await readRgb8(source);
  const sourceSize: [number, number, number] = [image.width, image.height, 1];
  const chain = buildChain({
    sourceToPatient: null,
    sourceSize,
    orientation: storedOrientation,
    gridSize: sourceSize,
    serialization: 'image',
  });
  return { images: [image], chain };
}

async function volumeInput(source: string, targetSize: [number, number, number]) {
  const { slices, chain } = serialiseReference(await readReferenceVolume(source), targetSize, 'percentile');
  return { images: [...slices], chain };
}
