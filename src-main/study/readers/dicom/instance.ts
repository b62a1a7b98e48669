/** What is kept of one DICOM file between opening a study and reading its pixels: everything but the bytes. */
import type { SourceFile } from '../../../../src-contract/study.ts';
import {
  type DicomInstanceBase,
  malformed,
  type ReadLimits,
  requireBytes,
  saysSynthetic,
} from '../../reader.ts';
import type { DataSet } from './data-set.ts';
import { sourceName } from './decode.ts';
import { type FrameInfo, readFrameInfos } from './frame-info.ts';
import { type Part10, readPart10 } from './part10.ts';
import { describePixels, type PixelDescription } from './pixel-description.ts';

export interface DicomInstance extends DicomInstanceBase {
  readonly pixels: PixelDescription;
  readonly frameInfos: readonly FrameInfo[];
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly frameOfReferenceUid: string;
  readonly seriesNumber?: number;
  readonly instanceNumber?: number;
  readonly description: string;
  readonly imageType: readonly string[];
  readonly units: string;
  readonly synthetic: boolean;
  readonly identifiers: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** Attributes that name a person, a place or a time, by keyword (PS3.6). */
const identifierTags: Readonly<Record<string, number>> = {
  PatientName: 0x00100010,
  PatientID: 0x00100020,
  PatientBirthDate: 0x00100030,
  PatientSex: 0x00100040,
  PatientAge: 0x00101010,
  OtherPatientIDs: 0x00101000,
  AccessionNumber: 0x00080050,
  StudyDate: 0x00080020,
  StudyTime: 0x00080030,
  SeriesDate: 0x00080021,
  AcquisitionDate: 0x00080022,
  InstitutionName: 0x00080080,
  InstitutionAddress: 0x00080081,
  ReferringPhysicianName: 0x00080090,
  PerformingPhysicianName: 0x00081050,
  OperatorsName: 0x00081070,
  StationName: 0x00081010,
  StudyID: 0x00200010,
  StudyDescription: 0x00081030,
  StudyInstanceUID: 0x0020000d,
  SeriesInstanceUID: 0x0020000e,
};

/** Storage classes (below 1.2.840.10008.5.1.4.1.1) whose objects are pixels; others carry them by accident. */
const imageClass =
  /^(1\.|1$|2$|2\.|3\.1|4$|4\.[1-4]|6\.|7$|7\.|12\.|14\.|20$|30$|66\.[47]|66\.8|77\.1\.|128$|128\.1|130$|481\.[12]$)/;
const storageRoot = '1.2.840.10008.5.1.4.1.1.';

function isImageClass(uid: string): boolean {
  // Damaged before its class is known: better said than passed over.
  if (uid === '') return true;
  if (uid.startsWith(storageRoot)) return imageClass.test(uid.slice(storageRoot.length));
  // The directory of a medium; private classes may be images.
  return uid !== '1.2.840.10008.1.3.10';
}

/**
 * Reads the header of one file.
 *
 * @returns null for DICOM that is no image: reports, plans, structure sets, directories.
 * @throws ReadroomError as describePixels and readPart10 do.
 */
export function parseInstance(
  bytes: Uint8Array,
  source: SourceFile,
  limits: ReadLimits,
): DicomInstance | null {
  const name = sourceName(source);
  const file = readPart10(bytes, name, limits);
  const { dataSet } = file;
  const sopClassUid = dataSet.string(0x00080016) ?? '';
  if (!file.pixel) {
    refuseCutHeader(file, bytes, isImageClass(sopClassUid));
    return null;
  }
  const pixels = describePixels(file, limits);
  const frameInfos = readFrameInfos(dataSet, pixels.frames);
  const text = (tag: number) => dataSet.string(tag) ?? '';
  const description = text(0x0008103e) || text(0x00181030) || text(0x00081030);
  const modality = text(0x00080060) || 'OT';
  if (file.fault) file.warnings.push(`The header is damaged: ${file.fault}.`);
  return {
    source: { ...source, sopInstanceUid: text(0x00080018) || source.sopInstanceUid },
    modality,
    transferSyntax: file.transferSyntax,
    rows: pixels.rows,
    columns: pixels.columns,
    frames: pixels.frames,
    channels: pixels.samples,
    pixels,
    frameInfos,
    sopClassUid,
    sopInstanceUid: text(0x00080018),
    studyUid: text(0x0020000d),
    seriesUid: text(0x0020000e),
    frameOfReferenceUid: text(0x00200052),
    seriesNumber: dataSet.number(0x00200011, 'IS'),
    instanceNumber: dataSet.number(0x00200013, 'IS'),
    description,
    imageType: dataSet.strings(0x00080008),
    units: unitsOf(dataSet, modality, frameInfos),
    synthetic: saysSynthetic(
      description,
      text(0x00081030),
      text(0x00204000),
      text(0x00082111),
      ...dataSet.strings(0x00080008),
    ),
    identifiers: readIdentifiers(dataSet),
    warnings: file.warnings,
  };
}

/** Without pixel data, a file is either of a kind that has none, or it is an image that was cut short. */
function refuseCutHeader(file: Part10, bytes: Uint8Array, image: boolean): void {
  if (!image || !file.fault) return;
  if (/runs past the end/.test(file.fault))
    requireBytes(bytes.length, bytes.length + 1, file.name, 'header and pixels');
  throw malformed(file.name, `its header is damaged: ${file.fault}`);
}

function readIdentifiers(dataSet: DataSet): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [keyword, tag] of Object.entries(identifierTags)) {
    const value = dataSet.strings(tag).join('\\');
    if (value) out[keyword] = value;
  }
  return out;
}

/** Units of the values after rescale: Rescale Type, or what the modality implies; '' where nobody says. */
function unitsOf(dataSet: DataSet, modality: string, frames: readonly FrameInfo[]): string {
  const stated = frames[0]?.lut?.type || (dataSet.string(0x00281054) ?? '');
  if (stated && stated !== 'US') return stated;
  if (modality === 'CT') return 'HU';
  if (modality === 'PT') return petUnits[dataSet.string(0x00541001) ?? ''] ?? '';
  if (modality === 'RTDOSE') return dataSet.string(0x30040002) === 'GY' ? 'Gy' : '';
  return '';
}

const petUnits: Readonly<Record<string, string>> = {
  BQML: 'Bq/ml',
  CNTS: 'counts',
  CPS: 'counts/s',
  GML: 'g/ml',
};
