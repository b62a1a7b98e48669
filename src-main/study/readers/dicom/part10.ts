/**
 * From the bytes of a file to its data set: preamble, file meta information (PS3.10 section 7), transfer syntax, and
 * the deflated one's inflation. Files without preamble or meta group, and files whose data set is not encoded as the
 * meta group says, are read by looking at the first element.
 */
import { inflateRawSync } from 'node:zlib';
import { formatBytes, malformed, maxDeflateRatio, type ReadLimits, tooLarge } from '../../reader.ts';
import { DataSet } from './data-set.ts';
import { type Element, type Encoding, isKnownVr, readElements, readVr } from './element-reader.ts';
import {
  deflatedLittleEndian,
  explicitBigEndian,
  explicitLittleEndian,
  implicitLittleEndian,
  transferSyntax,
} from './transfer-syntax.ts';

export interface Part10 {
  name: string;
  /** UID; guessed from the bytes where the file does not say. */
  transferSyntax: string;
  dataSet: DataSet;
  /** The pixel data element, whichever of the three it is. */
  pixel?: Element;
  /** Why reading stopped early, if it did. */
  fault?: string;
  warnings: string[];
}

const metaEncoding: Encoding = { explicit: true, littleEndian: true };

/** Whether these bytes (the first few hundred are enough) begin a DICOM file, with or without a preamble. */
export function looksLikeDicom(bytes: Uint8Array): boolean {
  return hasPreamble(bytes) || startsWithElement(bytes);
}

function hasPreamble(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 132 &&
    bytes[128] === 0x44 &&
    bytes[129] === 0x49 &&
    bytes[130] === 0x43 &&
    bytes[131] === 0x4d
  );
}

/** A first element of group 0002 or 0008 with a credible length: what files without a preamble begin with. */
function startsWithElement(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false;
  const encoding = lookAtEncoding(bytes, 0, metaEncoding);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const group = view.getUint16(0, encoding.littleEndian);
  const element = view.getUint16(2, encoding.littleEndian);
  if (group !== 0x0002 && group !== 0x0008) return false;
  if (encoding.explicit) return true;
  // Implicit: a group length, or an early element of text.
  const length = view.getUint32(4, encoding.littleEndian);
  return element <= 0x0070 && length <= 1024;
}

/** Finds out how the element at `at` is written; `claimed` decides where the bytes do not. */
function lookAtEncoding(bytes: Uint8Array, at: number, claimed: Encoding): Encoding {
  if (at + 8 > bytes.length) return claimed;
  const low = bytes[at] + bytes[at + 1] * 256;
  const high = bytes[at + 1] + bytes[at] * 256;
  const littleEndian = low === high ? claimed.littleEndian : low < high;
  return { explicit: isKnownVr(readVr(bytes, at + 4)), littleEndian };
}

/**
 * @throws ReadroomError 'file-malformed' for what is no DICOM at all or a damaged deflate stream, 'file-too-large' for
 * one that grows beyond the limits.
 */
export function readPart10(bytes: Uint8Array, name: string, limits: ReadLimits): Part10 {
  const preamble = hasPreamble(bytes);
  if (!preamble && !startsWithElement(bytes)) {
    throw malformed(
      name,
      'it is not a DICOM file: neither the letters DICM at byte 128 nor a first element are there',
    );
  }
  const warnings: string[] = [];
  const start = preamble ? 132 : 0;
  const meta = readElements(bytes, start, bytes.length, metaEncoding, (tag) => tag >>> 16 !== 0x0002);
  const claimed = new DataSet(bytes, metaEncoding, meta).string(0x00020010);

  let body = bytes;
  let bodyStart = meta.end;
  if (claimed === deflatedLittleEndian) {
    body = inflate(bytes.subarray(bodyStart), name, limits);
    bodyStart = 0;
  }
  const declared: Encoding = {
    explicit: claimed !== implicitLittleEndian,
    littleEndian: claimed !== explicitBigEndian,
  };
  const encoding = lookAtEncoding(body, bodyStart, declared);
  const guessed = encoding.littleEndian
    ? encoding.explicit
      ? explicitLittleEndian
      : implicitLittleEndian
    : explicitBigEndian;
  if (!claimed)
    warnings.push(`The file does not name its transfer syntax; read as ${transferSyntax(guessed).name}.`);
  else if (encoding.explicit !== declared.explicit || encoding.littleEndian !== declared.littleEndian) {
    warnings.push(`The data set is not encoded as its header says; read as ${transferSyntax(guessed).name}.`);
  }
  const list = readElements(body, bodyStart, body.length, encoding);
  return {
    name,
    // A compressed syntax is kept: the encoding of the elements says nothing about the pixels.
    transferSyntax: claimed && transferSyntax(claimed).coding !== 'native' ? claimed : (claimed ?? guessed),
    dataSet: new DataSet(body, encoding, list),
    pixel: list.pixel,
    fault: list.fault ?? meta.fault,
    warnings,
  };
}

/** Small files may hold large blank images; beyond this, deflate's own limit is not given away in full. */
const freelyInflated = 64 * 1024 ** 2;

function inflate(compressed: Uint8Array, name: string, limits: ReadLimits): Uint8Array {
  const most = Math.min(limits.maxFileBytes, compressed.length * maxDeflateRatio + 1024);
  const allowed = Math.min(most, Math.max(freelyInflated, compressed.length * 200));
  try {
    return inflateRawSync(compressed, { maxOutputLength: allowed });
  } catch (thrown) {
    if (
      thrown instanceof RangeError ||
      (thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE')
    ) {
      throw tooLarge(name, `its deflated data set grows beyond ${formatBytes(allowed)}`);
    }
    throw malformed(
      name,
      'its deflated data set is damaged',
      thrown instanceof Error ? thrown.message : undefined,
    );
  }
}
