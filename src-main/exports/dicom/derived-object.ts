/** What reports and segmentations share: equipment, series, dates, and the words that must not be missing. */
import { researchNotice } from '../../../src-contract/trace.ts';
import { appVersion } from '../../runs/version.ts';
import type { RunToExport } from '../export-run.ts';
import { uidOf } from '../names.ts';
import { dateAndTime, type NaturalSet } from './data-set-writer.ts';
import type { SourceSeries } from './source-series.ts';

/** Long strings of PS3.5 (LO): at most 64 characters, no backslash. */
export const longString = (text: string): string =>
  text
    .replace(/[\\\p{Cc}]/gu, ' ')
    .trim()
    .slice(0, 64);

/**
 * That data are synthetic is said in words: the attribute Synthetic Data (0008,001C) is too young for dciodvfy, which calls
 * it an error.
 * @param object.kind tells the objects of one run apart in their UIDs; `content` makes new UIDs for new contents
 */
export function derivedObject(
  { run, findings }: RunToExport,
  source: SourceSeries,
  object: { sopClassUid: string; modality: string; kind: string; seriesNumber: number; content: string },
): NaturalSet {
  const { date, time } = dateAndTime(new Date());
  const synthetic = findings.synthetic ? 'SYNTHETIC DATA. ' : '';
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: object.sopClassUid,
    SOPInstanceUID: uidOf('instance', object.kind, run.runId, object.content),
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    ContentDate: date,
    ContentTime: time,
    Modality: object.modality,
    Manufacturer: 'Readroom',
    ManufacturerModelName: 'Readroom',
    DeviceSerialNumber: '0',
    SoftwareVersions: appVersion(),
    SeriesInstanceUID: uidOf('series', object.kind, run.runId, object.content),
    SeriesNumber: String(object.seriesNumber),
    SeriesDescription: longString(`${synthetic}Readroom boxes. ${researchNotice}`),
    InstanceNumber: '1',
    ...source.patientAndStudy,
  };
}

/** What the object is about, as one text: equal texts, equal UIDs. */
export function contentKey({ findings, readerName }: RunToExport, identifiers: boolean): string {
  const { steps, added, answer } = findings;
  return JSON.stringify([steps, added, answer, readerName, identifiers]);
}
