/**
 * DICOM Structured Report (Comprehensive 3D SR) by TID 1500: what the model and the reader marked, as image regions.
 *
 * Each box is a measurement group with 2D regions (SCOORD), one on every source slice that it covers, and, where the
 * images have a frame of reference, a second group of the same tracking UID with the box in patient millimetres
 * (SCOORD3D): the templates allow one kind of region in a group. A box of voxels is a rectangle on every slice of its own
 * series, whichever way that lies, so both are exact.
 *
 * Learnt from the troubles of others: a rectangle is a closed POLYLINE with one image behind it and the group has a
 * tracking identifier and UID (OHIF#5082, #5762: rectangles lost after saving); coded terms are SNOMED CT, not SRT; every
 * NUM has a value and UCUM units; SCOORD3D only in Comprehensive 3D SR (dcmjs#432).
 */
import { researchNotice } from '../../../src-contract/trace.ts';
import { type ExportOptions, type FormatWriter, NotExportable, type RunToExport } from '../export-run.ts';
import { describeVerdict, type Finding, keptFindings, sideLengths, voxelRange } from '../findings.ts';
import { uidOf } from '../names.ts';
import type { OutputFolder } from '../output-folder.ts';
import { codes, procedureOf } from './codes.ts';
import {
  code,
  container,
  image,
  measurement,
  personName,
  polygon3d,
  region,
  text,
  uidReference,
} from './content-items.ts';
import { type NaturalSet, writeDataSet } from './data-set-writer.ts';
import { contentKey, derivedObject, longString } from './derived-object.ts';
import { readSourceSeries, type SourceSeries, uniqueInstances } from './source-series.ts';

const comprehensive3dSr = '1.2.840.10008.5.1.4.1.1.88.34';

export async function openDicomSr(folder: OutputFolder, options: ExportOptions): Promise<FormatWriter> {
  return {
    async add(item) {
      const findings = keptFindings(item.findings);
      if (findings.length === 0) throw new NotExportable('There is no box to report.');
      const source = await readSourceSeries(item, coveredSlices(item, findings), options.identifiers);
      refuseNoImages(source);
      await folder.write(`${item.name}.sr.dcm`, writeDataSet(reportOf(item, findings, source, options)));
    },
    finish: async () => undefined,
  };
}

/** RT Dose and its kin have pixels, but a content item IMAGE may not reference them (PS3.3 table A.35.13-1). */
function refuseNoImages({ instances }: SourceSeries): void {
  for (const { sopClassUid } of instances.values()) {
    if (!/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.481\.[2-9]$/.test(sopClassUid)) continue;
    throw new NotExportable(
      'The source is a radiotherapy object, which a report may not reference as an image.',
    );
  }
}

/** Source slices that the boxes cover, in order. */
export function coveredSlices({ findings }: RunToExport, boxes: readonly Finding[]): number[] {
  const slices = new Set<number>();
  for (const { box } of boxes) {
    const [first, last] = voxelRange(findings.chain, box)[2];
    for (let k = first; k <= last; k++) slices.add(k);
  }
  return [...slices].sort((a, b) => a - b);
}

function reportOf(
  item: RunToExport,
  findings: readonly Finding[],
  source: SourceSeries,
  { identifiers }: ExportOptions,
): NaturalSet {
  const object = derivedObject(item, source, {
    sopClassUid: comprehensive3dSr,
    modality: 'SR',
    kind: 'sr',
    seriesNumber: 9101,
    content: contentKey(item, identifiers),
  });
  const { reading } = item.findings.review ?? {};
  return {
    ...object,
    ReferencedPerformedProcedureStepSequence: [],
    PerformedProcedureCodeSequence: [],
    CompletionFlag: reading?.status === 'done' ? 'COMPLETE' : 'PARTIAL',
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    CurrentRequestedProcedureEvidenceSequence: [
      {
        StudyInstanceUID: source.studyUid,
        ReferencedSeriesSequence: [
          { SeriesInstanceUID: source.seriesUid, ReferencedSOPSequence: uniqueInstances(source) },
        ],
      },
    ],
    ...container(codes.imagingMeasurementReport, contentOf(item, findings, source), {
      template: '1500',
      root: true,
    }),
  };
}

function contentOf(item: RunToExport, findings: readonly Finding[], source: SourceSeries): NaturalSet[] {
  const { trace, answer, synthetic } = item.findings;
  const comments = [
    researchNotice,
    'Boxes of a model are reasoning aids, not validated localisation.',
    ...(synthetic ? ['Something in these images is synthetic: not a finding of the patient.'] : []),
    `Question: ${trace.question}`,
    `Answer: ${answer.text || 'none'}${answer.amended ? ' (amended by the reader)' : ''}`,
    ...(item.findings.review?.comment ? [`Reader: ${item.findings.review.comment}`] : []),
  ];
  return [
    code('HAS CONCEPT MOD', codes.language, codes.english),
    ...observers(item),
    code('HAS CONCEPT MOD', codes.procedureReported, procedureOf(source.modality)),
    container(codes.imageLibrary, [
      container(
        codes.imageLibraryGroup,
        [...source.instances.values()].map((instance) => image('CONTAINS', null, instance)),
      ),
    ]),
    container(
      codes.imagingMeasurements,
      findings.flatMap((finding) => groupsOf(item, finding, source)),
    ),
    ...comments.map((comment) => text('CONTAINS', codes.comment, comment)),
  ];
}

