/** What a derived DICOM object has to know of the series it is about: its UIDs, its instances, and the patient. */
import { defaultLimits } from '../../study/reader.ts';
import type { DataSet } from '../../study/readers/dicom/data-set.ts';
import { readPart10 } from '../../study/readers/dicom/part10.ts';
import { NotExportable, type RunToExport } from '../export-run.ts';
import type { NaturalSet } from './data-set-writer.ts';

export interface SourceInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** From 1; null for an instance of one frame. */
  readonly frame: number | null;
}

export interface SourceSeries {
  readonly studyUid: string;
  readonly seriesUid: string;
  /** Null where the images name none. */
  readonly frameOfReferenceUid: string | null;
  readonly modality: string;
  /** By source slice k. */
  readonly instances: ReadonlyMap<number, SourceInstance>;
  /** Patient and General Study modules; names, numbers and dates only where asked for. */
  readonly patientAndStudy: NaturalSet;
}

/**
 * Reads the headers of the source slices that are written about.
 * @throws NotExportable where the source is no DICOM, is gone, or lacks the UIDs that a reference is made of
 */
export async function readSourceSeries(
  item: RunToExport,
  slices: readonly number[],
  identifiers: boolean,
): Promise<SourceSeries> {
  const instances = new Map<number, SourceInstance>();
  let first: DataSet | undefined;
  let frameOfReferenceUid: string | null = null;
  for (const k of slices) {
    const { name, bytes, frame, frames } = await item.images.dicomFile(k);
    const { dataSet } = readPart10(bytes, name, defaultLimits);
    const sopClassUid = dataSet.string(0x00080016);
    const sopInstanceUid = dataSet.string(0x00080018);
    if (!isUid(sopClassUid) || !isUid(sopInstanceUid))
      throw new NotExportable(`${name} has no SOP UIDs to be referenced by.`);
    instances.set(k, { sopClassUid, sopInstanceUid, frame: frames > 1 ? frame + 1 : null });
    const frameUid = dataSet.string(0x00200052);
    frameOfReferenceUid ??= isUid(frameUid) ? frameUid : null;
    first ??= dataSet;
  }
  const studyUid = first?.string(0x0020000d);
  const seriesUid = first?.string(0x0020000e);
  if (!first || !isUid(studyUid) || !isUid(seriesUid)) {
    throw new NotExportable('The source does not say which study and series it is of.');
  }
  return {
    studyUid,
    seriesUid,
    frameOfReferenceUid,
    modality: first.string(0x00080060) ?? 'OT',
    instances,
    patientAndStudy: { StudyInstanceUID: studyUid, ...patientAndStudy(first, identifiers) },
  };
}

function patientAndStudy(set: DataSet, identifiers: boolean): NaturalSet {
  const of = (tag: number, made: (text: string) => string): string =>
    identifiers ? made(set.string(tag) ?? '') : '';
  return {
    PatientName: of(0x00100010, atMost(64)),
    PatientID: of(0x00100020, atMost(64)),
    PatientBirthDate: of(0x00100030, date),
    PatientSex: of(0x00100040, (text) => (/^[MFO]$/.test(text) ? text : '')),
    StudyDate: of(0x00080020, date),
    StudyTime: of(0x00080030, time),
    ReferringPhysicianName: of(0x00080090, atMost(64)),
    StudyID: of(0x00200010, atMost(16)),
    AccessionNumber: of(0x00080050, atMost(16)),
    ...(identifiers
      ? {}
      : {
          PatientIdentityRemoved: 'YES',
          DeidentificationMethod: 'Readroom: names, numbers, dates left out; UIDs kept',
        }),
  };
}

// Values of old and odd files, as the standard of today would have them; what can't be told is left empty.

const atMost =
  (length: number) =>
  (text: string): string =>
    text.replace(/\p{Cc}/gu, '').slice(0, length);

/** YYYYMMDD; before 1993 dots stood between. */
function date(text: string): string {
  const digits = text.replace(/^(\d{4})\.(\d\d)\.(\d\d)$/, '$1$2$3');
  return /^\d{8}$/.test(digits) ? digits : '';
}

/** HHMMSS with a fraction; before 1993 colons stood between. */
function time(text: string): string {
  const digits = text.replace(/^(\d\d):(\d\d):(\d\d)/, '$1$2$3');
  return /^\d\d(\d\d(\d\d(\.\d{1,6})?)?)?$/.test(digits) ? digits : '';
}

/** PS3.5 section 9.1; leading zeros in a part are common, and readers take them. */
const isUid = (text: string | undefined): text is string =>
  text !== undefined && text.length <= 64 && /^\d+(\.\d+)*$/.test(text);

/** Reference to one instance, with its frame where it has several. */
export const instanceReference = ({ sopClassUid, sopInstanceUid, frame }: SourceInstance): NaturalSet => ({
  ReferencedSOPClassUID: sopClassUid,
  ReferencedSOPInstanceUID: sopInstanceUid,
  ...(frame === null ? {} : { ReferencedFrameNumber: String(frame) }),
});

/** Each instance once, without frames: for lists of evidence. */
export function uniqueInstances({ instances }: SourceSeries): NaturalSet[] {
  const byUid = new Map<string, NaturalSet>();
  for (const instance of instances.values()) {
    byUid.set(instance.sopInstanceUid, instanceReference({ ...instance, frame: null }));
  }
  return [...byUid.values()];
}
