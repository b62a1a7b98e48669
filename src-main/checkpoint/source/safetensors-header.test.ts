import { open, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { rejection, safetensorsBytes, scratchFolder } from '../testing/scratch.ts';
import { readSafetensorsHeader } from './safetensors-header.ts';

async function read(bytes: Uint8Array) {
  const file = path.join(await scratchFolder(), 'model.safetensors');
  await writeFile(file, bytes);
  const handle = await open(file);
  try {
    return await readSafetensorsHeader(handle, 'model.safetensors');
  } finally {
    await handle.close();
  }
}

const f32 = (shape: number[], start: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

describe('readSafetensorsHeader', () => {
  it('reads tensors, metadata aside', async () => {
    const header = JSON.stringify({
      __metadata__: { format: 'pt' },
      b: f32([2, 3], 4, 28),
      a: f32([], 0, 4),
    });
    const { tensors } = await read(safetensorsBytes(header, 28));
    expect([...tensors.keys()].sort()).toEqual(['a', 'b']);
    expect(tensors.get('b')).toMatchObject({
      type: 'F32',
      shape: [2, 3],
      start: 8 + header.length + 4,
      bytes: 24,
    });
  });

  it.each([
    ['an empty file', Buffer.alloc(0), 'file-truncated', /too few/],
    [
      'a header longer than the file',
      safetensorsBytes('{}', 0, 4000n),
      'file-truncated',
      /claims 4000 bytes/,
    ],
    ['a header of 2^63 bytes', safetensorsBytes('{}', 0, 1n << 63n), 'checkpoint-malformed', /at most/],
    ['no JSON', safetensorsBytes('hello', 0), 'checkpoint-malformed', /no JSON/],
    ['a JSON list', safetensorsBytes('[]', 0), 'checkpoint-malformed', /no JSON object/],
    [
      'a range beyond the end',
      safetensorsBytes({ w: f32([4], 0, 16) }, 8),
      'checkpoint-malformed',
      /'w' claims/,
    ],
    [
      'a range that runs backwards',
      safetensorsBytes({ w: f32([0], 8, 4) }, 8),
      'checkpoint-malformed',
      /'w' claims/,
    ],
    ['a negative offset', safetensorsBytes({ w: f32([1], -4, 0) }, 8), 'checkpoint-malformed', /'w'/],
    ['a fractional size', safetensorsBytes({ w: f32([1.5], 0, 6) }, 6), 'checkpoint-malformed', /'w'/],
    [
      'a shape that is not the bytes',
      safetensorsBytes({ w: f32([3], 0, 8) }, 8),
      'checkpoint-malformed',
      /needs 12 bytes/,
    ],
    [
      'a shape whose product overflows',
      safetensorsBytes({ w: f32([2 ** 50, 2 ** 50], 0, 8) }, 8),
      'checkpoint-malformed',
      /'w'/,
    ],
    [
      'an unknown type',
      safetensorsBytes({ w: { dtype: 'Q4', shape: [1], data_offsets: [0, 4] } }, 4),
      'checkpoint-malformed',
      /unknown type 'Q4'/,
    ],
    [
      'overlapping tensors',
      safetensorsBytes({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12),
      'checkpoint-malformed',
      /'b' overlaps/,
    ],
    ['a hole', safetensorsBytes({ a: f32([1], 4, 8) }, 8), 'checkpoint-malformed', /belong to none/],
    [
      'bytes after the last tensor',
      safetensorsBytes({ a: f32([1], 0, 4) }, 8),
      'checkpoint-malformed',
      /4 bytes after/,
    ],
    [
      'a tensor described twice',
      safetensorsBytes(`{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 0, 4))}}`, 4),
      'checkpoint-malformed',
      /'a' appears twice/,
    ],
  ])('refuses %s', async (_what, bytes, code, message) => {
    const error = await rejection(read(bytes));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });

  it('allocates nothing for a header that only claims to be large', async () => {
    const file = path.join(await scratchFolder(), 'sparse.safetensors');
    await writeFile(file, safetensorsBytes('', 0, 99_000_000n));
    // Sparse: as large as the claim, but empty. Zeros are no JSON.
    await truncate(file, 50_000_000);
    const handle = await open(file);
    const before = process.memoryUsage().arrayBuffers;
    const error = await rejection(readSafetensorsHeader(handle, file));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
    await handle.close();
    expect(error.code).toBe('file-truncated');
  });
});
