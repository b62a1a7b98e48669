/**
 * Reads DICOM data elements (PS3.5 section 7) without a data dictionary.
 *
 * Our own rather than dicom-parser's, because headers lie: dicom-parser 1.8 takes the value representations OV, SV and
 * UV for short ones (so it derails on an extended offset table), parses nested sequences without a bound, and drops
 * the pixel data of a file that is cut short. Here sequences are parsed when asked for, every length is held against
 * the bytes that are there, and what came before a fault is kept.
 */

/** How elements are written: set by the transfer syntax, or found out by looking. */
export interface Encoding {
  explicit: boolean;
  littleEndian: boolean;
}

export interface Element {
  /** (group << 16 | element), unsigned. */
  tag: number;
  /** Two letters, or '' where the encoding does not say. */
  vr: string;
  /** Where the value starts. */
  offset: number;
  /** Bytes of the value; for an undefined length, all that follows up to the delimiter (or the end). */
  length: number;
  undefinedLength: boolean;
  /** True when the header promised more bytes than there are: `length` is what is there. */
  cut: boolean;
}

export interface ElementList {
  elements: Map<number, Element>;
  /** The first of the three pixel data elements at the top level: reading stops there. */
  pixel?: Element;
  /** Where reading stopped. */
  end: number;
  /** Why reading stopped before the end, if it did. */
  fault?: string;
}

const longForm = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const shortForm = new Set(
  'AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' ') as readonly string[],
);

export function isKnownVr(vr: string): boolean {
  return longForm.has(vr) || shortForm.has(vr);
}

const item = 0xfffee000;
const itemEnd = 0xfffee00d;
const sequenceEnd = 0xfffee0dd;
const undefinedLength = 0xffffffff;
const pixelTags = new Set([0x7fe00008, 0x7fe00009, 0x7fe00010]);

/** Deeper nesting than any object of the standard has (structured reports reach about 15). */
const maxDepth = 48;
/** More elements than any image header has; bounds the time that a hostile file can take. */
const maxElements = 2_000_000;

/** Inside this file, a fault in the bytes; callers see it as `ElementList.fault`. */
class Fault extends Error {}

interface Walk {
  bytes: Uint8Array;
  view: DataView;
  encoding: Encoding;
  left: number;
}

function startWalk(bytes: Uint8Array, encoding: Encoding): Walk {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, encoding, left: maxElements };
}

/**
 * The elements of one data set in [start, end).
 *
 * @param stop Returns true for a tag that is no longer part of it (used for the file meta group).
 */
export function readElements(
  bytes: Uint8Array,
  start: number,
  end: number,
  encoding: Encoding,
  stop: (tag: number) => boolean = () => false,
): ElementList {
  const list: ElementList = { elements: new Map(), end: start };
  const walk = startWalk(bytes, encoding);
  try {
    walkDataSet(walk, start, end, 0, stop, list);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    list.fault = thrown.message;
  }
  return list;
}

/** The items of a sequence, each as its own list; a faulty sequence gives the items before the fault. */
export function readItems(bytes: Uint8Array, sequence: Element, encoding: Encoding): ElementList[] {
  const lists: ElementList[] = [];
  const walk = startWalk(bytes, sequence.vr === 'UN' ? { explicit: false, littleEndian: true } : encoding);
  const end = Math.min(bytes.length, sequence.offset + sequence.length);
  try {
    let position = sequence.offset;
    while (position + 8 <= end) {
      const tag = readTag(walk, position);
      const length = u32(walk, position + 4);
      position += 8;
      if (tag !== item) break;
      const list: ElementList = { elements: new Map(), end: position };
      lists.push(list);
      const itemLimit = length === undefinedLength ? end : Math.min(end, position + length);
      position = walkDataSet(walk, position, itemLimit, 1, () => false, list);
      if (length !== undefinedLength) position = itemLimit;
    }
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
  }
  return lists;
}

function u16(walk: Walk, at: number): number {
  return walk.view.getUint16(at, walk.encoding.littleEndian);
}

