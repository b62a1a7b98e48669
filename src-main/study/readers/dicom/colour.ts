/** Stored colours -> 8-bit RGB for display (PS3.3 sections C.7.6.3.1.2 and C.7.9). */
import type { StoredArray } from '../../pixels.ts';
import type { DataSet } from './data-set.ts';

/** Red, green and blue of every palette entry, 8 bits each. */
export interface Palette {
  /** The stored value that the first entry belongs to. */
  first: number;
  entries: number;
  /** entries * 3 bytes. */
  rgb: Uint8Array;
}

/** What the three samples of a pixel are. */
export type ColourModel = 'rgb' | 'ybr-full' | 'ybr-partial';

export function colourModel(photometric: string, fromStream: 'rgb' | 'ybr' | undefined): ColourModel {
  if (fromStream) return fromStream === 'rgb' ? 'rgb' : 'ybr-full';
  if (photometric.startsWith('YBR_PARTIAL')) return 'ybr-partial';
  // JPEG 2000 codecs undo YBR_RCT and YBR_ICT themselves.
  if (photometric === 'YBR_FULL' || photometric === 'YBR_FULL_422') return 'ybr-full';
  return 'rgb';
}

/** Three samples a pixel -> RGB bytes; deeper samples keep their highest eight bits. */
export function toRgb(data: StoredArray, model: ColourModel, bitsStored: number): Uint8Array {
  const out = new Uint8Array(data.length);
  const shift = 2 ** Math.max(0, bitsStored - 8);
  for (let i = 0; i < data.length; i++) out[i] = data[i] / shift;
  if (model !== 'rgb') convertInPlace(out, model);
  return out;
}

function convertInPlace(data: Uint8Array, model: ColourModel): void {
  const clamped = new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);
  const partial = model === 'ybr-partial';
  for (let i = 0; i + 2 < data.length; i += 3) {
    const cb = data[i + 1] - 128;
    const cr = data[i + 2] - 128;
    if (partial) {
      const y = 1.1644 * (data[i] - 16);
      clamped[i] = y + 1.596 * cr;
      clamped[i + 1] = y - 0.3917 * cb - 0.8129 * cr;
      clamped[i + 2] = y + 2.0173 * cb;
    } else {
      const y = data[i];
      clamped[i] = y + 1.402 * cr;
      clamped[i + 1] = y - 0.344136 * cb - 0.714136 * cr;
      clamped[i + 2] = y + 1.772 * cb;
    }
  }
}

export function applyPalette(data: StoredArray, palette: Palette): Uint8Array {
  const out = new Uint8Array(data.length * 3);
  const last = palette.entries - 1;
  for (let i = 0; i < data.length; i++) {
    const index = Math.min(last, Math.max(0, data[i] - palette.first)) * 3;
    out[i * 3] = palette.rgb[index];
    out[i * 3 + 1] = palette.rgb[index + 1];
    out[i * 3 + 2] = palette.rgb[index + 2];
  }
  return out;
}

/** The palette of a PALETTE COLOR image; undefined where it is missing or makes no sense. */
export function readPalette(dataSet: DataSet, signed: boolean): Palette | undefined {
  const descriptor = dataSet.numbers(0x00281101, signed ? 'SS' : 'US');
  if (descriptor.length < 3) return undefined;
  const entries = descriptor[0] & 0xffff || 65536;
  const bits = descriptor[2] & 0xffff;
  if (bits !== 8 && bits !== 16) return undefined;
  const rgb = new Uint8Array(entries * 3);
  for (let channel = 0; channel < 3; channel++) {
    const plain = dataSet.raw(0x00281201 + channel);
    const segmented = dataSet.raw(0x00281221 + channel);
    const { littleEndian } = dataSet.encoding;
    const values = plain
      ? readEntries(plain, bits, entries, littleEndian)
      : segmented && expandSegments(readEntries(segmented, bits, segmented.length, littleEndian), entries);
    if (!values || values.length < entries) return undefined;
    for (let i = 0; i < entries; i++) rgb[i * 3 + channel] = bits === 16 ? values[i] >> 8 : values[i];
  }
  return { first: descriptor[1], entries, rgb };
}

/** Entries of 8 bits lie one a byte, or one a word in older files. */
function readEntries(raw: Uint8Array, bits: number, entries: number, littleEndian: boolean): number[] {
  if (bits === 8 && raw.length < entries * 2) return Array.from(raw);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const count = Math.min(entries, raw.length >> 1);
  return Array.from({ length: count }, (_, i) => view.getUint16(i * 2, littleEndian));
}

/** Segmented palettes (PS3.3 section C.7.9.2): discrete runs and linear ramps; indirect segments are not in use. */
function expandSegments(codes: number[], entries: number): number[] | undefined {
  const out: number[] = [];
  let at = 0;
  while (at + 1 < codes.length && out.length < entries) {
    const [kind, length] = [codes[at], codes[at + 1]];
    at += 2;
    if (kind === 0) {
      for (let i = 0; i < length && at < codes.length; i++) out.push(codes[at++]);
    } else if (kind === 1 && out.length > 0 && at < codes.length) {
      const from = out[out.length - 1];
      const to = codes[at++];
      for (let i = 1; i <= length; i++) out.push(Math.round(from + ((to - from) * i) / length));
    } else return undefined;
    if (out.length > 65536 * 2) return undefined;
  }
  return out;
}
