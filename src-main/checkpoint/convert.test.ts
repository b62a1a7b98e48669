import { spawn } from 'node:child_process';
import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildEntry } from '../engine/host/build-entry.ts';
import { estimateConversion } from './conversion-plan.ts';
import { type ConversionProgress, convertCheckpoint } from './convert.ts';
import { fingerprintCheckpoint } from './fingerprint.ts';
import { writeOutputFile } from './output-file.ts';
import { copyOfCheckpoint, fixtureCheckpoint, rejection, scratchFolder } from './testing/scratch.ts';
import { readManifest, verifyContainer } from './verify.ts';

const source = fixtureCheckpoint('tied-bf16');

async function bytesOf(folder: string): Promise<Record<string, Buffer>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))])),
  );
}

describe('convertCheckpoint', () => {
  it('writes a whole container, its size as estimated, progress rising to the total', async () => {
    const out = path.join(await scratchFolder(), 'container');
    const seen: ConversionProgress[] = [];
    const manifest = await convertCheckpoint({
      source,
      out,
      precision: 'int4',
      onProgress: (p) => seen.push(p),
    });
    expect(await verifyContainer(out, { hashes: true })).toEqual(manifest);
    expect(manifest).toMatchObject({
      precision: 'int4',
      source: { name: 'tied-bf16' },
      graphs: { decoder: { activation: 'float32' } },
    });
    const names = (await readdir(out)).sort();
    expect(names).toEqual([...manifest.files.map(({ name }) => name), 'manifest.json'].sort());
    const total = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
    expect((await estimateConversion(source, 'int4')).bytes).toBe(total);
    expect(seen.every(({ doneBytes }, i) => i === 0 || doneBytes >= seen[i - 1]!.doneBytes)).toBe(true);
    expect(seen.at(-1)!.doneBytes).toBe(seen[0]!.totalBytes);
    // Copied unchanged.
    expect(await readFile(path.join(out, 'tokenizer.json'))).toEqual(
      await readFile(path.join(source, 'tokenizer.json')),
    );
  });

  it('gives the same bytes every time, and does nothing the second time', async () => {
    const [a, b] = [path.join(await scratchFolder(), 'a'), path.join(await scratchFolder(), 'b')];
    await convertCheckpoint({ source, out: a, precision: 'fp16' });
    await convertCheckpoint({ source, out: b, precision: 'fp16' });
    expect(await bytesOf(a)).toEqual(await bytesOf(b));
    const seen: ConversionProgress[] = [];
    await convertCheckpoint({ source, out: a, precision: 'fp16', onProgress: (p) => seen.push(p) });
    expect(seen).toHaveLength(0);
  });

  it('shares one table between embedding and head where they are tied', async () => {
    const folder = await scratchFolder();
    const tied = await convertCheckpoint({ source, out: path.join(folder, 'tied'), precision: 'fp32' });
    const { vocab, hidden } = tied.architecture.text;
    expect(tied.files.find(({ name }) => name === 'embed.000.bin')?.bytes).toBe(vocab * hidden * 4);
    expect(tied.parameters * 4).toBeLessThan(tied.files.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(
      tied.files.filter(({ name }) => name.endsWith('.bin')).reduce((sum, f) => sum + f.bytes, 0),
    ).toBeLessThan(tied.parameters * 4 * 1.02);
  });

  it('cancels, keeps what is finished, and goes on', async () => {
    const out = await scratchFolder();
    const abort = new AbortController();
    const error = await rejection(
      convertCheckpoint({
        source,
        out,
        precision: 'fp32',
        signal: abort.signal,
        onProgress: ({ file }) => file === 'decoder.000.bin' && abort.abort(),
      }),
    );
    expect(error.code).toBe('cancelled');
    expect((await rejection(verifyContainer(out))).code).toBe('container-incomplete');
    const before = await stat(path.join(out, 'vision.000.bin'));
    expect((await readdir(out)).filter((name) => name.endsWith('.part'))).toEqual([]);
    await convertCheckpoint({ source, out, precision: 'fp32' });
    expect((await stat(path.join(out, 'vision.000.bin'))).mtimeMs).toBe(before.mtimeMs);
    await verifyContainer(out, { hashes: true });
  });

  it('starts anew when the checkpoint changed meanwhile', async () => {
    const changing = await copyOfCheckpoint('tied-bf16');
    const out = await scratchFolder();
    const abort = new AbortController();
    const onProgress = ({ file }: ConversionProgress) => file === 'decoder.000.bin' && abort.abort();
    await rejection(
      convertCheckpoint({ source: changing, out, precision: 'fp32', signal: abort.signal, onProgress }),
    );
    await utimes(path.join(changing, 'model.safetensors'), new Date(), new Date(1e12));
    const phases = new Set<string>();
    await convertCheckpoint({
      source: changing,
      out,
      precision: 'fp32',
      onProgress: (p) => phases.add(p.phase),
    });
    expect([...phases]).toEqual(['hash', 'write']);
    await verifyContainer(out, { hashes: true });
  });

  it('refuses a folder that holds something else', async () => {
    const out = await scratchFolder();
    await writeFile(path.join(out, 'holiday.jpg'), 'x');
    expect((await rejection(convertCheckpoint({ source, out, precision: 'fp32' }))).code).toBe(
      'input-invalid',
    );
    expect(await readdir(out)).toEqual(['holiday.jpg']);
    const own = await copyOfCheckpoint('tied-bf16');
    expect((await rejection(convertCheckpoint({ source: own, out: own, precision: 'fp32' }))).code).toBe(
      'input-invalid',
    );
    const other = path.join(await scratchFolder(), 'c');
    await convertCheckpoint({ source, out: other, precision: 'fp32' });
    expect((await rejection(convertCheckpoint({ source, out: other, precision: 'fp16' }))).code).toBe(
      'input-invalid',
    );
  });

  it('names the tensor that is missing, of another shape, or not finite', async () => {
    const folder = await copyOfCheckpoint('tied-bf16');
    const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const convert = async (change: Record<string, unknown>) => {
      await writeFile(path.join(folder, 'config.json'), JSON.stringify({ ...config, ...change }));
      return rejection(convertCheckpoint({ source: folder, out: await scratchFolder(), precision: 'fp32' }));
    };
    expect(await convert({ num_hidden_layers: 3 })).toMatchObject({
      code: 'checkpoint-malformed',
      field: expect.stringContaining('layers.2.'),
    });
    expect((await convert({ vocab_size: 999 })).message).toContain('config.json says [999, 64]');
    // The last two bytes of the file are the last weight: 0x7fc0 is NaN.
    const file = path.join(folder, 'model.safetensors');
    const bytes = await readFile(file);
    bytes.writeUInt16LE(0x7fc0, bytes.length - 2);
    await writeFile(file, bytes);
    expect(await convert({})).toMatchObject({
      code: 'checkpoint-malformed',
      message: expect.stringContaining('NaN'),
    });
  });

  it('says which file a checkpoint lacks', async () => {
    const folder = await copyOfCheckpoint('tied-bf16');
    await rm(path.join(folder, 'tokenizer.json'));
    const error = await rejection(
      convertCheckpoint({ source: folder, out: await scratchFolder(), precision: 'fp32' }),
    );
    expect(error).toMatchObject({
      code: 'checkpoint-missing-file',
      message: expect.stringContaining('tokenizer.json'),
    });
  });

  it('calls a full disk a full disk, and leaves no part behind', async () => {
    const out = await scratchFolder();
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    const error = await rejection(
      writeOutputFile(out, 'a.bin', async (sink) => {
        await sink.write(new Uint8Array(10));
        throw full;
      }),
    );
    expect(error.code).toBe('disk-full');
    expect(await readdir(out)).toEqual([]);
  });
});

describe('a conversion killed in the middle', () => {
  let entry: Awaited<ReturnType<typeof buildEntry>>;
  beforeAll(async () => {
    entry = await buildEntry(path.join(import.meta.dirname, 'testing', 'convert-entry.ts'));
  }, 120_000);
  afterAll(() => entry.remove());

  it('is never taken for whole, and the next run does only what is missing', async () => {
    const out = path.join(await scratchFolder(), 'killed');
    const child = spawn(process.execPath, [entry.file, source, out, 'decoder.000.bin']);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await readdir(out)).toContain('decoder.000.bin.part');
    expect((await rejection(readManifest(out))).code).toBe('container-incomplete');

    const finished = ['vision.000.bin', 'embed.000.bin', 'tokenizer.json'];
    const before = await Promise.all(finished.map((name) => stat(path.join(out, name))));
    await convertCheckpoint({ source, out, precision: 'int4' });
    const after = await Promise.all(finished.map((name) => stat(path.join(out, name))));
    expect(after.map(({ ino, mtimeMs }) => [ino, mtimeMs])).toEqual(
      before.map(({ ino, mtimeMs }) => [ino, mtimeMs]),
    );

    const straight = path.join(await scratchFolder(), 'straight');
    await convertCheckpoint({ source, out: straight, precision: 'int4' });
    expect(await bytesOf(out)).toEqual(await bytesOf(straight));
  }, 120_000);
});

