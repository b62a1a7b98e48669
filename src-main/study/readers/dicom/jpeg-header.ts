/** Headers of the JPEG family (ITU-T T.81 annex B, T.87 annex C): sizes are known before a codec sees the stream. */
import { malformed } from '../../reader.ts';

export interface JpegComponent {
  id: number;
  horizontal: number;
  vertical: number;
  quantization: number;
}

export interface JpegHeader {
  /** Second byte of the frame marker: 0xc0 baseline, 0xc1 extended, 0xc2 progressive, 0xc3 lossless, 0xf7 JPEG-LS. */
  frame: number;
  precision: number;
  rows: number;
  columns: number;
  components: JpegComponent[];
  jfif: boolean;
  /** Colour transform of an Adobe APP14 segment. */
  adobeTransform?: number;
  segments: JpegSegment[];
}

export interface JpegSegment {
  marker: number;
  /** Of the marker's 0xff byte. */
  start: number;
  /** Of the parameters, after the length. */
  body: number;
  end: number;
}

/** Reads marker segments up to the first scan. */
export function readJpegHeader(bytes: Uint8Array, name: string): JpegHeader {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw malformed(name, 'a compressed frame is no JPEG stream');
  const header: JpegHeader = {
    frame: 0,
    precision: 0,
    rows: 0,
    columns: 0,
    components: [],
    jfif: false,
    segments: [],
  };
  let position = 2;
  while (position < bytes.length) {
    const segment = readSegment(bytes, position);
    if (!segment) break;
    header.segments.push(segment);
    position = segment.end;
    if (isFrameMarker(segment.marker)) readFrame(bytes, segment, header);
    else if (segment.marker === 0xe0) header.jfif ||= startsWith(bytes, segment, 'JFIF');
    else if (segment.marker === 0xee && startsWith(bytes, segment, 'Adobe')) {
      header.adobeTransform = bytes[segment.body + 11];
    }
    if (segment.marker === 0xda) break;
  }
  if (header.frame === 0) throw malformed(name, 'a JPEG frame has no frame header');
  return header;
}

/** The next marker segment at or after `position`; fill bytes and stray data before a marker are passed over. */
export function readSegment(bytes: Uint8Array, position: number): JpegSegment | undefined {
  let at = position;
  while (at + 1 < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] !== 0xff && bytes[at + 1] !== 0))
    at++;
  if (at + 1 >= bytes.length) return undefined;
  const marker = bytes[at + 1];
  // Markers that stand alone: TEM, RSTn, SOI, EOI.
  if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9)) {
    return { marker, start: at, body: at + 2, end: at + 2 };
  }
  if (at + 4 > bytes.length) return undefined;
  const length = bytes[at + 2] * 256 + bytes[at + 3];
  const end = at + 2 + length;
  if (length < 2 || end > bytes.length) return undefined;
  return { marker, start: at, body: at + 4, end };
}

function isFrameMarker(marker: number): boolean {
  if (marker === 0xf7) return true;
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(bytes: Uint8Array, segment: JpegSegment, header: JpegHeader): void {
  const { body, end } = segment;
  if (end - body < 6) return;
  header.frame = segment.marker;
  header.precision = bytes[body];
  header.rows = bytes[body + 1] * 256 + bytes[body + 2];
  header.columns = bytes[body + 3] * 256 + bytes[body + 4];
  header.components = [];
  for (let i = 0, at = body + 6; i < bytes[body + 5] && at + 3 <= end; i++, at += 3) {
    header.components.push({
      id: bytes[at],
      horizontal: bytes[at + 1] >> 4,
      vertical: bytes[at + 1] & 15,
      quantization: bytes[at + 2],
    });
  }
}

function startsWith(bytes: Uint8Array, segment: JpegSegment, text: string): boolean {
  if (segment.end - segment.body < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[segment.body + i] !== text.charCodeAt(i)) return false;
  return true;
}
