/** Which frames can belong together at all: same series, same size, same plane. */
import { dot } from '../readers/dicom/frame-info.ts';
import type { DicomInstance } from '../readers/dicom/instance.ts';
import { normalOf, type Slice } from './slice.ts';

export interface SliceGroup {
  slices: Slice[];
  warnings: string[];
}

/** Cosine of the angle (0.1 degree) within which planes count as parallel: cosines are written with few digits. */
const parallel = Math.cos((0.1 * Math.PI) / 180);

export function groupSlices(instances: readonly DicomInstance[]): SliceGroup[] {
  const { kept, warnings } = dropCopies(instances);
  const groups = new Map<string, SliceGroup>();
  for (const instance of kept) {
    instance.frameInfos.forEach((info, frame) => {
      const key = groupKey(instance, frame);
      let group = groups.get(key);
      if (!group) {
        group = { slices: [], warnings: warnings.get(seriesKey(instance)) ?? [] };
        groups.set(key, group);
      }
      group.slices.push({ instance, frame, info });
    });
  }
  return [...groups.values()].flatMap(splitByPlane);
}

/** One instance, stored twice (in two folders, or with a copy's name), is one instance. */
function dropCopies(instances: readonly DicomInstance[]): {
  kept: DicomInstance[];
  warnings: Map<string, string[]>;
} {
  const seen = new Map<string, DicomInstance>();
  const dropped = new Map<string, number>();
  const kept: DicomInstance[] = [];
  for (const instance of instances) {
    const uid = instance.sopInstanceUid || instance.source.sha256;
    const key = `${seriesKey(instance)}|${uid}`;
    if (seen.has(key)) {
      dropped.set(seriesKey(instance), (dropped.get(seriesKey(instance)) ?? 0) + 1);
      continue;
    }
    seen.set(key, instance);
    kept.push(instance);
  }
  const warnings = new Map<string, string[]>();
  for (const [key, count] of dropped) {
    warnings.set(key, [
      `${count} ${count === 1 ? 'file is a copy' : 'files are copies'} of another and left out.`,
    ]);
  }
  return { kept, warnings };
}

function seriesKey(instance: DicomInstance): string {
  const { studyUid, seriesUid, seriesNumber, identifiers } = instance;
  return seriesUid
    ? `${studyUid}|${seriesUid}`
    : `${studyUid}|${seriesNumber ?? ''}|${identifiers.PatientID ?? ''}`;
}

function groupKey(instance: DicomInstance, frame: number): string {
  const { pixels, frameInfos } = instance;
  const info = frameInfos[frame];
  const spacing = info.spacing && [info.spacing.rows, info.spacing.columns].map((one) => one.toPrecision(5));
  return JSON.stringify([
    seriesKey(instance),
    instance.modality,
    instance.sopClassUid,
    instance.frameOfReferenceUid,
    pixels.rows,
    pixels.columns,
    pixels.samples,
    pixels.photometric === 'PALETTE COLOR',
    spacing,
    info.position !== undefined && info.orientation !== undefined,
    isLocalizer(instance) ? instance.sopInstanceUid || instance.source.sha256 : '',
  ]);
}

/** A CT scout is a projection: it has a position, but it is no slice of a stack. Those of MR are stacks. */
function isLocalizer(instance: DicomInstance): boolean {
  return instance.modality === 'CT' && instance.imageType[2] === 'LOCALIZER';
}

/** Several planes in one series (a three-plane localizer, radial slices) are as many groups. */
function splitByPlane(group: SliceGroup): SliceGroup[] {
  const planes: { slices: Slice[]; first: Slice }[] = [];
  for (const slice of group.slices) {
    const plane = planes.find(({ first }) => samePlane(first, slice));
    if (plane) plane.slices.push(slice);
    else planes.push({ slices: [slice], first: slice });
  }
  return planes.map(({ slices }) => ({ slices, warnings: group.warnings }));
}

function samePlane(a: Slice, b: Slice): boolean {
  const [one, other] = [a.info.orientation, b.info.orientation];
  if (!one || !other) return one === other;
  // Both axes, not the normal alone: slices turned in their plane make no volume.
  const [n, m] = [normalOf(a.info), normalOf(b.info)];
  if (!n || !m) return false;
  return dot(n, m) > parallel && dot(one.row, other.row) > parallel;
}