describe('verifyContainer', () => {
  it('notices a file that is missing, short, changed or a link', async () => {
    const out = path.join(await scratchFolder(), 'container');
    await convertCheckpoint({ source, out, precision: 'fp32' });
    const file = path.join(out, 'vision.000.bin');
    const original = await readFile(file);

    const changed = Buffer.from(original);
    changed[1000]! ^= 1;
    await writeFile(file, changed);
    await verifyContainer(out);
    expect((await rejection(verifyContainer(out, { hashes: true }))).code).toBe('container-malformed');
    await writeFile(file, original.subarray(1));
    expect((await rejection(verifyContainer(out))).code).toBe('container-malformed');
    await rm(file);
    expect((await rejection(verifyContainer(out))).code).toBe('container-incomplete');
    await mkdir(file);
    expect((await rejection(verifyContainer(out))).code).toBe('container-malformed');
  });

  it('refuses a manifest that leads out of the folder', async () => {
    const out = path.join(await scratchFolder(), 'container');
    const manifest = await convertCheckpoint({ source, out, precision: 'fp32' });
    const files = [...manifest.files, { name: '../x', bytes: 1, sha256: '0'.repeat(64) }];
    await writeFile(path.join(out, 'manifest.json'), JSON.stringify({ ...manifest, files }));
    expect((await rejection(verifyContainer(out))).code).toBe('container-malformed');
  });
});

describe('fingerprintCheckpoint', () => {
  it('changes with every file that matters, and only then', async () => {
    const folder = await copyOfCheckpoint('tied-bf16');
    const first = await fingerprintCheckpoint(folder);
    await copyFile(path.join(folder, 'config.json'), path.join(folder, 'notes.txt'));
    expect(await fingerprintCheckpoint(folder)).toBe(first);
    await appendFile(path.join(folder, 'tokenizer_config.json'), '\n');
    expect(await fingerprintCheckpoint(folder)).not.toBe(first);
  });
});
