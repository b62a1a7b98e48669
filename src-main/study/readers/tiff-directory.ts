/** TIFF image file directories (TIFF 6.0, section 2): the pages of a file and their tags, every offset checked. */
import { malformed, requireBytes, unsupported } from '../reader.ts';

export interface TiffDirectory {
  /** Numbers of a tag; [] when it is absent. */
  numbers(tag: number): number[];
  /** First number of a tag, or the default that the standard gives. */
  number(tag: number, missing: number): number;
  text(tag: number): string;
}

export interface TiffFile {
  littleEndian: boolean;
  directories: TiffDirectory[];
}

/** Bytes of a value of each field type 1..12. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const maxPages = 100_000;

export function isTiff(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 8) return false;
  const [a, b, c, d] = bytes;
  return (
    (a === 0x49 && b === 0x49 && (c === 42 || c === 43) && d === 0) ||
    (a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43))
  );
}

export function readDirectories(bytes: Uint8Array, name: string): TiffFile {
  if (!isTiff(bytes)) throw malformed(name, 'it does not begin as a TIFF');
  const littleEndian = bytes[0] === 0x49;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(2, littleEndian) === 43) {
    throw unsupported(name, 'it is a BigTIFF', 'Save it as an ordinary TIFF (below 4 GB) or as NIfTI.');
  }
  const directories: TiffDirectory[] = [];
  const seen = new Set<number>();
  for (let at = view.getUint32(4, littleEndian); at !== 0; ) {
    if (seen.has(at) || seen.size >= maxPages)
      throw malformed(name, 'its pages refer to each other in a circle');
    seen.add(at);
    requireBytes(bytes.byteLength - at, 2, name, 'page descriptions');
    const count = view.getUint16(at, littleEndian);
    requireBytes(bytes.byteLength - at, 2 + count * 12 + 4, name, 'page descriptions');
    directories.push(directory(view, at + 2, count, littleEndian, name));
    at = view.getUint32(at + 2 + count * 12, littleEndian);
  }
  if (directories.length === 0) throw malformed(name, 'it has no page');
  return { littleEndian, directories };
}

function directory(
  view: DataView,
  from: number,
  count: number,
  little: boolean,
  name: string,
): TiffDirectory {
  const entries = new Map<number, number>();
  for (let i = 0; i < count; i++) entries.set(view.getUint16(from + i * 12, little), from + i * 12);

  const locate = (tag: number) => {
    const entry = entries.get(tag);
    if (entry === undefined) return undefined;
    const type = view.getUint16(entry + 2, little);
    const length = view.getUint32(entry + 4, little);
    const bytes = (typeBytes[type] ?? 0) * length;
    if (bytes === 0) return undefined;
    const at = bytes <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
    requireBytes(view.byteLength - at, bytes, name, `values of tag ${tag}`);
    return { type, length, at };
  };
  const numbers = (tag: number): number[] => {
    const found = locate(tag);
    if (!found) return [];
    const { type, length, at } = found;
    return Array.from({ length }, (_, i) => {
      const position = at + i * typeBytes[type];
      if (type === 3) return view.getUint16(position, little);
      if (type === 4) return view.getUint32(position, little);
      if (type === 8) return view.getInt16(position, little);
      if (type === 9) return view.getInt32(position, little);
      return typeBytes[type] === 1 ? view.getUint8(position) : Number.NaN;
    });
  };
  return {
    numbers,
    number: (tag, missing) => numbers(tag)[0] ?? missing,
    text: (tag) => {
      const found = locate(tag);
      if (!found || typeBytes[found.type] !== 1) return '';
      const raw = new Uint8Array(view.buffer, view.byteOffset + found.at, found.length);
      return Buffer.from(raw).toString('utf8').replace(/\0+$/, '');
    },
  };
}
