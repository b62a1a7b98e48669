/**
 * DICOM Segmentation of the boxes: binary, one segment a box, one frame for each slice that it covers, on the grid of the
 * source instances, which every frame references. PS3.3 section A.51 and C.8.20.
 */
import { type ExportOptions, type FormatWriter, NotExportable, type RunToExport } from '../export-run.ts';
import { describeVerdict, type Finding, keptFindings, voxelRange } from '../findings.ts';
import { uidOf } from '../names.ts';
import type { OutputFolder } from '../output-folder.ts';
import { codeItem, codes } from './codes.ts';
import { decimalString, type NaturalSet, writeDataSet } from './data-set-writer.ts';
import { contentKey, derivedObject, longString } from './derived-object.ts';
import { instanceReference, readSourceSeries, type SourceSeries, uniqueInstances } from './source-series.ts';
import { coveredSlices, trackingUid } from './sr.ts';

const segmentationStorage = '1.2.840.10008.5.1.4.1.1.66.4';
const segmentNumberTag = 0x0062000b;
const segmentGroupTag = 0x0062000a;
const positionTag = 0x00200032;
const planeGroupTag = 0x00209113;

/** Bytes of pixel data: what a viewer takes at once. Frames beyond it are refused. */
const mostBytes = 1 << 30;

interface Frame {
  /** From 1. */
  readonly segment: number;
  readonly slice: number;
  /** First and last column and row. */
  readonly columns: readonly [number, number];
  readonly rows: readonly [number, number];
}

export async function openDicomSeg(folder: OutputFolder, options: ExportOptions): Promise<FormatWriter> {
  return {
    async add(item) {
      const findings = keptFindings(item.findings);
      if (findings.length === 0) throw new NotExportable('There is no box to segment.');
      const source = await readSourceSeries(item, coveredSlices(item, findings), options.identifiers);
      const set = segmentationOf(item, findings, source, options);
      await folder.write(`${item.name}.seg.dcm`, writeDataSet(set));
    },
    finish: async () => undefined,
  };
}

function segmentationOf(
  item: RunToExport,
  findings: readonly Finding[],
  source: SourceSeries,
  { identifiers }: ExportOptions,
): NaturalSet {
  const { chain } = item.findings;
  const frames = framesOf(item, findings);
  const [columns, rows] = chain.sourceSize;
  const frameOfReference = source.frameOfReferenceUid ?? uidOf('frame of reference', source.seriesUid);
  const placed = chain.sourceToPatient !== null;
  const organization = uidOf('dimensions', item.run.runId);
  return {
    ...derivedObject(item, source, {
      sopClassUid: segmentationStorage,
      modality: 'SEG',
      kind: 'seg',
      seriesNumber: 9102,
      content: contentKey(item, identifiers),
    }),
    ...(placed
      ? { FrameOfReferenceUID: frameOfReference, PositionReferenceIndicator: '' }
      : { PatientOrientation: '' }),
    ImageType: ['DERIVED', 'PRIMARY'],
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: source.seriesUid, ReferencedInstanceSequence: uniqueInstances(source) },
    ],
    ContentLabel: 'BOXES',
    ContentDescription: 'Boxes of a model and its reader. Research use only.',
    ContentCreatorName: item.readerName ? `${longString(item.readerName).replace(/[\^=]/g, ' ')}^` : '',
    SegmentationType: 'BINARY',
    SegmentsOverlap: overlap(item, findings) ? 'YES' : 'NO',
    LossyImageCompression: '00',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    PixelRepresentation: 0,
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    Rows: rows,
    Columns: columns,
    NumberOfFrames: String(frames.length),
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organization }],
    DimensionIndexSequence: [
      dimension(organization, segmentNumberTag, segmentGroupTag, 'Segment'),
      ...(placed ? [dimension(organization, positionTag, planeGroupTag, 'Position')] : []),
    ],
    SegmentSequence: findings.map((finding, index) => segmentOf(item, finding, index + 1)),
    SharedFunctionalGroupsSequence: [sharedGroups(chain.sourceToPatient)],
    PerFrameFunctionalGroupsSequence: frames.map((frame) => frameGroups(frame, item, source, placed)),
    PixelData: packBits(frames, columns, rows),
  };
}

function framesOf({ findings }: RunToExport, boxes: readonly Finding[]): Frame[] {
  const frames: Frame[] = [];
  for (const [index, { box }] of boxes.entries()) {
    const [columns, rows, slices] = voxelRange(findings.chain, box);
    for (let slice = slices[0]; slice <= slices[1]; slice++) {
      frames.push({ segment: index + 1, slice, columns, rows });
    }
  }
  const [width, height] = findings.chain.sourceSize;
  if ((width * height * frames.length) / 8 > mostBytes) {
    throw new NotExportable(`The segmentation would have ${frames.length} frames of ${width} x ${height}.`);
  }
  return frames;
}

