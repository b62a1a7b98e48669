/**
 * Boxes that a person drew or corrected. They are kept as edges in source voxel index coordinates (see geometry.ts:
 * centres at whole numbers, so edges of whole voxels are at halves): the file's own grid is what a reader looks at, and
 * it stays true whichever model, or none, reads the study later. Every frame of the affine chain is axis-aligned with the
 * source grid, so a box there is a box in the model's pixels too, and the other way round.
 */
import { z } from 'zod';
import {
  type AffineChain,
  applyAffine,
  invertAffine,
  type LocatedBox,
  locateBox,
  type ProcessorBox,
  point,
  processorToSource,
} from './geometry.ts';

const triple = z.tuple([z.number(), z.number(), z.number()]);

/** Edges in source voxels, [i, j, k]; every side is longer than nothing. */
export const sourceBoxSchema = z
  .strictObject({ min: triple, max: triple })
  .refine(({ min, max }) => min.every((low, axis) => low < max[axis]), 'every side must have a length');
export type SourceBox = z.infer<typeof sourceBoxSchema>;

/** Edges in processor pixels, not rounded: x1 - 0.5 is the lower edge of pixel x1. Same fields as ProcessorBox. */
export type ProcessorEdges = { readonly [K in keyof ProcessorBox]: number };

/** The box of a located model box, as edges in source voxels. */
export const sourceBoxOf = ({ sourceVoxel }: LocatedBox): SourceBox => ({
  min: [...sourceVoxel.min],
  max: [...sourceVoxel.max],
});

/** Moves the edges inside the source grid. Null when nothing of the box lies inside. */
export function clipToSource(chain: AffineChain, box: SourceBox): SourceBox | null {
  const min = box.min.map((low) => Math.max(-0.5, low));
  const max = box.max.map((high, axis) => Math.min(chain.sourceSize[axis] - 0.5, high));
  const clipped = sourceBoxSchema.safeParse({ min, max });
  return clipped.success ? clipped.data : null;
}

/** Carries a box to processor pixels without rounding; half-open like ProcessorBox: [x1, x2). */
export function toProcessorEdges(chain: AffineChain, box: SourceBox): ProcessorEdges {
  const toProcessor = invertAffine(processorToSource(chain));
  const a = applyAffine(toProcessor, point('source', ...box.min));
  const b = applyAffine(toProcessor, point('source', ...box.max));
  const low = (axis: number): number => Math.min(a[axis], b[axis]) + 0.5;
  const high = (axis: number): number => Math.max(a[axis], b[axis]) + 0.5;
  return { x1: low(0), y1: low(1), z1: low(2), x2: high(0), y2: high(1), z2: high(2) };
}

/** The whole pixels and slices of the model that fit the box best: at least one along each axis, inside the image. */
export function toProcessorBox(chain: AffineChain, box: SourceBox): ProcessorBox {
  const edges = toProcessorEdges(chain, box);
  const whole = (low: number, high: number, size: number): [number, number] => {
    const start = Math.min(size - 1, Math.max(0, Math.round(low)));
    return [start, Math.min(size, Math.max(start + 1, Math.round(high)))];
  };
  const [x1, x2] = whole(edges.x1, edges.x2, chain.processorSize[0]);
  const [y1, y2] = whole(edges.y1, edges.y2, chain.processorSize[1]);
  const [z1, z2] = whole(edges.z1, edges.z2, chain.processorSize[2]);
  return { x1, y1, z1, x2, y2, z2 };
}

/** Where a drawn box lies: patient corners in the order that LocatedBox promises. */
export function locateSourceBox(chain: AffineChain, box: SourceBox): LocatedBox {
  return { ...locateBox(chain, toProcessorEdges(chain, box)), sourceVoxel: { min: box.min, max: box.max } };
}
