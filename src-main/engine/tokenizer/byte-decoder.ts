/**
 * Token ids back to text, for byte-level BPE vocabularies.
 *
 * Behaviour follows the ByteLevel decoder of the Rust `tokenizers` library, which is what
 * `decode(skip_special_tokens=False, clean_up_tokenization_spaces=False)` of transformers ends in: every character of a
 * token stands for one byte; a token with a character outside that alphabet (an added token with a space, say) stands
 * for its own UTF-8 bytes; ids without a token vanish; the bytes are joined and decoded with U+FFFD for what is no
 * UTF-8. Byte by byte rather than token by token, because one character may be spread over several tokens.
 */

import type { TextStream } from '../language-model.ts';

/** Character -> byte of the byte-level alphabet (GPT-2's `bytes_to_unicode`, inverted). */
const byteOfCharacter = buildAlphabet();

function buildAlphabet(): Map<string, number> {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    alphabet.set(String.fromCodePoint(printable(byte) ? byte : next++), byte);
  }
  return alphabet;
}

/** Decodes ids with the vocabulary that `tokenOf` looks up; undefined for ids that have no token. */
export class ByteDecoder {
  readonly #tokenOf: (id: number) => string | undefined;
  readonly #bytesOf = new Map<number, Uint8Array>();

  constructor(tokenOf: (id: number) => string | undefined) {
    this.#tokenOf = tokenOf;
  }

  /** The bytes that one id stands for; empty for an id outside the vocabulary. */
  bytes(id: number): Uint8Array {
    let bytes = this.#bytesOf.get(id);
    if (!bytes) {
      bytes = tokenBytes(this.#tokenOf(id) ?? '');
      this.#bytesOf.set(id, bytes);
    }
    return bytes;
  }

  decode(ids: readonly number[]): string {
    let total = 0;
    for (const id of ids) total += this.bytes(id).length;
    const joined = new Uint8Array(total);
    let at = 0;
    for (const id of ids) {
      joined.set(this.bytes(id), at);
      at += this.bytes(id).length;
    }
    return utf8Decoder().decode(joined);
  }

  /** A decoder for one growing sequence: see TextStream in language-model.ts. */
  stream(): TextStream {
    return new ByteTextStream(this);
  }
}

/** Bytes of an incomplete character are held back by the UTF-8 decoder until the token that completes it. */
class ByteTextStream implements TextStream {
  readonly #decoder: ByteDecoder;
  readonly #utf8 = utf8Decoder();

  constructor(decoder: ByteDecoder) {
    this.#decoder = decoder;
  }

  push(id: number): string {
    return this.#utf8.decode(this.#decoder.bytes(id), { stream: true });
  }

  /** What is left: U+FFFD for a character that never became complete, else ''. */
  end(): string {
    return this.#utf8.decode();
  }
}

function tokenBytes(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = byteOfCharacter.get(character);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** A byte order mark is a character like any other here. */
function utf8Decoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
