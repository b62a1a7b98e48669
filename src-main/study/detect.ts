/**
 * Which format a file has: by its first bytes, and by its name only where the bytes do not tell (raw data have none).
 */
import type { Format } from '../../src-contract/study.ts';
import { looksLikeDicom } from './readers/dicom.ts';
import { inflatePrefix } from './readers/inflate.ts';
import { isJpeg } from './readers/jpeg.ts';
import { hasNiftiMagic, niftiPrefixBytes, niftiVersion } from './readers/nifti-header.ts';
import { isNpy } from './readers/numpy.ts';
import { isPng } from './readers/png.ts';
import { isTiff } from './readers/tiff-directory.ts';

/** Bytes of the start of a file that detection needs. */
export const detectionBytes = 8192;

export type Detected =
  | { is: 'format'; format: Format }
  | { is: 'zip' }
  /** An image of a kind that Readroom does not read. */
  | { is: 'unread'; what: string; remedy: string }
  | { is: 'unknown' };

const byExtension: Readonly<Record<string, Format>> = {
  dcm: 'dicom',
  dicom: 'dicom',
  ima: 'dicom',
  nii: 'nifti',
  'nii.gz': 'nifti',
  hdr: 'nifti',
  mha: 'metaimage',
  mhd: 'metaimage',
  nrrd: 'nrrd',
  nhdr: 'nrrd',
  npy: 'npy',
  npz: 'npz',
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  tif: 'tiff',
  tiff: 'tiff',
};

/** Extension in lower case, 'nii.gz' as one; '' when there is none. */
export function extensionOf(fileName: string): string {
  const found = /\.((?:nii|img|hdr)\.gz|[^./\\]+)$/i.exec(fileName);
  return found ? found[1].toLowerCase() : '';
}

export async function detectFormat(head: Uint8Array, fileName: string): Promise<Detected> {
  const extension = extensionOf(fileName);
  const content = await detectContent(head, extension);
  if (content) return content;
  const named = byExtension[extension];
  // Let the reader of that format say what is wrong with the file.
  return named ? { is: 'format', format: named } : { is: 'unknown' };
}

async function detectContent(head: Uint8Array, extension: string): Promise<Detected | undefined> {
  const is = (format: Format): Detected => ({ is: 'format', format });
  if (ascii(head, 128, 4) === 'DICM') return is('dicom');
  if (isPng(head)) return is('png');
  if (isJpeg(head)) return is('jpeg');
  if (isTiff(head)) return is('tiff');
  if (isNpy(head)) return is('npy');
  if (ascii(head, 0, 7) === 'NRRD000') return is('nrrd');
  if (['PK\x03\x04', 'PK\x05\x06'].includes(ascii(head, 0, 4)))
    return extension === 'npz' ? is('npz') : { is: 'zip' };
  if (hasNiftiMagic(head)) return is('nifti');
  if (extension === 'hdr' && niftiVersion(head)) return is('nifti');
  if (isMetaImage(head)) return is('metaimage');
  if (head[0] === 0x1f && head[1] === 0x8b) return detectGzip(head, extension);
  if (looksLikeDicom(head)) return is('dicom');
  return detectUnread(head);
}

async function detectGzip(head: Uint8Array, extension: string): Promise<Detected> {
  const inner = await inflatePrefix('gzip', head, niftiPrefixBytes);
  if (hasNiftiMagic(inner) || extension === 'nii.gz' || extension === 'hdr.gz')
    return { is: 'format', format: 'nifti' };
  // The data half of a pair: its header is the file to open.
  if (extension === 'img.gz') return { is: 'unknown' };
  const remedy = 'Unpack it first.';
  return { is: 'unread', what: 'a gzip archive that is no NIfTI image', remedy };
}

/** The first line of a MetaImage is a field of it. */
function isMetaImage(head: Uint8Array): boolean {
  return /^\s*(ObjectType|ObjectSubType|NDims|Comment|Name|DimSize|BinaryData|TransformType)\s*=/.test(
    ascii(head, 0, 256),
  );
}

const unread: readonly [string, string][] = [
  ['GIF8', 'a GIF image'],
  ['BM', 'a BMP image'],
  ['\x00\x00\x00\x0cjP  ', 'a JPEG 2000 image'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  ['8BPS', 'a Photoshop image'],
];

function detectUnread(head: Uint8Array): Detected | undefined {
  const remedy = 'Convert it to PNG first.';
  for (const [start, what] of unread) {
    if (ascii(head, 0, start.length) !== start) continue;
    // 'BM' alone is too little: a BMP states its own size and keeps four reserved zeros.
    if (start === 'BM' && ascii(head, 6, 4) !== '\0\0\0\0') continue;
    return { is: 'unread', what, remedy };
  }
  if (ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 4) === 'WEBP') {
    return { is: 'unread', what: 'a WebP image', remedy };
  }
  return undefined;
}

function ascii(bytes: Uint8Array, at: number, count: number): string {
  return Buffer.from(bytes.subarray(at, at + count)).toString('latin1');
}
