/** Reads fixtures/reference for tests: tables, whole-in-memory safetensors, and PNG pixels. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decode } from 'fast-png';
import type { ImagePixels } from '../engine/language-model.ts';

const folder = new URL('../../fixtures/reference/', import.meta.url);

export function fixtureUrl(name: string): URL {
  return new URL(name, folder);
}

export function fixtureTable<Row>(name: string): Row[] {
  return JSON.parse(readFileSync(fixtureUrl(name), 'utf8')) as Row[];
}

export interface FixtureTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Format: https://huggingface.co/docs/safetensors (u64 header length, JSON header, data). */
export function fixtureTensors(name: string): Map<string, FixtureTensor> {
  const file = readFileSync(fixtureUrl(name));
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const start = 8 + headerLength;
  const found = new Map<string, FixtureTensor>();
  for (const [key, entry] of Object.entries(header)) {
    if (key === '__metadata__') continue;
    const [from, to] = entry.data_offsets;
    // A copy, so that wider views are aligned.
    const bytes = new Uint8Array(file.subarray(start + from, start + to));
    found.set(key, { dtype: entry.dtype, shape: entry.shape, bytes });
  }
  return found;
}

/** A [height, width] or [height, width, 3] tensor of bytes as an image. */
export function tensorImage(tensor: FixtureTensor): ImagePixels {
  const [height, width, channels = 1] = tensor.shape;
  return { width, height, channels: channels === 3 ? 3 : 1, data: tensor.bytes };
}

export function fixtureImage(name: string): ImagePixels {
  const png = decode(readFileSync(fixtureUrl(`images/${name}.png`)));
  return {
    width: png.width,
    height: png.height,
    channels: png.channels === 3 ? 3 : 1,
    data: Uint8Array.from(png.data),
  };
}

export function toRgb(image: ImagePixels): ImagePixels {
  if (image.channels === 3) return image;
  const data = new Uint8Array(image.data.length * 3);
  image.data.forEach((value, i) => {
    data.fill(value, 3 * i, 3 * i + 3);
  });
  return { ...image, channels: 3, data };
}

export function sha256(data: ArrayBufferView): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
}

/** Exact double from Python's float.hex(). */
export function fromFloatHex(text: string): number {
  const match = /^(-?)0x([01])\.([0-9a-f]+)p([+-]\d+)$/.exec(text);
  if (!match) throw new Error(`no hexadecimal float: ${text}`);
  const [, sign, whole, fraction, exponent] = match;
  const mantissa = BigInt(`0x${whole}${fraction}`);
  const value = Number(mantissa) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign ? -value : value;
}
