/** What a run looked at: a volume, one slice of a series, or a picture; and whether two runs looked at the same pixels. */
import { boxIou, centreDistance, planeIou, sliceAxis } from '../../../src-contract/box-measures.ts';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import type { Trace } from '../../../src-contract/trace.ts';

/** 'slice': one slice of a series of several; 'image': a picture of its own. */
export type RunTarget =
  | { readonly kind: 'volume'; readonly axis: 0 | 1 | 2 }
  | { readonly kind: 'slice'; readonly axis: 0 | 1 | 2; readonly slice: number }
  | { readonly kind: 'image'; readonly axis: 0 | 1 | 2 };

/** `axis` is the source axis along which the model's slices run; a slice is counted from 0 along it. */
export function targetOf({ chain }: Pick<Trace, 'chain'>): RunTarget {
  const axis = sliceAxis(chain);
  if (chain.serialization !== 'image') return { kind: 'volume', axis };
  if (chain.sourceSize[axis] === 1) return { kind: 'image', axis };
  return { kind: 'slice', axis, slice: Math.round(chain.canonicalToSource[axis * 4 + 3]) };
}

/** The same files, and the same grid in them: source voxels of one run are those of the other. */
export function samePixels(a: Trace, b: Trace): boolean {
  const hashes = ({ sources }: Trace) => [...new Set(sources.map(({ sha256 }) => sha256))].sort().join();
  if (a.sources.length === 0 || hashes(a) !== hashes(b)) return false;
  // Several series can lie in the same files; the reference's commands name none.
  if (a.series && b.series && a.series.id !== b.series.id) return false;
  return a.chain.sourceSize.every((length, axis) => length === b.chain.sourceSize[axis]);
}

export interface BoxMeasures {
  readonly iou: number;
  readonly centre: { readonly value: number; readonly unit: 'mm' | 'px' };
}

/**
 * How boxes of two runs on the same pixels are measured against each other. Two volumes: IoU of the cuboids. A slice
 * against a volume: the cuboid's section in that slice against the slice's box, in the slice's plane; 0 where the slice
 * lies outside of the cuboid. Two runs on one slice: IoU of the areas. Different slices share nothing: 0.
 */
export function measureBetween(a: Trace, b: Trace): (boxA: SourceBox, boxB: SourceBox) => BoxMeasures {
  const [targetA, targetB] = [targetOf(a), targetOf(b)];
  const position = a.chain.sourceToPatient ?? b.chain.sourceToPatient;
  return (boxA, boxB) => {
    if (targetA.kind === 'volume' && targetB.kind === 'volume') {
      return { iou: boxIou(boxA, boxB), centre: centreDistance(boxA, boxB, position) };
    }
    const flat = targetA.kind === 'volume' ? targetB : targetA;
    if (targetA.kind === 'slice' && targetB.kind === 'slice') {
      if (targetA.axis !== targetB.axis || targetA.slice !== targetB.slice)
        return { iou: 0, centre: centreDistance(boxA, boxB, position) };
    }
    const section = (box: SourceBox, target: RunTarget): SourceBox | null =>
      target.kind === 'volume' && flat.kind === 'slice' ? sectionAt(box, flat.axis, flat.slice) : box;
    const [sectionA, sectionB] = [section(boxA, targetA), section(boxB, targetB)];
    if (!sectionA || !sectionB) return { iou: 0, centre: centreDistance(boxA, boxB, position) };
    return {
      iou: planeIou(sectionA, sectionB, flat.axis),
      centre: centreDistance(sectionA, sectionB, position),
    };
  };
}

/** What a box covers of one slice; null where the slice's middle lies outside of it. */
export function sectionAt(box: SourceBox, axis: 0 | 1 | 2, slice: number): SourceBox | null {
  if (slice < box.min[axis] || slice > box.max[axis]) return null;
  const section: SourceBox = { min: [...box.min], max: [...box.max] };
  section.min[axis] = slice - 0.5;
  section.max[axis] = slice + 0.5;
  return section;
}

/** Slices whose middle lies in the box, in rising order, held to the series. */
export function slicesOf(box: SourceBox, axis: 0 | 1 | 2, count: number): number[] {
  const first = Math.max(0, Math.ceil(box.min[axis]));
  const last = Math.min(count - 1, Math.floor(box.max[axis]));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
