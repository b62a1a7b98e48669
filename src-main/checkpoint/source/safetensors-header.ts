/**
 * The header of a .safetensors file: 8 bytes of length, then JSON that maps each tensor to a type, a shape and a range
 * of the bytes that follow. Headers lie, so nothing in one is believed before it is held against the file's own size.
 *
 * Source of the format: https://huggingface.co/docs/safetensors (limits and the "no holes, no overlaps" rule included).
 */
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { firstDuplicateKey } from './duplicate-key.ts';

/** Bytes of one element of the types the format has. */
const typeBytes: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
};

/** The reference implementation's own limit. */
const maxHeaderBytes = 100_000_000;
const lengthBytes = 8;

export interface TensorEntry {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** Absolute position of the first byte in the file. */
  readonly start: number;
  readonly bytes: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Length field and JSON, as read: what a fingerprint is made of. */
  readonly raw: Buffer;
}

const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(size).max(16),
  data_offsets: z.tuple([size, size]),
});

const remedy = 'The file is damaged or was not fully downloaded: download it again.';

/**
 * Reads and checks the header of an open file. Allocates at most the header's own length, and that only once it is
 * known to lie inside the file.
 *
 * @param file name for messages
 * @throws ReadroomError 'file-truncated' when the file is shorter than it says, 'checkpoint-malformed' otherwise
 */
export async function readSafetensorsHeader(handle: FileHandle, file: string): Promise<SafetensorsHeader> {
  const fileBytes = (await handle.stat()).size;
  const malformed = (message: string, field?: string) =>
    new ReadroomError('checkpoint-malformed', `${file}: ${message}`, { file, field, remedy });
  if (fileBytes < lengthBytes) {
    throw new ReadroomError(
      'file-truncated',
      `${file} has ${fileBytes} bytes: too few for a safetensors file`,
      {
        file,
        remedy,
      },
    );
  }
  const prefix = Buffer.alloc(lengthBytes);
  await readExactly(handle, prefix, 0, file);
  const claimed = prefix.readBigUInt64LE();
  if (claimed > BigInt(maxHeaderBytes))
    throw malformed(`header claims ${claimed} bytes; at most ${maxHeaderBytes} is allowed`);
  const headerBytes = Number(claimed);
  if (lengthBytes + headerBytes > fileBytes) {
    throw new ReadroomError(
      'file-truncated',
      `${file}: header claims ${headerBytes} bytes, but the file has only ${fileBytes} in all`,
      { file, remedy },
    );
  }
  const raw = Buffer.alloc(lengthBytes + headerBytes);
  await readExactly(handle, raw, 0, file);
  const text = raw.toString('utf8', lengthBytes);
  const parsed = parseObject(text, malformed);
  const duplicate = firstDuplicateKey(text);
  if (duplicate !== null) throw malformed(`tensor '${duplicate}' appears twice in the header`, duplicate);

  const tensors = new Map<string, TensorEntry>();
  const dataStart = raw.length;
  for (const [name, value] of Object.entries(parsed)) {
    if (name === '__metadata__') continue;
    tensors.set(name, checkEntry(name, value, dataStart, fileBytes, malformed));
  }
  checkCoverage([...tensors.values()], dataStart, fileBytes, file, malformed);
  return { tensors, raw };
}

type Malformed = (message: string, field?: string) => ReadroomError;

function parseObject(text: string, malformed: Malformed): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(`header is no JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('header is no JSON object');
  return value as Record<string, unknown>;
}

function checkEntry(
  name: string,
  value: unknown,
  dataStart: number,
  fileBytes: number,
  malformed: Malformed,
): TensorEntry {
  const entry = entrySchema.safeParse(value);
  if (!entry.success)
    throw malformed(`tensor '${name}' is described wrongly: ${entry.error.issues[0]?.message}`, name);
  const { dtype, shape, data_offsets } = entry.data;
  const [begin, end] = data_offsets;
  const elementBytes = typeBytes[dtype];
  if (elementBytes === undefined) throw malformed(`tensor '${name}' has the unknown type '${dtype}'`, name);
  if (begin > end || dataStart + end > fileBytes) {
    throw malformed(
      `tensor '${name}' claims bytes ${begin} to ${end}, but ${fileBytes - dataStart} bytes of data are there`,
      name,
    );
  }
  const expected = shape.reduce((product, side) => product * side, elementBytes);
  if (expected !== end - begin) {
    throw malformed(
      `tensor '${name}' of shape [${shape.join(', ')}] and type ${dtype} needs ${expected} bytes, but has ${end - begin}`,
      name,
    );
  }
  return { name, type: dtype, shape, start: dataStart + begin, bytes: end - begin };
}

/** Every byte of data belongs to exactly one tensor. */
function checkCoverage(
  tensors: TensorEntry[],
  dataStart: number,
  fileBytes: number,
  file: string,
  malformed: Malformed,
): void {
  tensors.sort((a, b) => a.start - b.start || a.bytes - b.bytes);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.start < end)
      throw malformed(`tensor '${tensor.name}' overlaps the one before it`, tensor.name);
    if (tensor.start > end)
      throw malformed(
        `${tensor.start - end} bytes before tensor '${tensor.name}' belong to none`,
        tensor.name,
      );
    end = tensor.start + tensor.bytes;
  }
  if (end !== fileBytes)
    throw malformed(`${fileBytes - end} bytes after the last tensor of ${file} belong to none`);
}

/**
 * Fills `target` from `position` of the file.
 *
 * @throws ReadroomError 'file-truncated' when the file ends before
 */
export async function readExactly(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  file: string,
): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await handle.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) {
      throw new ReadroomError(
        'file-truncated',
        `${file} ended at byte ${position + done} while it was being read`,
        {
          file,
          remedy,
        },
      );
    }
    done += bytesRead;
  }
}
