/**
 * Boxes in the pixels of a model view. A box was written in the pixels of its own run's model; the view shows those of
 * the model that is chosen now, which may resize otherwise. So the way goes through the source voxels.
 */
import type { AffineChain } from '../../../src-contract/geometry.ts';
import { type ProcessorEdges, sourceBoxOf, toProcessorEdges } from '../../../src-contract/source-box.ts';
import type { OverlayBox } from '../../state/overlay.ts';

export interface BoxInView {
  readonly box: OverlayBox;
  readonly edges: ProcessorEdges;
}

export const boxesInView = (chain: AffineChain, boxes: readonly OverlayBox[]): readonly BoxInView[] =>
  boxes.map((box) => ({ box, edges: toProcessorEdges(chain, sourceBoxOf(box.located)) }));

/** The middle of the slice lies in the box. */
export const isOnSlice = ({ edges: { z1, z2 } }: BoxInView, slice: number): boolean =>
  slice + 0.5 > z1 && slice + 0.5 < z2;
