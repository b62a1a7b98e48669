/** Temporary folders and made-up safetensors files for tests. */
import { copyFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { CheckpointFolder } from '../source/checkpoint-folder.ts';
import { CheckpointTensors } from '../source/checkpoint-tensors.ts';

const fixtures = path.resolve(import.meta.dirname, '../../../fixtures/reference/models');

/** The folder of a fixture checkpoint; read only. */
export function fixtureCheckpoint(name: string): string {
  return path.join(fixtures, name);
}

/** A new folder, removed after the test. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'readroom-checkpoint-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A copy of a fixture checkpoint that a test may damage. */
export async function copyOfCheckpoint(name: string): Promise<string> {
  const folder = path.join(await scratchFolder(), name);
  await cp(fixtureCheckpoint(name), folder, { recursive: true });
  return folder;
}

export interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly number[];
}

/** The bytes of a .safetensors file; a string as header is taken as it is. */
export function safetensorsBytes(
  header: Readonly<Record<string, HeaderEntry>> | string,
  dataBytes: number,
  claimedLength?: bigint,
): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimedLength ?? BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)]);
}

export async function writeSafetensors(
  file: string,
  ...made: Parameters<typeof safetensorsBytes>
): Promise<void> {
  await writeFile(file, safetensorsBytes(...made));
}

/** The bytes of every tensor of a .safetensors file, by our own reader. */
export async function readTensors(
  folder: string,
  file: string,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'readroom-tensors-'));
  try {
    await copyFile(path.join(folder, file), path.join(scratch, 'model.safetensors'));
    const tensors = await CheckpointTensors.open(await CheckpointFolder.open(scratch));
    const read = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const tensor of tensors.values()) {
      const bytes = new Uint8Array(tensor.bytes);
      await tensors.read(tensor, 0, bytes);
      read.set(tensor.name, bytes);
    }
    await tensors.close();
    return read;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** What a promise was rejected with, which must be one of our errors. */
export async function rejection(promise: Promise<unknown>): Promise<ReadroomError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(ReadroomError);
  return thrown as ReadroomError;
}
