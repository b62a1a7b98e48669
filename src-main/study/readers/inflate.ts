/**
 * Decompression into a buffer whose size is known beforehand, so that a few kilobytes of input can never grow into
 * more memory than the header asked for. Uses Node's zlib (checksums verified), streamed in pieces.
 */
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { toReadroomError } from '../../../src-contract/errors.ts';
import {
  formatBytes,
  malformed,
  requireBytes,
  requireInflatable,
  throwIfCancelled,
  tooLarge,
} from '../reader.ts';

export type Wrapping = 'gzip' | 'zlib' | 'raw';

const pieceBytes = 256 * 1024;

/** How much may follow the wanted range before the rest (and with it the checksum) is left unread. */
const tailAllowance = 1024 * 1024;

export interface InflateRange {
  /** Bytes of the inflated stream to pass over. */
  skip: number;
  /** Bytes wanted after them. */
  count: number;
}

function decoder(wrapping: Wrapping, chunkSize: number) {
  if (wrapping === 'gzip') return createGunzip({ chunkSize });
  return wrapping === 'zlib' ? createInflate({ chunkSize }) : createInflateRaw({ chunkSize });
}

/**
 * Exactly `range.count` inflated bytes in a buffer of their own.
 *
 * @throws ReadroomError 'file-truncated' when the stream ends before, 'file-malformed' when it is not a valid stream.
 */
export async function inflateRange(
  wrapping: Wrapping,
  compressed: Uint8Array,
  range: InflateRange,
  name: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  requireInflatable(compressed.byteLength, range.skip + range.count, name);
  // Pages of a zero-filled buffer are not committed before they are written, so a lie costs address space only.
  const out = new Uint8Array(range.count);
  const end = range.skip + range.count;
  const got = await consume(wrapping, compressed, name, end + tailAllowance, signal, (chunk, position) => {
    const from = Math.max(0, range.skip - position);
    const to = Math.min(chunk.byteLength, end - position);
    if (to > from) out.set(chunk.subarray(from, to), position + from - range.skip);
  });
  requireBytes(got - range.skip, range.count, name, 'compressed pixels');
  return out;
}

/** Up to `count` bytes from the start of the inflated stream: fewer where it is shorter or cut. Never throws. */
export async function inflatePrefix(
  wrapping: Wrapping,
  compressed: Uint8Array,
  count: number,
): Promise<Uint8Array> {
  const out = new Uint8Array(count);
  let filled = 0;
  try {
    await consume(wrapping, compressed, '', count, undefined, (chunk, position) => {
      const part = chunk.subarray(0, Math.max(0, count - position));
      out.set(part, position);
      filled = position + part.byteLength;
    });
  } catch {
    // What came before the fault is what the caller asked for.
  }
  return out.subarray(0, filled);
}

/**
 * Everything in a stream whose length nobody states, up to `limit` bytes.
 *
 * @throws ReadroomError 'file-too-large' beyond the limit, 'file-malformed' or 'file-truncated' for a bad stream.
 */
export async function inflateAll(
  wrapping: Wrapping,
  compressed: Uint8Array,
  limit: number,
  name: string,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const total = await consume(wrapping, compressed, name, limit, undefined, (chunk) => pieces.push(chunk));
  if (total > limit) throw tooLarge(name, `its compressed part grows beyond ${formatBytes(limit)}`);
  const out = new Uint8Array(total);
  let position = 0;
  for (const piece of pieces) {
    out.set(piece, position);
    position += piece.byteLength;
  }
  return out;
}

/** Feeds inflated pieces to `take` until the stream ends or `enough` is passed. Returns the number of bytes seen. */
async function consume(
  wrapping: Wrapping,
  compressed: Uint8Array,
  name: string,
  enough: number,
  signal: AbortSignal | undefined,
  take: (chunk: Uint8Array, position: number) => void,
): Promise<number> {
  const chunkSize = Math.max(1024, Math.min(pieceBytes, enough));
  const stream = decoder(wrapping, chunkSize);
  let position = 0;
  try {
    stream.end(compressed);
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      throwIfCancelled(signal);
      take(chunk, position);
      position += chunk.byteLength;
      if (position > enough) break;
    }
    return position;
  } catch (thrown) {
    if (isZlibError(thrown, 'Z_BUF_ERROR')) return position;
    if (isZlibError(thrown)) {
      throw malformed(name, 'its compressed data is damaged', thrown.message);
    }
    throw toReadroomError(thrown, 'file-malformed', { file: name });
  } finally {
    stream.destroy();
  }
}

function isZlibError(thrown: unknown, code?: string): thrown is Error & { code: string } {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'string') return false;
  return code === undefined ? thrown.code.startsWith('Z_') : thrown.code === code;
}
