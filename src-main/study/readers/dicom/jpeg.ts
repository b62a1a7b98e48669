/** A frame of the JPEG family -> samples. Which member it is, the stream says, not the transfer syntax. */
import { malformed, requireBytes, unsupported } from '../../reader.ts';
import { checkShape, type DecodedFrame } from './codestream.ts';
import { decodeJpeg12Bit } from './jpeg-12-bit.ts';
import { type JpegHeader, readJpegHeader } from './jpeg-header.ts';
import { decodeJpegLossless } from './jpeg-lossless.ts';
import type { PixelDescription } from './pixel-description.ts';
import { runCodec } from './wasm-codecs.ts';

export async function decodeJpeg(
  bytes: Uint8Array,
  pixels: PixelDescription,
  name: string,
): Promise<DecodedFrame> {
  const header = readJpegHeader(bytes, name);
  const { precision, rows, columns } = header;
  const shape = { rows, columns, components: header.components.length, precision };
  const colour = colourOf(header);
  switch (header.frame) {
    case 0xf7:
      // A run of any length can follow a single bit, in steps of up to 2^15 samples.
      checkShape(shape, pixels, bytes.length, 65536, name);
      return decodeJpegLs(bytes, header, name);
    case 0xc3:
      // One bit at least for each sample.
      checkShape(shape, pixels, bytes.length, 8, name);
      return { samples: decodeJpegLossless(bytes, header, name), precision, signed: false, colour };
    case 0xc0:
    case 0xc1:
    case 0xc2:
      // Two bits at least for each block of 64 samples, and six blocks of chroma may cover 16 x 16 pixels. A
      // progressive stream can say "nothing more" for many blocks at once.
      checkShape(shape, pixels, bytes.length, header.frame === 0xc2 ? 4096 : 1024, name);
      if (precision === 8)
        return { samples: await decode8Bit(bytes, header, name), precision, signed: false, colour };
      if (header.frame === 0xc2) break;
      return { samples: decodeJpeg12Bit(bytes, header, name), precision, signed: false, colour };
  }
  throw unsupported(
    name,
    `its frames use a JPEG process that is not read here (marker ${header.frame.toString(16)}, ${precision} bits)`,
    'Convert it with dcmdjpeg or gdcmconv --raw.',
  );
}

function colourOf(header: JpegHeader): 'rgb' | 'ybr' | undefined {
  if (header.components.length !== 3) return undefined;
  if (String.fromCharCode(...header.components.map((one) => one.id)) === 'RGB') return 'rgb';
  if (header.jfif) return 'ybr';
  if (header.adobeTransform === 0) return 'rgb';
  if (header.adobeTransform === 1) return 'ybr';
  return undefined;
}

/** A progressive stream decodes every pixel again for each scan; real ones have about ten. */
const maxScans = 64;

async function decode8Bit(bytes: Uint8Array, header: JpegHeader, name: string): Promise<Uint8Array> {
  if (header.frame === 0xc2) {
    let scans = 0;
    for (let i = 0; i + 1 < bytes.length; i++) if (bytes[i] === 0xff && bytes[i + 1] === 0xda) scans++;
    if (scans > maxScans) throw malformed(name, `a progressive JPEG frame has ${scans} scans`);
  }
  return (await run('jpeg-8-bit', withoutColourTransform(bytes, header), header, name)).bytes;
}

/**
 * The stream with its application segments replaced by one that says "no colour transform": DICOM's header says what
 * the components mean, and stored values are the components as they are.
 */
function withoutColourTransform(bytes: Uint8Array, header: JpegHeader): Uint8Array {
  if (header.components.length !== 3) return bytes;
  const dropped = header.segments.filter((one) => one.marker >= 0xe0 && one.marker <= 0xef);
  // 'Adobe', version 100, flags 0, transform 0.
  const adobe = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];
  const out = new Uint8Array(bytes.length + adobe.length);
  out.set([0xff, 0xd8, ...adobe]);
  let to = 2 + adobe.length;
  let from = 2;
  for (const segment of dropped) {
    out.set(bytes.subarray(from, segment.start), to);
    to += segment.start - from;
    from = segment.end;
  }
  out.set(bytes.subarray(from), to);
  return out.subarray(0, to + bytes.length - from);
}

async function decodeJpegLs(bytes: Uint8Array, header: JpegHeader, name: string): Promise<DecodedFrame> {
  const { bytes: decoded, interleave } = await run('jpeg-ls', wholeJpegLs(bytes, name), header, name);
  const { precision } = header;
  const flat = precision <= 8 ? decoded : new Uint16Array(decoded.buffer, 0, decoded.length >> 1);
  const channels = header.components.length;
  if (channels === 1 || interleave !== 0) return { samples: flat, precision, signed: false };
  const count = header.rows * header.columns;
  const samples = precision <= 8 ? new Uint8Array(flat.length) : new Uint16Array(flat.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < count; i++) samples[i * channels + channel] = flat[channel * count + i];
  }
  return { samples, precision, signed: false };
}

/** CharLS counts for half a minute on a stream without an end marker, which entropy-coded data can't contain. */
function wholeJpegLs(bytes: Uint8Array, name: string): Uint8Array {
  for (let at = bytes.length - 2; at > 0; at--) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return bytes.subarray(0, at + 2);
  }
  requireBytes(bytes.length, bytes.length + 2, name, 'compressed pixels (the end marker is missing)');
  return bytes;
}

async function run(codec: 'jpeg-8-bit' | 'jpeg-ls', bytes: Uint8Array, header: JpegHeader, name: string) {
  let result: Awaited<ReturnType<typeof runCodec>>;
  try {
    result = await runCodec(codec, bytes, header.rows * header.columns * header.components.length);
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : undefined;
    throw malformed(name, 'a JPEG frame is damaged', detail);
  }
  const cell = header.precision <= 8 ? 1 : 2;
  const expected = header.rows * header.columns * header.components.length * cell;
  if (result.bytes.length !== expected) {
    throw malformed(name, `a JPEG frame gave ${result.bytes.length} bytes where ${expected} are due`);
  }
  return result;
}
