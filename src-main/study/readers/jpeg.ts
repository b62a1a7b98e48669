/**
 * JPEG decoder: libjpeg-turbo in WebAssembly, which gives the same bytes as Pillow does (islow DCT, fancy upsampling).
 * The markers are walked here first, so that the size is checked before the decoder allocates anything, and a cut file
 * is refused instead of being filled up with gray.
 */
import { createRequire } from 'node:module';
import { malformed, type ReaderInput, requireBytes, throwIfCancelled, unsupported } from '../reader.ts';
import { checkRasterSize, type Raster } from './raster.ts';

interface JpegDecoder {
  getEncodedBuffer(size: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): { width: number; height: number; componentCount: number };
  delete(): void;
}
interface JpegModule {
  JPEGDecoder: new () => JpegDecoder;
}
type ModuleFactory = (options: { print(): void; printErr(): void }) => Promise<JpegModule>;

const loadFrom = createRequire(import.meta.url);
let loaded: Promise<JpegModule> | undefined;

function loadModule(): Promise<JpegModule> {
  if (!loaded) {
    const factory = loadFrom('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs') as ModuleFactory;
    loaded = factory({ print() {}, printErr() {} });
  }
  return loaded;
}

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes.byteLength > 3 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** Encoders write at most a dozen scans; hundreds make a decoder go over the image hundreds of times. */
const maxScans = 100;

interface JpegHeader {
  width: number;
  height: number;
  components: number;
  texts: string[];
  warnings: string[];
}

/** @throws ReadroomError 'file-malformed' | 'file-truncated' | 'file-too-large' | 'format-unsupported' */
export async function decodeJpeg(input: ReaderInput): Promise<Raster> {
  const { bytes, name } = input;
  const header = readMarkers(bytes, name);
  const { width, height, components } = header;
  checkRasterSize({ width, height, samples: components }, 1, name, input.limits);
  const size = width * height * components;
  // Every block of 8x8 samples takes at least one bit (its DC difference), with chroma at quarter size at the least.
  requireBytes(bytes.byteLength, Math.floor(Math.ceil(width / 8) * Math.ceil(height / 8)) / 8, name);
  const module = await loadModule();
  throwIfCancelled(input.signal);
  let decoder: JpegDecoder | undefined;
  try {
    decoder = new module.JPEGDecoder();
    decoder.getEncodedBuffer(bytes.byteLength).set(bytes);
    decoder.decode();
    const info = decoder.getFrameInfo();
    if (info.width !== width || info.height !== height || info.componentCount !== components) {
      throw new Error(`frame is ${info.width}x${info.height}x${info.componentCount}`);
    }
    // A copy: the decoder's memory is used again.
    const data = Uint8Array.from(decoder.getDecodedBuffer().subarray(0, size));
    requireBytes(data.byteLength, size, name);
    const kind = components === 1 ? 'gray' : 'rgb';
    return { width, height, frames: 1, kind, data, texts: header.texts, warnings: header.warnings };
  } catch (thrown) {
    // A C++ exception leaves the module's heap in an unknown state: start afresh next time.
    loaded = undefined;
    throw malformed(name, 'its JPEG data are damaged', thrown instanceof Error ? thrown.message : undefined);
  } finally {
    if (loaded) decoder?.delete();
  }
}

function readMarkers(bytes: Uint8Array, name: string): JpegHeader {
  if (!isJpeg(bytes)) throw malformed(name, 'it does not begin as a JPEG');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header: JpegHeader = { width: 0, height: 0, components: 0, texts: [], warnings: [] };
  let scans = 0;
  for (let at = 2; at + 1 < bytes.byteLength; ) {
    if (bytes[at] !== 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1];
    at += 2;
    if (marker === 0xd9) {
      if (header.width === 0 || scans === 0) throw malformed(name, 'it holds no picture');
      return header;
    }
    // Fill bytes, stuffed zeros and restart markers stand alone; so does a repeated start.
    if (marker === 0xff) at--;
    if (marker === 0xff || marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    requireBytes(bytes.byteLength - at, 2, name, 'markers');
    const length = view.getUint16(at, false);
    requireBytes(bytes.byteLength - at, length, name, 'markers');
    const body = bytes.subarray(at + 2, at + Math.max(2, length));
    if (isFrame(marker)) readFrame(marker, body, header, name);
    else if (marker === 0xfe) header.texts.push(Buffer.from(body).toString('utf8'));
    else if (marker === 0xe1 && exifOrientation(body) > 1) {
      header.warnings.push('Its EXIF orientation is ignored: the pixels are shown as they are stored.');
    } else if (marker === 0xda && ++scans > maxScans)
      throw malformed(name, `it has more than ${maxScans} scans`);
    at += length;
  }
  requireBytes(bytes.byteLength, bytes.byteLength + 2, name, 'JPEG data (its end marker is missing)');
  return header;
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(marker: number, body: Uint8Array, header: JpegHeader, name: string): void {
  if (marker > 0xc2) {
    throw unsupported(
      name,
      'it is a lossless, hierarchical or arithmetic JPEG',
      'Save it as baseline JPEG or PNG.',
    );
  }
  if (body.byteLength < 6) throw malformed(name, 'its frame header is too short');
  if (header.width !== 0) throw malformed(name, 'it has two frame headers');
  const [precision, h1, h0, w1, w0, components] = body;
  if (precision !== 8) throw unsupported(name, `it has ${precision} bits a sample`, 'Save it with 8 bits.');
  if (components !== 1 && components !== 3) {
    const what = components === 4 ? 'it is a CMYK JPEG' : `it has ${components} components`;
    throw unsupported(name, what, 'Save it as RGB or grayscale.');
  }
  header.width = (w1 << 8) | w0;
  header.height = (h1 << 8) | h0;
  header.components = components;
}

/** The orientation tag (0x0112) of an APP1 Exif segment; 1 when there is none. */
function exifOrientation(body: Uint8Array): number {
  if (body.byteLength < 24 || Buffer.from(body.subarray(0, 4)).toString('latin1') !== 'Exif') return 1;
  const view = new DataView(body.buffer, body.byteOffset + 6, body.byteLength - 6);
  const little = view.getUint16(0, false) === 0x4949;
  const ifd = view.getUint32(4, little);
  if (ifd + 2 > view.byteLength) return 1;
  const count = view.getUint16(ifd, little);
  for (let i = 0; i < count && ifd + 14 + i * 12 <= view.byteLength; i++) {
    if (view.getUint16(ifd + 2 + i * 12, little) === 0x0112) return view.getUint16(ifd + 10 + i * 12, little);
  }
  return 1;
}