function u32(walk: Walk, at: number): number {
  return walk.view.getUint32(at, walk.encoding.littleEndian);
}

function readTag(walk: Walk, at: number): number {
  return u16(walk, at) * 65536 + u16(walk, at + 2);
}

/** Walks one data set; fills `list` where given. Returns the position after it. */
function walkDataSet(
  walk: Walk,
  start: number,
  end: number,
  depth: number,
  stop: (tag: number) => boolean,
  list?: ElementList,
): number {
  if (depth > maxDepth) throw new Fault(`sequences are nested more than ${maxDepth} deep`);
  let position = start;
  while (position + 8 <= end) {
    const tag = readTag(walk, position);
    if (stop(tag)) break;
    // A delimiter at the top level is a writer's slip (it closes nothing): pass over it.
    if (tag === itemEnd || tag === sequenceEnd) {
      position += 8;
      if (depth > 0 && tag === itemEnd) break;
      if (depth > 0) return position - 8;
      continue;
    }
    if (--walk.left < 0) throw new Fault('there are more data elements than any image has');
    const element = readElementHeader(walk, position, end, tag);
    if (list && depth === 0 && pixelTags.has(tag)) {
      list.pixel = element;
      list.end = element.offset;
      return element.offset;
    }
    position = element.offset + element.length;
    if (element.undefinedLength) {
      position = skipUndefined(walk, element, end, depth);
      element.length = position - element.offset;
    }
    // The first of two equal tags counts: the second is most often padding or damage.
    if (list && !list.elements.has(tag)) list.elements.set(tag, element);
    if (list) list.end = position;
    if (element.cut) throw new Fault(`the element ${formatTag(tag)} runs past the end`);
  }
  if (list) list.end = position;
  return position;
}

function readElementHeader(walk: Walk, at: number, end: number, tag: number): Element {
  let vr = '';
  let offset = at + 8;
  let length: number;
  if (walk.encoding.explicit) vr = readVr(walk.bytes, at + 4);
  if (!/^[A-Z]{2}$/.test(vr)) {
    // Implicit, or an implicit element inside an explicit data set, which some writers produce.
    vr = '';
    length = u32(walk, at + 4);
  } else if (shortForm.has(vr)) {
    length = u16(walk, at + 6);
  } else {
    // PS3.5 section 7.1.2: all other value representations, future ones too, have a 32-bit length.
    if (at + 12 > end) throw new Fault(`the element ${formatTag(tag)} runs past the end`);
    length = u32(walk, at + 8);
    offset = at + 12;
  }
  const open = length === undefinedLength;
  const available = end - offset;
  const cut = !open && length > available;
  return { tag, vr, offset, length: open || cut ? available : length, undefinedLength: open, cut };
}

export function readVr(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0);
}

/** Passes over a value of undefined length: a sequence, or (outside pixel data) encapsulated fragments. */
function skipUndefined(walk: Walk, element: Element, end: number, depth: number): number {
  const inner: Walk = walk;
  const saved = walk.encoding;
  // PS3.5 section 6.2.2 note 4: an UN element of undefined length is encoded as implicit little endian.
  if (element.vr === 'UN') inner.encoding = { explicit: false, littleEndian: true };
  try {
    let position = element.offset;
    while (position + 8 <= end) {
      const tag = readTag(inner, position);
      const length = u32(inner, position + 4);
      position += 8;
      if (tag === sequenceEnd) return position;
      if (tag !== item) throw new Fault(`${formatTag(element.tag)} has no item where one is due`);
      if (--walk.left < 0) throw new Fault('there are more sequence items than any image has');
      if (length === undefinedLength) position = walkDataSet(inner, position, end, depth + 1, () => false);
      else if (length > end - position)
        throw new Fault(`an item of ${formatTag(element.tag)} runs past the end`);
      else position += length;
    }
    return end;
  } finally {
    walk.encoding = saved;
  }
}

/** '(0028,0010)', as the standard and every other tool write it. */
export function formatTag(tag: number): string {
  const hex = tag.toString(16).padStart(8, '0').toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
