import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { containerKey, ensureContainer, listContainers } from './container-cache.ts';
import type { ConversionProgress } from './convert.ts';
import { fingerprintCheckpoint } from './fingerprint.ts';
import { converterRevision } from './manifest.ts';
import { copyOfCheckpoint, fixtureCheckpoint, rejection, scratchFolder } from './testing/scratch.ts';
import { verifyContainer } from './verify.ts';

const model = fixtureCheckpoint('tied-bf16');

describe('ensureContainer', () => {
  it('converts once, also when asked twice at the same time', async () => {
    const cacheRoot = path.join(await scratchFolder(), 'cache');
    let conversions = 0;
    const onProgress = ({ doneBytes, totalBytes }: ConversionProgress) => {
      if (doneBytes === totalBytes) conversions++;
    };
    const ask = () => ensureContainer({ model, precision: 'int4', cacheRoot, onProgress });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second).toBe(first);
    expect(await ask()).toBe(first);
    expect(conversions).toBe(1);
    await verifyContainer(first!, { hashes: true });
    expect((await readdir(cacheRoot)).filter((name) => name.endsWith('.lock'))).toEqual([]);
    expect(await listContainers(cacheRoot)).toMatchObject([
      { name: 'tied-bf16', precision: 'int4', complete: true },
    ]);
  });

  it('keeps precisions, and checkpoints of one name, apart', async () => {
    const cacheRoot = await scratchFolder();
    const copy = await copyOfCheckpoint('tied-bf16');
    const folders = [
      await ensureContainer({ model, precision: 'fp32', cacheRoot }),
      await ensureContainer({ model, precision: 'fp16', cacheRoot }),
      await ensureContainer({ model: copy, precision: 'fp32', cacheRoot }),
    ];
    expect(new Set(folders).size).toBe(3);
  });

  it('removes what earlier converters made of the same checkpoint, and nothing else', async () => {
    const cacheRoot = await scratchFolder();
    const fingerprint = await fingerprintCheckpoint(model);
    const older = containerKey(model, 'fp32', fingerprint, converterRevision - 1);
    const others = [
      containerKey(model, 'fp16', fingerprint, converterRevision - 1),
      containerKey(model, 'fp32', '0'.repeat(64), converterRevision - 1),
    ];
    for (const name of [older, ...others]) await mkdir(path.join(cacheRoot, name));
    const made = await ensureContainer({ model, precision: 'fp32', cacheRoot });
    expect((await readdir(cacheRoot)).sort()).toEqual([...others, path.basename(made)].sort());
  });

  it('makes a damaged container again', async () => {
    const cacheRoot = await scratchFolder();
    const folder = await ensureContainer({ model, precision: 'fp32', cacheRoot });
    await rm(path.join(folder, 'decoder.onnx'));
    expect(await ensureContainer({ model, precision: 'fp32', cacheRoot })).toBe(folder);
    await verifyContainer(folder, { hashes: true });
  });

  it('takes a container as it is, if the precision is the one asked for', async () => {
    const cacheRoot = await scratchFolder();
    const folder = await ensureContainer({ model, precision: 'fp32', cacheRoot });
    const empty = path.join(cacheRoot, 'unused');
    expect(await ensureContainer({ model: folder, precision: 'fp32', cacheRoot: empty })).toBe(folder);
    expect(
      (await rejection(ensureContainer({ model: folder, precision: 'int4', cacheRoot: empty }))).code,
    ).toBe('input-invalid');
    await expect(stat(empty)).rejects.toThrow();
  });

  it('takes over the lock of a dead process, and a wait can be cancelled', async () => {
    const cacheRoot = await scratchFolder();
    const folder = await ensureContainer({ model, precision: 'fp32', cacheRoot });
    // No process has this id: Linux and macOS stop far below, Windows ids are multiples of 4.
    await writeFile(`${folder}.lock`, '2147483645');
    expect(await ensureContainer({ model, precision: 'fp32', cacheRoot })).toBe(folder);
    await writeFile(`${folder}.lock`, String(process.pid));
    const waiting = ensureContainer({
      model,
      precision: 'fp32',
      cacheRoot,
      signal: AbortSignal.timeout(400),
    });
    expect((await rejection(waiting)).code).toBe('cancelled');
  });

  it('lists unfinished conversions, and nothing where there is no cache', async () => {
    const cacheRoot = await scratchFolder();
    expect(await listContainers(path.join(cacheRoot, 'none'))).toEqual([]);
    const signal = AbortSignal.abort();
    await rejection(ensureContainer({ model, precision: 'fp32', cacheRoot, signal }));
    const abort = new AbortController();
    const onProgress = () => abort.abort();
    await rejection(
      ensureContainer({ model, precision: 'fp32', cacheRoot, signal: abort.signal, onProgress }),
    );
    expect(await listContainers(cacheRoot)).toMatchObject([{ complete: false, precision: null }]);
  });
});
