/** Measures of boxes in words: the same beside the box and in the review. */
import type { BoxComparison } from '../../../src-contract/box-measures.ts';

export const formatDistance = ({ value, unit }: BoxComparison['centre']): string =>
  `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;

/** 'IoU 0.82', 'centre 3.1 mm', and for boxes with depth 'slices 0.91'. */
export function describeComparison({ iou, centre, sliceDice }: BoxComparison, hasDepth: boolean): string[] {
  const lines = [`IoU ${iou.toFixed(2)}`, `centre ${formatDistance(centre)}`];
  return hasDepth ? [...lines, `slices ${sliceDice.toFixed(2)}`] : lines;
}
