/** The DICOM reader: header and stored values of one file. Series are put together in ../series-assembly.ts. */
import type { SourceFile } from '../../../src-contract/study.ts';
import type { FrameSet } from '../pixels.ts';
import type { ReadLimits } from '../reader.ts';
import { decodeInstance } from './dicom/decode.ts';
import { type DicomInstance, parseInstance } from './dicom/instance.ts';

export type { DicomInstance } from './dicom/instance.ts';
export { looksLikeDicom } from './dicom/part10.ts';

/**
 * Reads the header of one file; keeps no reference to `bytes`.
 *
 * @returns null for DICOM that is no image: reports, plans, structure sets, directories.
 * @throws ReadroomError 'file-malformed', 'file-truncated', 'format-unsupported' or 'file-too-large'.
 */
export function parseDicom(bytes: Uint8Array, source: SourceFile, limits: ReadLimits): DicomInstance | null {
  return parseInstance(bytes, source, limits);
}

/**
 * Stored values of every frame of one file, before any rescale, palette or colour conversion: chroma of 4:2:2 data is
 * repeated to full width, and colours are interleaved by pixel.
 *
 * @throws ReadroomError 'file-malformed', 'file-truncated', 'format-unsupported' or 'file-too-large'.
 */
export async function decodeDicom(bytes: Uint8Array, name: string, limits: ReadLimits): Promise<FrameSet> {
  return (await decodeInstance(bytes, name, limits)).frames;
}