function overlap({ findings }: RunToExport, boxes: readonly Finding[]): boolean {
  const ranges = boxes.map(({ box }) => voxelRange(findings.chain, box));
  return ranges.some((a, n) =>
    ranges
      .slice(n + 1)
      .some((b) => a.every(([first, last], axis) => first <= b[axis][1] && b[axis][0] <= last)),
  );
}

const dimension = (organization: string, pointer: number, group: number, label: string): NaturalSet => ({
  DimensionOrganizationUID: organization,
  DimensionIndexPointer: pointer,
  FunctionalGroupPointer: group,
  DimensionDescriptionLabel: label,
});

function segmentOf({ run, findings }: RunToExport, finding: Finding, number: number): NaturalSet {
  const { model } = findings.summary.started ?? {};
  const name = longString(model?.name ?? 'unknown model');
  const types = { model: 'AUTOMATIC', corrected: 'SEMIAUTOMATIC', reader: 'MANUAL' } as const;
  const algorithm =
    finding.origin === 'reader'
      ? {}
      : {
          SegmentAlgorithmName: name,
          SegmentationAlgorithmIdentificationSequence: [
            {
              AlgorithmFamilyCodeSequence: [codeItem(codes.artificialIntelligence)],
              AlgorithmName: name,
              AlgorithmVersion: longString(model?.modelHash ?? 'unknown'),
            },
          ],
        };
  return {
    SegmentNumber: number,
    SegmentLabel: longString(finding.label),
    SegmentDescription: `${describeVerdict(finding)}. ${finding.text}`.slice(0, 1024),
    SegmentAlgorithmType: types[finding.origin],
    ...algorithm,
    SegmentedPropertyCategoryCodeSequence: [codeItem(codes.spatialConcept)],
    SegmentedPropertyTypeCodeSequence: [codeItem(codes.selectedRegion)],
    TrackingID: finding.label,
    TrackingUID: trackingUid(run.runId, finding),
  };
}

function sharedGroups(m: readonly number[] | null): NaturalSet {
  if (!m) return {};
  const column = (n: number): number[] => [m[n], m[4 + n], m[8 + n]];
  const length = (n: number): number => Math.hypot(...column(n));
  const unit = (n: number): string[] => column(n).map((value) => decimalString(value / length(n)));
  return {
    PixelMeasuresSequence: [
      {
        SliceThickness: decimalString(length(2)),
        SpacingBetweenSlices: decimalString(length(2)),
        PixelSpacing: [decimalString(length(1)), decimalString(length(0))],
      },
    ],
    PlaneOrientationSequence: [{ ImageOrientationPatient: [...unit(0), ...unit(1)] }],
  };
}

function frameGroups(
  { segment, slice }: Frame,
  { findings }: RunToExport,
  { instances }: SourceSeries,
  placed: boolean,
): NaturalSet {
  const instance = instances.get(slice);
  const m = findings.chain.sourceToPatient;
  const position = m && [0, 1, 2].map((row) => decimalString(m[row * 4 + 2] * slice + m[row * 4 + 3]));
  return {
    DerivationImageSequence: [
      {
        DerivationCodeSequence: [codeItem(codes.derivedBySegmentation)],
        SourceImageSequence: instance
          ? [
              {
                ...instanceReference(instance),
                PurposeOfReferenceCodeSequence: [codeItem(codes.sourceForProcessing)],
                SpatialLocationsPreserved: 'YES',
              },
            ]
          : [],
      },
    ],
    FrameContentSequence: [{ DimensionIndexValues: placed ? [segment, slice + 1] : [segment] }],
    ...(position ? { PlanePositionSequence: [{ ImagePositionPatient: position }] } : {}),
    SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment }],
  };
}

/** One bit a pixel, frames without a gap between them, the first pixel in the lowest bit (PS3.5 section 8.1.1). */
function packBits(frames: readonly Frame[], width: number, height: number): ArrayBuffer {
  const bytes = Math.ceil((width * height * frames.length) / 8);
  const out = new Uint8Array(bytes + (bytes % 2));
  for (const [index, { columns, rows }] of frames.entries()) {
    for (let y = rows[0]; y <= rows[1]; y++) {
      const start = (index * height + y) * width;
      for (let x = columns[0]; x <= columns[1]; x++) {
        const bit = start + x;
        // Not by shifts: large segmentations have more bits than 32 can count.
        out[Math.floor(bit / 8)] |= 1 << (bit % 8);
      }
    }
  }
  return out.buffer;
}
