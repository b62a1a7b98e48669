/** DICOM files by dcmjs: data sets by keyword (PS3.6), explicit little endian. */
import { createRequire } from 'node:module';
import { NotExportable } from '../export-run.ts';
import { uidOf } from '../names.ts';

export type Value = string | number | ArrayBuffer;
/** Keyword -> value, values, or the items of a sequence. '' and [] are empty elements. */
export interface NaturalSet {
  readonly [keyword: string]: Value | readonly Value[] | readonly NaturalSet[] | undefined;
}

interface Dcmjs {
  readonly data: {
    readonly DicomDict: new (meta: object) => { dict: object; write(options?: object): ArrayBuffer };
    readonly DicomMetaDictionary: {
      readonly nameMap: Readonly<Record<string, unknown>>;
      denaturalizeDataset(set: object): object;
    };
  };
  readonly log: { setLevel(level: string): void };
}

/** dcmjs's ES build has no "type": "module", which Node 20 refuses; loaded when first needed, since it is large. */
let loaded: Dcmjs | undefined;
function dcmjs(): Dcmjs {
  if (!loaded) {
    loaded = createRequire(import.meta.url)('dcmjs') as Dcmjs;
    loaded.log.setLevel('error');
  }
  return loaded;
}

const explicitLittleEndian = '1.2.840.10008.1.2.1';
const implementationUid = uidOf('Readroom', 'implementation');

/**
 * The bytes of a Part 10 file.
 * @throws NotExportable for a value that its element can't hold, TypeError for a keyword that PS3.6 does not have
 */
export function writeDataSet(set: NaturalSet): Uint8Array {
  const { DicomDict, DicomMetaDictionary } = dcmjs().data;
  requireKeywords(set, DicomMetaDictionary.nameMap);
  const file = new DicomDict(
    DicomMetaDictionary.denaturalizeDataset({
      FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
      MediaStorageSOPClassUID: set.SOPClassUID,
      MediaStorageSOPInstanceUID: set.SOPInstanceUID,
      TransferSyntaxUID: explicitLittleEndian,
      ImplementationClassUID: implementationUid,
      ImplementationVersionName: 'READROOM',
    }),
  );
  file.dict = DicomMetaDictionary.denaturalizeDataset({ ...set, _vrMap: { PixelData: 'OB' } });
  try {
    return new Uint8Array(file.write());
  } catch (thrown) {
    // Values of the source, or words of a trace, that no data element can hold.
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    throw new NotExportable(`It can't be written as DICOM: ${detail}`);
  }
}

function requireKeywords(set: NaturalSet, known: Readonly<Record<string, unknown>>): void {
  for (const [keyword, value] of Object.entries(set)) {
    if (!known[keyword]) throw new TypeError(`'${keyword}' is no DICOM keyword`);
    if (!Array.isArray(value)) continue;
    for (const item of value) {
      if (typeof item === 'object' && !(item instanceof ArrayBuffer))
        requireKeywords(item as NaturalSet, known);
    }
  }
}

/** Decimal string: the most digits that 16 characters hold (PS3.5 section 6.2). */
export function decimalString(value: number): string {
  const whole = String(value);
  if (whole.length <= 16) return whole;
  for (let digits = 15; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16) return text;
  }
  return value.toExponential(8);
}

/** 'YYYYMMDD' and 'HHMMSS' in UTC. */
export function dateAndTime(at: Date): { date: string; time: string } {
  const digits = at.toISOString().replace(/\D/g, '');
  return { date: digits.slice(0, 8), time: digits.slice(8, 14) };
}
