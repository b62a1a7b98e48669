/** What one file holds, for `readroom inspect`: reported, never thrown. */
import type { Inspection } from '../../src-contract/study.ts';
import { asFileError, decodeImage, readerInput } from './decode-image.ts';
import { detectFormat, detectionBytes } from './detect.ts';
import { type ByteSource, defaultLimits, type ReadLimits, unsupported } from './reader.ts';
import { decodeDicom, parseDicom } from './readers/dicom.ts';
import { fileNameOf, fileSource } from './sources.ts';
import { storedStatistics } from './statistics.ts';

/**
 * Decodes a file whole and describes it. Stored values are those in the file before any rescale; of colour images the
 * statistics go over all channels. A file that can't be read gives `ok: false` and the reason.
 */
export async function inspectFile(path: string, limits: ReadLimits = defaultLimits): Promise<Inspection> {
  const known: Partial<Inspection> = {};
  try {
    const source = await fileSource(path);
    await describe(source, known, limits);
    return { file: path, ok: true, ...known };
  } catch (thrown) {
    return { file: path, ok: false, error: asFileError(thrown, path).toPayload(), ...known };
  }
}

/** Fills `known` as far as it gets, so that a report on a damaged file still says what its header says. */
async function describe(source: ByteSource, known: Partial<Inspection>, limits: ReadLimits): Promise<void> {
  const head = await source.head(detectionBytes);
  const detected = await detectFormat(head, fileNameOf(source));
  if (detected.is === 'zip') {
    throw unsupported(
      source.name,
      'it is a zip archive',
      'Open it as a study, or unpack it and inspect its files.',
    );
  }
  if (detected.is === 'unread') {
    throw unsupported(source.name, `it is ${detected.what}, which is not read`, detected.remedy);
  }
  if (detected.is === 'unknown') {
    throw unsupported(source.name, 'it is no image that Readroom knows', 'Inspect an image file.');
  }
  const { format } = detected;
  known.format = format;
  const bytes = await source.read(limits);
  if (format === 'dicom') {
    await describeDicom(bytes, source, known, limits);
    return;
  }
  const image = await decodeImage(format, readerInput(source, bytes, limits));
  const { rows, columns, frames, channels, data } = image.frames;
  Object.assign(known, {
    modality: image.modality,
    rows,
    columns,
    frames,
    channels,
    stored: storedStatistics(data),
  });
}

async function describeDicom(
  bytes: Uint8Array,
  source: ByteSource,
  known: Partial<Inspection>,
  limits: ReadLimits,
): Promise<void> {
  const file = { path: source.path, bytes: bytes.byteLength, sha256: '0'.repeat(64) };
  const instance = parseDicom(bytes, file, limits);
  if (!instance) {
    throw unsupported(
      source.name,
      'it is DICOM, but no image (a report, a plan, a directory…)',
      'Inspect an image file.',
    );
  }
  known.modality = instance.modality;
  known.transferSyntax = instance.transferSyntax;
  const { rows, columns, frames, channels, data } = await decodeDicom(bytes, source.name, limits);
  Object.assign(known, { rows, columns, frames, channels, stored: storedStatistics(data) });
}
