/** Slice bytes from the main side as typed arrays of a type that the display can hold. */
import type { SeriesPixelsView } from '../../../src-contract/channels.ts';
import { ReadroomError } from '../../../src-contract/errors.ts';

export type Pixels = Uint8Array | Int16Array | Uint16Array | Float32Array;

const bytesPerValue = { uint8: 1, int16: 2, uint16: 2, int32: 4, float32: 4 } as const;

/** What one slice takes in the page. */
export const bytesPerSlice = ({ type, columns, rows, channels }: SeriesPixelsView): number =>
  columns * rows * channels * (channels === 3 ? 1 : bytesPerValue[type]);

/**
 * Whole 32-bit numbers are shown as float32, in the same memory; colours of 16 bits are brought to 8 by their own range.
 * @throws ReadroomError 'file-truncated' when the bytes are not one slice
 */
export function toPixels(
  bytes: ArrayBuffer,
  { type, columns, rows, channels, range }: SeriesPixelsView,
): Pixels {
  const count = columns * rows * channels;
  if (bytes.byteLength !== count * bytesPerValue[type]) {
    throw new ReadroomError('file-truncated', 'A slice arrived incomplete.', {
      remedy: 'Open the study again.',
    });
  }
  const values = view(bytes, type);
  return channels === 3 && !(values instanceof Uint8Array) ? toBytes(values, range) : values;
}

function view(bytes: ArrayBuffer, type: SeriesPixelsView['type']): Pixels {
  switch (type) {
    case 'uint8':
      return new Uint8Array(bytes);
    case 'int16':
      return new Int16Array(bytes);
    case 'uint16':
      return new Uint16Array(bytes);
    case 'float32':
      return new Float32Array(bytes);
    case 'int32': {
      const whole = new Int32Array(bytes);
      const floats = new Float32Array(bytes);
      for (let n = 0; n < whole.length; n++) floats[n] = whole[n];
      return floats;
    }
  }
}

function toBytes(values: Pixels, [low, high]: readonly [number, number]): Uint8Array {
  const out = new Uint8Array(values.length);
  const factor = high > low ? 255 / (high - low) : 0;
  for (let n = 0; n < values.length; n++) out[n] = Math.round((values[n] - low) * factor);
  return out;
}
