/** How well two boxes agree: the measures shown while a box is corrected, and those of agreement between readers. */
import { type Affine, type AffineChain, applyAffine, point } from './geometry.ts';
import type { SourceBox } from './source-box.ts';

const axes = [0, 1, 2] as const;

const length = (box: SourceBox, axis: 0 | 1 | 2): number => box.max[axis] - box.min[axis];

const overlap = (a: SourceBox, b: SourceBox, axis: 0 | 1 | 2): number =>
  Math.max(0, Math.min(a.max[axis], b.max[axis]) - Math.max(a.min[axis], b.min[axis]));

const product = (of: (axis: 0 | 1 | 2) => number): number => of(0) * of(1) * of(2);

/** Intersection over union, 0..1: of volumes in 3D; a box one slice thick gives the areas' own. */
export function boxIou(a: SourceBox, b: SourceBox): number {
  const shared = product((axis) => overlap(a, b, axis));
  const union = product((axis) => length(a, axis)) + product((axis) => length(b, axis)) - shared;
  return union > 0 ? shared / union : 0;
}

/** Intersection over union of the areas that remain when the boxes are seen along a source axis, 0..1. */
export function planeIou(a: SourceBox, b: SourceBox, seenAlong: 0 | 1 | 2): number {
  const area = (of: (axis: 0 | 1 | 2) => number): number =>
    product((axis) => (axis === seenAlong ? 1 : of(axis)));
  const shared = area((axis) => overlap(a, b, axis));
  const union = area((axis) => length(a, axis)) + area((axis) => length(b, axis)) - shared;
  return union > 0 ? shared / union : 0;
}

/** Dice coefficient of the ranges along one source axis, 0..1: for the slice axis, "Dice of slices". */
export function rangeDice(a: SourceBox, b: SourceBox, axis: 0 | 1 | 2): number {
  return (2 * overlap(a, b, axis)) / (length(a, axis) + length(b, axis));
}

/** Source axis along which the model's slices run: z of the processor frame. */
export function sliceAxis(chain: AffineChain): 0 | 1 | 2 {
  const m = chain.canonicalToSource;
  return axes.reduce(
    (best, axis) => (Math.abs(m[axis * 4 + 2]) > Math.abs(m[best * 4 + 2]) ? axis : best),
    2,
  );
}

export function boxCentre({ min, max }: SourceBox): [number, number, number] {
  return [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
}

/** Distance between the centres in millimetres; in voxels where the file carries no position (`unit` says which). */
export function centreDistance(
  a: SourceBox,
  b: SourceBox,
  sourceToPatient: readonly number[] | null,
): { readonly value: number; readonly unit: 'mm' | 'px' } {
  const place = (box: SourceBox): readonly number[] => {
    const centre = point('source', ...boxCentre(box));
    return sourceToPatient ? applyAffine(sourceToPatient as Affine<'source', 'patient'>, centre) : centre;
  };
  const [from, to] = [place(a), place(b)];
  return {
    value: Math.hypot(...axes.map((axis) => from[axis] - to[axis])),
    unit: sourceToPatient ? 'mm' : 'px',
  };
}

/** The three figures that are shown beside a corrected box. */
export interface BoxComparison {
  readonly iou: number;
  readonly centre: { readonly value: number; readonly unit: 'mm' | 'px' };
  /** 1 for a single image. */
  readonly sliceDice: number;
}

export function compareBoxes(chain: AffineChain, a: SourceBox, b: SourceBox): BoxComparison {
  return {
    iou: boxIou(a, b),
    centre: centreDistance(a, b, chain.sourceToPatient),
    sliceDice: rangeDice(a, b, sliceAxis(chain)),
  };
}
