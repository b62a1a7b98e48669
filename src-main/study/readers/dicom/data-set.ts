/** Values of data elements, read tolerantly: what is absent, empty or nonsense is `undefined`, never an exception. */
import { textDecoder } from './charset.ts';
import { type Element, type ElementList, type Encoding, isKnownVr, readItems } from './element-reader.ts';

/** Value representations whose values are binary numbers, with the bytes of each. */
const binaryBytes: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8 };

export class DataSet {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  readonly #elements: ReadonlyMap<number, Element>;
  readonly #decode: (bytes: Uint8Array) => string;

  constructor(
    bytes: Uint8Array,
    encoding: Encoding,
    list: ElementList,
    decode?: (bytes: Uint8Array) => string,
  ) {
    this.bytes = bytes;
    this.encoding = encoding;
    this.#elements = list.elements;
    const charsets = this.#raw(0x00080005);
    this.#decode = charsets ? textDecoder(splitValues(latin1(charsets))) : (decode ?? textDecoder([]));
  }

  /** All elements, in the order of the file. */
  elements(): readonly Element[] {
    return [...this.#elements.values()];
  }

  has(tag: number): boolean {
    return this.#elements.has(tag);
  }

  element(tag: number): Element | undefined {
    return this.#elements.get(tag);
  }

  /** The value's bytes, as they lie in the file. */
  raw(tag: number): Uint8Array | undefined {
    return this.#raw(tag);
  }

  #raw(tag: number): Uint8Array | undefined {
    const element = this.#elements.get(tag);
    if (!element || element.length === 0) return undefined;
    return this.bytes.subarray(element.offset, element.offset + element.length);
  }

  /** Values of an element of text, trimmed, in the data set's character set; [] where there is none. */
  strings(tag: number): string[] {
    const raw = this.#raw(tag);
    // Nothing that is read here is longer; a damaged length must not make a long string.
    if (!raw || raw.length > 65536) return [];
    return splitValues(this.#decode(raw));
  }

  string(tag: number): string | undefined {
    const value = this.strings(tag)[0];
    return value ? value : undefined;
  }

  /**
   * Numbers of an element. `vr` is what the standard says it is, for implicit encodings and for files that carry an
   * impossible one. Values that are no numbers are NaN, so that positions in the list keep their meaning.
   */
  numbers(tag: number, vr: string): number[] {
    const element = this.#elements.get(tag);
    const raw = this.#raw(tag);
    if (!element || !raw || raw.length > 1 << 20) return [];
    const actual = isKnownVr(element.vr) && element.vr !== 'UN' && element.vr[0] !== 'O' ? element.vr : vr;
    const size = binaryBytes[actual];
    if (size === undefined) {
      return splitValues(latin1(raw)).map((text) => (text === '' ? Number.NaN : Number(text)));
    }
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    const out: number[] = [];
    for (let at = 0; at + size <= raw.length; at += size) {
      out.push(readNumber(view, at, actual, this.encoding.littleEndian));
    }
    return out;
  }

  number(tag: number, vr: string): number | undefined {
    const value = this.numbers(tag, vr)[0];
    return value !== undefined && Number.isFinite(value) ? value : undefined;
  }

  /** Items of a sequence, [] where there is none. */
  items(tag: number): DataSet[] {
    const element = this.#elements.get(tag);
    if (!element) return [];
    const encoding: Encoding = element.vr === 'UN' ? { explicit: false, littleEndian: true } : this.encoding;
    return readItems(this.bytes, element, this.encoding).map(
      (list) => new DataSet(this.bytes, encoding, list, this.#decode),
    );
  }

  item(tag: number): DataSet | undefined {
    return this.items(tag)[0];
  }
}

function readNumber(view: DataView, at: number, vr: string, littleEndian: boolean): number {
  switch (vr) {
    case 'US':
      return view.getUint16(at, littleEndian);
    case 'SS':
      return view.getInt16(at, littleEndian);
    case 'UL':
      return view.getUint32(at, littleEndian);
    case 'SL':
      return view.getInt32(at, littleEndian);
    case 'FL':
      return view.getFloat32(at, littleEndian);
    default:
      return view.getFloat64(at, littleEndian);
  }
}

/** Bytes as characters of the same number. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function splitValues(text: string): string[] {
  // Padding is a space, or a zero byte for UIDs (PS3.5 section 6.2); some writers use either for anything.
  return text.split('\\').map((value) => value.replace(/^[\s\0]+|[\s\0]+$/g, ''));
}
