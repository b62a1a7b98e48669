/** Modality lookup tables (PS3.3 section C.11.1.1): stored values -> values where a slope does not do. */
import type { DataSet } from './data-set.ts';

export interface ModalityLut {
  first: number;
  values: Float32Array;
  /** 'HU', 'OD', 'US' (unspecified)… */
  type: string;
}

/** The first table of (0028,3000); undefined where it is missing or makes no sense. */
export function readModalityLut(dataSet: DataSet): ModalityLut | undefined {
  const item = dataSet.item(0x00283000);
  if (!item) return undefined;
  const descriptor = item.numbers(0x00283002, 'US');
  const raw = item.raw(0x00283006);
  if (descriptor.length < 3 || !raw) return undefined;
  const entries = descriptor[0] & 0xffff || 65536;
  const bits = descriptor[2];
  const wide = bits > 8 || raw.length >= entries * 2;
  if (raw.length < entries * (wide ? 2 : 1)) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = new Float32Array(entries);
  for (let i = 0; i < entries; i++) {
    values[i] = wide ? view.getUint16(i * 2, dataSet.encoding.littleEndian) : raw[i];
  }
  const signed = dataSet.number(0x00280103, 'US') === 1;
  const first = signed ? (descriptor[1] << 16) >> 16 : descriptor[1];
  return { first, values, type: item.string(0x00283004) ?? '' };
}

/** Values below and above the table take its ends. */
export function lookUp(lut: ModalityLut, stored: number): number {
  const index = stored - lut.first;
  return lut.values[index < 0 ? 0 : index >= lut.values.length ? lut.values.length - 1 : index];
}
