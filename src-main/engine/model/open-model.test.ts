import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, manifestSchema } from '../../checkpoint/manifest.ts';
import { loadGenerationDefaults } from '../decode/generation-defaults.ts';
import { contextLimit, loadedBytes } from './memory.ts';
import { openModel } from './open-model.ts';
import { defaultProviders, refusalBeforeLoading } from './providers.ts';
import { engineError } from './session-run.ts';
import { convertFixture, type TestContainer } from './test-models.ts';
import { physicalCores } from './threads.ts';

describe('opening a model', () => {
  let container: TestContainer;
  beforeAll(async () => {
    container = await convertFixture('odd-f16');
  });
  afterAll(() => container.remove());
  const manifest = (): Manifest =>
    manifestSchema.parse(JSON.parse(readFileSync(join(container.folder, 'manifest.json'), 'utf8')));

  it('says what it opened and reports progress', async () => {
    const steps: number[] = [];
    const model = await openModel(container.folder, {
      providers: ['cpu'],
      onProgress: (done) => steps.push(done),
    });
    expect(steps).toEqual([1, 2, 3]);
    expect(model.info).toMatchObject({
      modelHash: manifest().source.sha256,
      name: 'odd-f16',
      precision: 'fp32',
      provider: 'cpu',
      refused: [],
      notes: [],
    });
    await model.release();
  });

  it('keeps the reason of each refusal and goes on to the next provider', async () => {
    const model = await openModel(container.folder, {
      providers: ['coreml', 'dml', 'cuda', 'cpu'],
      threads: 1,
    });
    expect(model.info.provider).toBe('cpu');
    expect(model.info.refused.map(({ provider }) => provider)).toEqual(['coreml', 'dml', 'cuda']);
    for (const { reason } of model.info.refused) expect(reason.length).toBeGreaterThan(10);
    await model.release();
  });

  it('fails with every reason when none of the providers works', async () => {
    const missing = process.platform === 'darwin' ? 'dml' : 'coreml';
    await expect(openModel(container.folder, { providers: [missing] })).rejects.toMatchObject({
      code: 'provider-unavailable',
      detail: expect.stringContaining(missing),
    });
  });

  it('heeds a cancel between graphs', async () => {
    const abort = new AbortController();
    const opening = openModel(container.folder, {
      providers: ['cpu'],
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('takes the penalty of generation_config.json, and defaults without it', async () => {
    const penalised = await convertFixture('tied-bf16');
    const file = join(penalised.folder, 'generation_config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as { repetition_penalty?: number };
    expect(config.repetition_penalty).toBeGreaterThan(1);
    expect(await loadGenerationDefaults(penalised.folder)).toEqual({
      repetitionPenalty: config.repetition_penalty,
      topK: 50,
    });
    writeFileSync(file, JSON.stringify({ top_k: 7 }));
    expect(await loadGenerationDefaults(penalised.folder)).toEqual({ repetitionPenalty: 1, topK: 7 });
    writeFileSync(file, JSON.stringify({ top_k: 'many' }));
    await expect(loadGenerationDefaults(penalised.folder)).rejects.toMatchObject({ field: 'top_k' });
    rmSync(file);
    expect(await loadGenerationDefaults(penalised.folder)).toEqual({ repetitionPenalty: 1, topK: 50 });
    penalised.remove();
  });

  it('refuses a container that is not whole', async () => {
    const broken = await convertFixture('odd-f16');
    truncateSync(join(broken.folder, 'decoder.onnx'), 100);
    await expect(openModel(broken.folder)).rejects.toMatchObject({ code: 'container-malformed' });
    rmSync(join(broken.folder, 'decoder.onnx'));
    await expect(openModel(broken.folder)).rejects.toMatchObject({ code: 'container-incomplete' });
    rmSync(join(broken.folder, 'manifest.json'));
    await expect(openModel(broken.folder)).rejects.toMatchObject({ code: 'container-incomplete' });
    broken.remove();
  });

  it('says so when ONNX Runtime can not read a graph', async () => {
    const broken = await convertFixture('odd-f16');
    const file = join(broken.folder, 'vision.onnx');
    writeFileSync(file, Buffer.alloc(readFileSync(file).length, 7));
    await expect(openModel(broken.folder, { providers: ['cpu'] })).rejects.toMatchObject({
      code: 'provider-unavailable',
      detail: expect.stringContaining('cpu:'),
    });
    broken.remove();
  });
});

describe('memory', () => {
  it('shortens the context where memory is short, and refuses before loading', async () => {
    const container = await convertFixture('odd-f16');
    const manifest = manifestSchema.parse(
      JSON.parse(readFileSync(join(container.folder, 'manifest.json'), 'utf8')),
    );
    container.remove();
    const roomy: Manifest = {
      ...manifest,
      architecture: {
        ...manifest.architecture,
        text: { ...manifest.architecture.text, maxPositions: 128_000 },
      },
    };
    expect(contextLimit(roomy, 1e12)).toBe(128_000);
    const { layers, kvHeads, headDim } = manifest.architecture.text;
    const tight = loadedBytes(roomy) + (10_000 * 2 * layers * kvHeads * headDim * 4) / 0.7;
    expect(contextLimit(roomy, tight)).toBeCloseTo(10_000, -1);
    expect(() => contextLimit(roomy, loadedBytes(roomy))).toThrow(/GB are free/);
  });

  it('knows an allocation failure by its message', () => {
    expect(engineError(new Error('std::bad_alloc'), 'x').code).toBe('engine-out-of-memory');
    expect(engineError(new Error('BFCArena Failed to allocate memory'), 'x').code).toBe(
      'engine-out-of-memory',
    );
    expect(engineError(new Error('invalid shape'), 'x')).toMatchObject({
      code: 'engine-failed',
      detail: 'invalid shape',
    });
  });
});

describe('provider ladder', () => {
  it('ends with the cpu everywhere', () => {
    for (const platform of ['linux', 'win32', 'darwin', 'aix']) {
      expect(defaultProviders(platform).at(-1)).toBe('cpu');
    }
    expect(refusalBeforeLoading('cpu', 'fp32', false)).toBeUndefined();
  });

  it('does not try what can not work', () => {
    if (process.platform === 'linux' && process.arch === 'x64') {
      expect(refusalBeforeLoading('cuda', 'fp32', true)).toMatch(/float16/);
      expect(refusalBeforeLoading('coreml', 'fp32', true)).toMatch(/no coreml/);
      expect(refusalBeforeLoading('webgpu', 'fp32', true)).toBeUndefined();
    }
    expect(physicalCores()).toBeGreaterThan(0);
  });
});
