/**
 * The WebAssembly codecs, each behind one function. A codec that threw, or that grew large, is thrown away with its
 * memory and made anew for the next frame: a damaged file must not spoil the files after it.
 */
import { createRequire } from 'node:module';

interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): CodecFrame;
  getInterleaveMode?(): number;
  delete(): void;
}

interface CodecModule {
  HEAPU8: Uint8Array;
  /** Present in the builds that raise C++ exceptions. */
  getExceptionMessage?(thrown: unknown): string | [string, string];
}

type Factory = (options: {
  print(): void;
  printErr(): void;
}) => Promise<CodecModule & Record<string, unknown>>;

interface CodecFrame {
  width: number;
  height: number;
  bitsPerSample: number;
  componentCount: number;
  isSigned?: boolean;
}

export interface CodecResult {
  /** A copy: not a view of the codec's memory. */
  bytes: Uint8Array;
  frame: CodecFrame;
  /** JPEG-LS: 0 planes, 1 lines, 2 pixels. */
  interleave: number;
}

const codecs = {
  'jpeg-8-bit': { path: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs', decoder: 'JPEGDecoder' },
  'jpeg-ls': { path: '@cornerstonejs/codec-charls/decodewasmjs', decoder: 'JpegLSDecoder' },
  'jpeg-2000': { path: '@cornerstonejs/codec-openjpeg/decodewasmjs', decoder: 'J2KDecoder' },
  'ht-jpeg-2000': { path: '@cornerstonejs/codec-openjph/wasmjs', decoder: 'HTJ2KDecoder' },
} as const;

export type CodecName = keyof typeof codecs;

/** Memory that a codec keeps between frames; beyond it, the module is dropped. */
const maxKeptBytes = 128 * 1024 ** 2;

const require = createRequire(import.meta.url);
const modules = new Map<CodecName, Promise<CodecModule & Record<string, unknown>>>();

/** Decodes one frame. Throws Error with the codec's own words when it can't. */
export async function runCodec(name: CodecName, encoded: Uint8Array): Promise<CodecResult> {
  const module = await load(name);
  const Decoder = module[codecs[name].decoder] as new () => Decoder;
  let decoder: Decoder | undefined;
  try {
    decoder = new Decoder();
    decoder.getEncodedBuffer(encoded.length).set(encoded);
    decoder.decode();
    const frame = { ...decoder.getFrameInfo() };
    const bytes = Uint8Array.from(decoder.getDecodedBuffer());
    const interleave = decoder.getInterleaveMode?.() ?? 2;
    decoder.delete();
    if (module.HEAPU8.length > maxKeptBytes) modules.delete(name);
    return { bytes, frame, interleave };
  } catch (thrown) {
    modules.delete(name);
    throw new Error(describe(module, thrown), { cause: thrown });
  }
}

function load(name: CodecName): Promise<CodecModule & Record<string, unknown>> {
  let module = modules.get(name);
  if (!module) {
    const factory = require(codecs[name].path) as Factory;
    // The codecs print their complaints; they are told by the error that follows.
    module = factory({ print: () => {}, printErr: () => {} });
    modules.set(name, module);
  }
  return module;
}

function describe(module: CodecModule, thrown: unknown): string {
  try {
    if (!(thrown instanceof Error) || thrown.constructor.name === 'CppException') {
      const message = module.getExceptionMessage?.(thrown);
      if (message) return Array.isArray(message) ? message.join(': ') : message;
    }
  } catch {
    // An exception that the module can't name either.
  }
  return thrown instanceof Error ? thrown.message : `the codec stopped (${String(thrown)})`;
}
