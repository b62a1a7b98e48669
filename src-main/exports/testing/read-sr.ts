/** Reads the reports that Readroom writes, with its own DICOM reader: what a report says, back as boxes. */
import { defaultLimits } from '../../study/reader.ts';
import type { DataSet } from '../../study/readers/dicom/data-set.ts';
import { readPart10 } from '../../study/readers/dicom/part10.ts';

export interface ReportedRegion {
  readonly sopInstanceUid: string;
  /** From 1. */
  readonly frame: number;
  /** Column, row: 0, 0 is the top left corner of the first pixel. */
  readonly points: readonly (readonly [number, number])[];
}

export interface ReportedBox {
  readonly label: string;
  readonly trackingUid: string;
  readonly regions: readonly ReportedRegion[];
  /** Contours in patient millimetres. */
  readonly contours: readonly (readonly (readonly [number, number, number])[])[];
  readonly comments: readonly string[];
}

const tag = {
  content: 0x0040a730,
  conceptName: 0x0040a043,
  codeValue: 0x00080100,
  textValue: 0x0040a160,
  uid: 0x0040a124,
  valueType: 0x0040a040,
  graphicData: 0x00700022,
  referencedSop: 0x00081199,
  referencedUid: 0x00081155,
  referencedFrame: 0x00081160,
} as const;

/** Text that may run over several values: a backslash is no delimiter in UT and LT. */
const textOf = (set: DataSet, of: number): string => set.strings(of).join('\\');
const conceptOf = (item: DataSet): string => item.item(tag.conceptName)?.string(tag.codeValue) ?? '';

export function readReport(bytes: Uint8Array): { boxes: ReportedBox[]; comments: string[]; root: DataSet } {
  const { dataSet: root } = readPart10(bytes, 'report', defaultLimits);
  const items = root.items(tag.content);
  const measurements = items.find((item) => conceptOf(item) === '126010');
  return {
    boxes: (measurements?.items(tag.content) ?? []).map(boxOf),
    comments: items.filter((item) => conceptOf(item) === '121106').map((item) => textOf(item, tag.textValue)),
    root,
  };
}

function boxOf(group: DataSet): ReportedBox {
  const items = group.items(tag.content);
  const text = (code: string): string =>
    textOf(items.find((item) => conceptOf(item) === code) ?? group, tag.textValue);
  const ofType = (type: string): DataSet[] => items.filter((item) => item.string(tag.valueType) === type);
  return {
    label: text('112039'),
    trackingUid: items.find((item) => conceptOf(item) === '112040')?.string(tag.uid) ?? '',
    regions: ofType('SCOORD').map((item) => {
      const reference = item.item(tag.content)?.item(tag.referencedSop);
      return {
        sopInstanceUid: reference?.string(tag.referencedUid) ?? '',
        frame: reference?.number(tag.referencedFrame, 'IS') ?? 1,
        points: groupsOf(item.numbers(tag.graphicData, 'FL'), 2) as [number, number][],
      };
    }),
    contours: ofType('SCOORD3D').map(
      (item) => groupsOf(item.numbers(tag.graphicData, 'FL'), 3) as [number, number, number][],
    ),
    comments: items.filter((item) => conceptOf(item) === '121106').map((item) => textOf(item, tag.textValue)),
  };
}

function groupsOf(numbers: readonly number[], size: number): number[][] {
  const out: number[][] = [];
  for (let at = 0; at + size <= numbers.length; at += size) out.push(numbers.slice(at, at + size));
  return out;
}
