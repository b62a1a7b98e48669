/**
 * Whole grounded runs of the fixture checkpoints and of the embedded model, token for token: recorded from transformers
 * and torch with the reference's loop (fixtures/reference/README.md), replayed here through the converter and ONNX
 * Runtime, once incrementally and once with the reference's own algorithm.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureContainer } from '../../checkpoint/container-cache.ts';
import { readManifest } from '../../checkpoint/verify.ts';
import type { VisionLanguageModel } from '../language-model.ts';
import { openModel } from '../model/open-model.ts';
import { compare } from './compare-run.ts';
import { embeddedFixture, recordedRuns, referenceFixtures } from './recorded-runs.ts';

const cache = mkdtempSync(join(tmpdir(), 'readroom-runs-'));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

describe.each(['memo', 'memo-odd', 'tied-bf16', 'untied-f32-sharded', 'odd-f16', 'like-7b'])('%s', (name) => {
  const runs = recordedRuns(name);
  let model: VisionLanguageModel;
  beforeAll(async () => {
    const checkpoint = join(referenceFixtures, 'models', name);
    const container = await ensureContainer({ model: checkpoint, precision: 'fp32', cacheRoot: cache });
    model = await openModel(container, { providers: ['cpu'], threads: 1 });
  }, 120_000);
  afterAll(() => model?.release());

  // 'defaults' is what transformers 5 makes of the reference's code: crops from an image of another size than the
  // model saw. The design follows transformers 4.
  const followed = runs.filter(({ bounds }) => bounds === 'processor');
  test.each(followed.map((run) => [run.name, run] as const))('%s', async (_, run) => {
    await compare(model, run, false);
    await compare(model, run, true);
  });
});

describe('the embedded model', () => {
  const { runs, files } = embeddedFixture('readroom-mini');
  let model: VisionLanguageModel;
  let container: string;
  beforeAll(async () => {
    const checkpoint = resolve(import.meta.dirname, '../../../resources/models/readroom-mini');
    container = await ensureContainer({ model: checkpoint, precision: 'fp32', cacheRoot: cache });
    model = await openModel(container, { providers: ['cpu'], threads: 1 });
  }, 120_000);
  afterAll(() => model?.release());

  test('is the one whose runs were recorded', async () => {
    const { source } = await readManifest(container);
    expect(Object.keys(files).length).toBeGreaterThan(0);
    for (const [name, sha256] of Object.entries(files)) {
      expect(source.files.find((file) => file.name === name)?.sha256).toBe(sha256);
    }
  });

  test.each(runs.map((run) => [run.name, run] as const))('%s', async (_, run) => {
    await compare(model, run, false);
    await compare(model, run, true);
  });
});
