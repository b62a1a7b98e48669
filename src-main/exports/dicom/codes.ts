/** Coded concepts (PS3.16 annex D, SNOMED CT, LOINC, UCUM) that reports and segmentations use. */
import type { NaturalSet } from './data-set-writer.ts';

export interface Code {
  readonly value: string;
  readonly scheme: 'DCM' | 'SCT' | 'LN' | 'UCUM' | 'RFC5646';
  readonly meaning: string;
}

const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning });
const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning });
const ln = (value: string, meaning: string): Code => ({ value, scheme: 'LN', meaning });
const ucum = (value: string, meaning: string): Code => ({ value, scheme: 'UCUM', meaning });

export const codes = {
  algorithmName: dcm('111001', 'Algorithm Name'),
  algorithmParameters: dcm('111002', 'Algorithm Parameters'),
  algorithmVersion: dcm('111003', 'Algorithm Version'),
  area: sct('42798000', 'Area'),
  artificialIntelligence: dcm('123110', 'Artificial Intelligence'),
  boundedBy: sct('75958009', 'Bounded by'),
  comment: dcm('121106', 'Comment'),
  device: dcm('121007', 'Device'),
  deviceManufacturer: dcm('121014', 'Device Observer Manufacturer'),
  deviceModel: dcm('121015', 'Device Observer Model Name'),
  deviceName: dcm('121013', 'Device Observer Name'),
  deviceUid: dcm('121012', 'Device Observer UID'),
  english: { value: 'en', scheme: 'RFC5646', meaning: 'English' },
  finding: dcm('121071', 'Finding'),
  geometricPurpose: dcm('130400', 'Geometric purpose of region'),
  imageLibrary: dcm('111028', 'Image Library'),
  imageLibraryGroup: dcm('126200', 'Image Library Group'),
  imageRegion: dcm('111030', 'Image Region'),
  imagingMeasurementReport: dcm('126000', 'Imaging Measurement Report'),
  imagingMeasurements: dcm('126010', 'Imaging Measurements'),
  language: dcm('121049', 'Language of Content Item and Descendants'),
  measurementGroup: dcm('125007', 'Measurement Group'),
  observerType: dcm('121005', 'Observer Type'),
  person: dcm('121006', 'Person'),
  personName: dcm('121008', 'Person Observer Name'),
  procedureReported: dcm('121058', 'Procedure reported'),
  selectedRegion: dcm('111099', 'Selected region'),
  sourceForSegmentation: dcm('121233', 'Source image for segmentation'),
  sourceForProcessing: dcm('121322', 'Source image for image processing operation'),
  derivedBySegmentation: dcm('113076', 'Segmentation'),
  spatialConcept: sct('309825002', 'Spatial and Relational Concept'),
  squareMillimetre: ucum('mm2', 'square millimeter'),
  cubicMillimetre: ucum('mm3', 'cubic millimeter'),
  trackingIdentifier: dcm('112039', 'Tracking Identifier'),
  trackingUid: dcm('112040', 'Tracking Unique Identifier'),
  volume: sct('118565006', 'Volume'),
  volumeSurface: dcm('121231', 'Volume Surface'),
} as const satisfies Record<string, Code>;

/** CID 100; the procedure as the modality tells it. */
export function procedureOf(modality: string): Code {
  switch (modality) {
    case 'CT':
      return ln('25045-6', 'CT unspecified body region');
    case 'MR':
      return ln('25056-3', 'MRI unspecified body region');
    case 'CR':
    case 'DX':
      return ln('43468-8', 'XR unspecified body region');
    default:
      return sct('363679005', 'Imaging procedure');
  }
}

export const codeItem = ({ value, scheme, meaning }: Code): NaturalSet => ({
  CodeValue: value,
  CodingSchemeDesignator: scheme,
  CodeMeaning: meaning,
});
