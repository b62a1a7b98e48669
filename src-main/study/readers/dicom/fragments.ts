/** Encapsulated pixel data (PS3.5 annex A.4): the item stream cut into the bytes of each frame. */
import { malformed, requireBytes } from '../../reader.ts';
import type { DataSet } from './data-set.ts';
import type { Part10 } from './part10.ts';
import type { PixelDescription } from './pixel-description.ts';

interface Fragment {
  /** Position of the item tag, counted from the first fragment's. */
  at: number;
  bytes: Uint8Array;
}

interface ItemStream {
  offsets: number[];
  fragments: Fragment[];
  /** True where the last item promised more bytes than there are. */
  cut: boolean;
}

/**
 * The compressed bytes of every frame.
 *
 * @throws ReadroomError 'file-truncated' where frames are missing, 'file-malformed' where items make no sense.
 */
export function frameBytes(file: Part10, pixels: PixelDescription): Uint8Array[] {
  const { name } = file;
  const stream = readItemStream(file);
  const { fragments } = stream;
  if (fragments.length === 0) throw malformed(name, 'its pixel data has no fragments');
  if (pixels.frames === 1) return [join(fragments)];
  const extended = extendedOffsets(file.dataSet, pixels.frames);
  if (extended) {
    const found = byOffsets(fragments, extended, pixels.frames);
    if (found) return found;
  }
  // RLE frames are one fragment each (PS3.5 annex G.3); elsewhere it is the common case.
  if (fragments.length === pixels.frames) return fragments.map((fragment) => fragment.bytes);
  if (fragments.length < pixels.frames) {
    requireBytes(fragments.length, pixels.frames, name, 'frames (one fragment at least for each)');
  }
  const grouped =
    byOffsets(fragments, stream.offsets, pixels.frames) ?? byStartMarker(fragments, pixels.frames);
  if (grouped) return grouped;
  throw malformed(
    name,
    `its ${fragments.length} fragments cannot be assigned to ${pixels.frames} frames: no valid offset table`,
  );
}

function readItemStream(file: Part10): ItemStream {
  const { dataSet, pixel, name } = file;
  if (!pixel) throw malformed(name, 'it has no pixel data');
  const bytes = dataSet.bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = pixel.offset + pixel.length;
  const stream: ItemStream = { offsets: [], fragments: [], cut: false };
  let position = pixel.offset;
  let first = true;
  let origin = 0;
  while (position + 8 <= end) {
    const group = view.getUint16(position, true);
    const element = view.getUint16(position + 2, true);
    if (group !== 0xfffe || element !== 0xe000) {
      if (first) {
        // Some writers leave the encapsulation out: the compressed frame is the value.
        if (!pixel.undefinedLength)
          return { offsets: [], fragments: [{ at: 0, bytes: bytes.subarray(position, end) }], cut: false };
        throw malformed(name, 'its encapsulated pixel data does not begin with an item');
      }
      // The sequence delimiter, or damage after the last fragment: either way there is nothing more.
      break;
    }
    const length = view.getUint32(position + 4, true);
    const start = position + 8;
    const available = end - start;
    if (length > available) stream.cut = true;
    const stop = start + Math.min(length, available);
    if (first) {
      for (let at = start; at + 4 <= stop; at += 4) stream.offsets.push(view.getUint32(at, true));
      origin = stop;
      first = false;
    } else {
      stream.fragments.push({ at: position - origin, bytes: bytes.subarray(start, stop) });
    }
    position = stop;
  }
  return stream;
}

/** (7FE0,0001) Extended Offset Table: 64-bit offsets, as numbers (files are below 2^53 bytes). */
function extendedOffsets(dataSet: DataSet, frames: number): number[] | undefined {
  const raw = dataSet.raw(0x7fe00001);
  if (!raw || raw.length < frames * 8) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: frames }, (_, i) => Number(view.getBigUint64(i * 8, true)));
}

/** Fragments grouped by the offset of each frame's first one; undefined where the offsets fit no fragments. */
function byOffsets(
  fragments: Fragment[],
  offsets: readonly number[],
  frames: number,
): Uint8Array[] | undefined {
  if (offsets.length !== frames || offsets[0] !== 0) return undefined;
  const indexAt = new Map(fragments.map((fragment, index) => [fragment.at, index]));
  const starts = offsets.map((offset) => indexAt.get(offset));
  const out: Uint8Array[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const from = starts[frame];
    const to = frame + 1 < frames ? starts[frame + 1] : fragments.length;
    if (from === undefined || to === undefined || to <= from) return undefined;
    out.push(join(fragments.slice(from, to)));
  }
  return out;
}

/** Without a table, a frame begins where a fragment begins with a codec's start marker. */
function byStartMarker(fragments: Fragment[], frames: number): Uint8Array[] | undefined {
  const groups: Fragment[][] = [];
  for (const fragment of fragments) {
    const [a, b, c] = fragment.bytes;
    const starts = a === 0xff && ((b === 0xd8 && c === 0xff) || b === 0x4f);
    if (starts || groups.length === 0) groups.push([fragment]);
    else groups[groups.length - 1].push(fragment);
  }
  return groups.length === frames ? groups.map(join) : undefined;
}

function join(fragments: readonly Fragment[]): Uint8Array {
  if (fragments.length === 1) return fragments[0].bytes;
  const total = fragments.reduce((sum, fragment) => sum + fragment.bytes.length, 0);
  const out = new Uint8Array(total);
  let position = 0;
  for (const { bytes } of fragments) {
    out.set(bytes, position);
    position += bytes.length;
  }
  return out;
}
