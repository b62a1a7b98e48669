import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  copyOfCheckpoint,
  fixtureCheckpoint,
  rejection,
  scratchFolder,
  writeSafetensors,
} from '../testing/scratch.ts';
import { CheckpointFolder } from './checkpoint-folder.ts';
import { CheckpointTensors } from './checkpoint-tensors.ts';

const openTensors = async (folder: string) => CheckpointTensors.open(await CheckpointFolder.open(folder));

const one = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };

async function indexed(
  weightMap: Record<string, string>,
  files: Record<string, string[]> = {},
): Promise<string> {
  const folder = await scratchFolder();
  await writeFile(
    path.join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ weight_map: weightMap }),
  );
  for (const [file, names] of Object.entries(files)) {
    const entries = names.map((name, i) => [name, { ...one, data_offsets: [4 * i, 4 * i + 4] }]);
    await writeSafetensors(path.join(folder, file), Object.fromEntries(entries), 4 * names.length);
  }
  return folder;
}

describe('CheckpointTensors', () => {
  it('joins shards and reads ranges of them', async () => {
    const tensors = await openTensors(fixtureCheckpoint('untied-f32-sharded'));
    expect(tensors.files).toHaveLength(3);
    const tensor = [...tensors.values()].find(({ shape }) => shape.length === 2)!;
    const whole = new Uint8Array(tensor.bytes);
    await tensors.read(tensor, 0, whole);
    const part = new Uint8Array(64);
    await tensors.read(tensor, 100, part);
    expect(part).toEqual(whole.slice(100, 164));
    await tensors.close();
  });

  it.each([
    '../outside.safetensors',
    '/etc/passwd.safetensors',
    'a/b.safetensors',
    '..\\x.safetensors',
    'C:x.safetensors',
  ])('never follows an index to %s', async (file) => {
    const error = await rejection(openTensors(await indexed({ w: file })));
    expect(error.code).toBe('checkpoint-malformed');
    expect(error.message).toContain('leave the folder');
  });

  it('never follows a link out of the folder', async () => {
    const folder = await indexed({ w: 'a.safetensors' });
    const outside = path.join(await scratchFolder(), 'a.safetensors');
    await writeSafetensors(outside, { w: one }, 4);
    await symlink(outside, path.join(folder, 'a.safetensors'));
    const error = await rejection(openTensors(folder));
    expect(error.message).toContain('link out of');
  });

  it('follows the links of the Hugging Face cache', async () => {
    const repository = path.join(await scratchFolder(), 'models--owner--name');
    const snapshot = path.join(repository, 'snapshots', 'abc');
    await mkdir(snapshot, { recursive: true });
    await mkdir(path.join(repository, 'blobs'));
    await writeSafetensors(path.join(repository, 'blobs', '123'), { w: one }, 4);
    await symlink('../../blobs/123', path.join(snapshot, 'model.safetensors'));
    expect((await openTensors(snapshot)).get('w')?.bytes).toBe(4);
  });

  it('refuses a tensor that two shards hold', async () => {
    const folder = await indexed(
      { v: 'a.safetensors', w: 'b.safetensors' },
      { 'a.safetensors': ['v', 'w'], 'b.safetensors': ['w'] },
    );
    expect((await rejection(openTensors(folder))).message).toMatch(
      /'w' is in both a.safetensors and b.safetensors/,
    );
  });

  it('refuses an index that does not fit the shards', async () => {
    const folder = await indexed({ v: 'a.safetensors', w: 'a.safetensors' }, { 'a.safetensors': ['v'] });
    expect(await rejection(openTensors(folder))).toMatchObject({ code: 'checkpoint-malformed', field: 'w' });
  });

  it('names the shard that is missing, and a folder without weights', async () => {
    const folder = await copyOfCheckpoint('untied-f32-sharded');
    const shard = 'model-00002-of-00003.safetensors';
    await rename(path.join(folder, shard), path.join(folder, 'x'));
    expect(await rejection(openTensors(folder))).toMatchObject({
      code: 'checkpoint-missing-file',
      message: expect.stringContaining(shard),
    });
    await rm(path.join(folder, 'model.safetensors.index.json'));
    expect((await rejection(openTensors(folder))).code).toBe('checkpoint-missing-file');
  });

  it('notices a shard that was cut short', async () => {
    const folder = await copyOfCheckpoint('tied-bf16');
    const file = path.join(folder, 'model.safetensors');
    await writeFile(file, (await readFile(file)).subarray(0, -1000));
    expect((await rejection(openTensors(folder))).code).toBe('checkpoint-malformed');
  });
});
