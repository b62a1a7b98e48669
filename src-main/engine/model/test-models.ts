/** Converted fixture checkpoints for tests. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Precision } from '../../../src-contract/run-events.ts';
import { convertCheckpoint } from '../../checkpoint/convert.ts';
import { fixtureUrl } from '../../slices/test-fixtures.ts';

/** Bounds and arithmetic of the image processor that a fixture was made with, where they are not the checkpoint's. */
export interface ProcessorOverride {
  readonly min_pixels: number;
  readonly max_pixels: number;
  readonly image_processor_type: string;
}

export interface TestContainer {
  readonly folder: string;
  remove(): void;
}

/** Converts fixtures/reference/models/`name` into a temporary folder. */
export async function convertFixture(
  name: string,
  precision: Precision = 'fp32',
  processor?: ProcessorOverride,
): Promise<TestContainer> {
  const base = mkdtempSync(join(tmpdir(), 'readroom-model-'));
  const source = join(base, name);
  cpSync(fileURLToPath(fixtureUrl(`models/${name}/`)), source, { recursive: true });
  if (processor) {
    const file = join(source, 'preprocessor_config.json');
    const { size: _, ...config } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...config, ...processor }));
  }
  const folder = join(base, 'container');
  await convertCheckpoint({ source, out: folder, precision });
  return { folder, remove: () => rmSync(base, { recursive: true, force: true }) };
}