/** The reader as a person, the model as a device (TID 1001). */
function observers({ findings, readerName }: RunToExport): NaturalSet[] {
  const { started } = findings.summary;
  const person = readerName
    ? [
        code('HAS OBS CONTEXT', codes.observerType, codes.person),
        // One component: a family name, as PS3.5 section 6.2 has it for names that have no parts.
        personName('HAS OBS CONTEXT', codes.personName, `${longString(readerName).replace(/[\^=]/g, ' ')}^`),
      ]
    : [];
  const { model } = started ?? {};
  return [
    ...person,
    code('HAS OBS CONTEXT', codes.observerType, codes.device),
    uidReference('HAS OBS CONTEXT', codes.deviceUid, uidOf('model', model?.modelHash ?? 'unknown')),
    text('HAS OBS CONTEXT', codes.deviceName, model?.name ?? 'unknown model'),
    text('HAS OBS CONTEXT', codes.deviceManufacturer, 'Readroom'),
    text('HAS OBS CONTEXT', codes.deviceModel, model ? `${model.name} ${model.precision}` : 'unknown model'),
  ];
}

/** TID 1411 for a box in a volume, TID 1410 for one on a single image. */
function groupsOf(item: RunToExport, finding: Finding, source: SourceSeries): NaturalSet[] {
  const { mode } = item.findings;
  const template = mode === '3d' ? '1411' : '1410';
  const head = headOf(item, finding);
  const tail = [...measurementsOf(item, finding), ...commentsOf(finding)];
  const flat = container(codes.measurementGroup, [...head, ...regionsOf(item, finding, source), ...tail], {
    template,
  });
  const spatial = spatialRegions(finding, source, mode);
  if (spatial.length === 0) return [flat];
  return [flat, container(codes.measurementGroup, [...head, ...spatial, ...tail], { template })];
}

function headOf({ run, findings }: RunToExport, finding: Finding): NaturalSet[] {
  const { started } = findings.summary;
  const { model, sampling, preset } = started ?? {};
  const algorithm =
    finding.origin === 'reader' || !model
      ? []
      : [
          text('HAS CONCEPT MOD', codes.algorithmName, model.name),
          text('HAS CONCEPT MOD', codes.algorithmVersion, `sha256 ${model.modelHash}`),
          text(
            'HAS CONCEPT MOD',
            codes.algorithmParameters,
            `precision ${model.precision}; preset ${preset}; temperature ${sampling?.temperature}; seed ${sampling?.seed}`,
          ),
        ];
  return [
    text('HAS OBS CONTEXT', codes.trackingIdentifier, finding.label),
    uidReference('HAS OBS CONTEXT', codes.trackingUid, trackingUid(run.runId, finding)),
    code('CONTAINS', codes.finding, codes.selectedRegion),
    ...algorithm,
    code('HAS CONCEPT MOD', codes.geometricPurpose, codes.boundedBy),
  ];
}

/** The same in the report, the segmentation, and every later export. */
export const trackingUid = (runId: string, finding: Finding): string => uidOf('finding', runId, finding.key);

/** Pixel coordinates: voxel edges are half a pixel off, since a pixel's corner is 0\0 and its centre 0.5\0.5. */
function regionsOf({ findings }: RunToExport, { box }: Finding, { instances }: SourceSeries): NaturalSet[] {
  const [first, last] = voxelRange(findings.chain, box)[2];
  const [left, top] = [box.min[0] + 0.5, box.min[1] + 0.5];
  const [right, bottom] = [box.max[0] + 0.5, box.max[1] + 0.5];
  const rectangle: [number, number][] = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
    [left, top],
  ];
  const regions: NaturalSet[] = [];
  for (let k = first; k <= last; k++) {
    const instance = instances.get(k);
    if (instance) regions.push(region(codes.imageRegion, rectangle, instance));
  }
  return regions;
}

/** A cuboid as its lowest and highest face, contours of one surface; a rectangle in the plane of its image. */
function spatialRegions(
  { located }: Finding,
  { frameOfReferenceUid }: SourceSeries,
  mode: '2d' | '3d',
): NaturalSet[] {
  const corners = located.patientCorners;
  if (!corners || !frameOfReferenceUid) return [];
  const face = (at: (corner: number) => readonly number[]): [number, number, number][] =>
    [0, 1, 3, 2, 0].map((corner) => at(corner) as [number, number, number]);
  if (mode === '2d') {
    const middle = (corner: number): number[] =>
      corners[corner].map((value, axis) => (value + corners[corner + 4][axis]) / 2);
    return [polygon3d(codes.imageRegion, face(middle), frameOfReferenceUid)];
  }
  return [0, 4].map((offset) =>
    polygon3d(
      codes.volumeSurface,
      face((corner) => corners[corner + offset]),
      frameOfReferenceUid,
    ),
  );
}

function measurementsOf({ findings }: RunToExport, { located }: Finding): NaturalSet[] {
  const sides = sideLengths(located, findings.chain);
  if (!sides) return [];
  return findings.mode === '3d'
    ? [measurement(codes.volume, sides[0] * sides[1] * sides[2], codes.cubicMillimetre)]
    : [measurement(codes.area, sides[0] * sides[1], codes.squareMillimetre)];
}

function commentsOf(finding: Finding): NaturalSet[] {
  const comments = [
    `Box ${finding.origin === 'reader' ? 'of the reader' : 'of the model'}, ${describeVerdict(finding)}.`,
    finding.text && `${finding.textAmended ? 'Amended words' : 'Words'}: ${finding.text}`,
    finding.verdict?.comment && `Reader: ${finding.verdict.comment}`,
  ];
  return comments.filter(Boolean).map((comment) => text('CONTAINS', codes.comment, String(comment)));
}
