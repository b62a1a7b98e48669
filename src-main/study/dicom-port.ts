/** The DICOM reader as the opener sees it. */
import type { SourceFile } from '../../src-contract/study.ts';
import type { FrameSet } from './pixels.ts';
import { type AssembledSeries, type DicomInstanceBase, type ReadLimits, unsupported } from './reader.ts';

export type DicomInstance = DicomInstanceBase;

export function parseDicom(
  _bytes: Uint8Array,
  source: SourceFile,
  _limits: ReadLimits,
): DicomInstance | null {
  throw unsupported(source.path, 'DICOM is not read yet', 'Use another format.');
}
export async function decodeDicom(_bytes: Uint8Array, name: string, _limits: ReadLimits): Promise<FrameSet> {
  throw unsupported(name, 'DICOM is not read yet', 'Use another format.');
}
export function assembleSeries(_instances: DicomInstance[]): AssembledSeries[] {
  return [];
}
