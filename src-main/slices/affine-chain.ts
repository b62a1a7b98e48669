/**
 * Builds the AffineChain of src-contract/geometry.ts: which source axis became which image axis, and how sizes changed.
 * Conventions are the contract's: voxel centres at whole numbers, LPS millimetres, align_corners=False.
 */
import { type AffineChain, identityAffine } from '../../src-contract/geometry.ts';

export type Triple = [number, number, number];

/** A signed permutation: what each canonical axis (x, y, z) is in the source. */
export interface Orientation {
  /** Source axis (0 i, 1 j, 2 k) of canonical x, y, z. */
  readonly axes: readonly [number, number, number];
  /** True where canonical x, y, z runs against that source axis. */
  readonly flipped: readonly [boolean, boolean, boolean];
}

export const storedOrientation: Orientation = { axes: [0, 1, 2], flipped: [false, false, false] };

const permutations: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/**
 * The signed permutation nearest to axial: canonical x runs to the patient's left (so that left is on the image's
 * right), y to posterior (anterior is at the top), z to the head (the first slice is nearest to the feet). Nearest
 * means the largest sum of direction cosines; oblique volumes stay oblique by what remains.
 * @param sourceToPatient row-major 3x4 to LPS millimetres; null keeps the stored order.
 */
export function axialOrientation(sourceToPatient: readonly number[] | null): Orientation {
  if (!sourceToPatient) return storedOrientation;
  const cosine = (patientAxis: number, sourceAxis: number) => {
    const column = [0, 1, 2].map((row) => sourceToPatient[row * 4 + sourceAxis]);
    return column[patientAxis] / (Math.hypot(...column) || 1);
  };
  let best = permutations[0];
  let most = Number.NEGATIVE_INFINITY;
  for (const axes of permutations) {
    const score = axes.reduce((sum, source, patient) => sum + Math.abs(cosine(patient, source)), 0);
    // The margin keeps rounding from turning a tie into a transposition.
    if (score > most + 1e-9) {
      most = score;
      best = axes;
    }
  }
  const flipped = best.map((source, patient) => cosine(patient, source) < 0);
  return { axes: best, flipped: [flipped[0], flipped[1], flipped[2]] };
}

/**
 * One stored slice the way radiologists look at the plane it is nearest to, and the way the viewer shows it: axial with
 * the patient's left on the right and anterior at the top, coronal with left on the right and the head at the top,
 * sagittal with posterior on the right and the head at the top. Slices stay the file's own: z is k.
 * @param sourceToPatient row-major 3x4 to LPS millimetres; null keeps the stored order.
 */
export function sliceOrientation(sourceToPatient: readonly number[] | null): Orientation {
  if (!sourceToPatient) return storedOrientation;
  const { axes, flipped } = axialOrientation(sourceToPatient);
  /** Patient axis that the slices are stacked along: 0 sagittal, 1 coronal, 2 axial. */
  const plane = axes.indexOf(2);
  const right = plane === 0 ? 1 : 0;
  const down = plane === 2 ? 1 : 2;
  // Rows run to posterior in an axial slice, and away from the head in the others.
  const downFlipped = plane === 2 ? flipped[1] : !flipped[2];
  return { axes: [axes[right], axes[down], 2], flipped: [flipped[right], downFlipped, false] };
}

/** Lengths along canonical x, y, z. */
export function canonicalSize(orientation: Orientation, sourceSize: Triple): Triple {
  const [x, y, z] = orientation.axes;
  return [sourceSize[x], sourceSize[y], sourceSize[z]];
}

/** canonical index -> source index, row-major 3x4. */
export function canonicalToSource(orientation: Orientation, sourceSize: Triple): number[] {
  const matrix = new Array<number>(12).fill(0);
  orientation.axes.forEach((source, canonical) => {
    const flipped = orientation.flipped[canonical];
    matrix[source * 4 + canonical] = flipped ? -1 : 1;
    matrix[source * 4 + 3] = flipped ? sourceSize[source] - 1 : 0;
  });
  return matrix;
}

/** Index after a resize -> index before it, each axis on its own: before = (after + 0.5) * before/after - 0.5. */
export function resizeAffine(before: Triple, after: Triple): number[] {
  const scale = before.map((length, axis) => length / after[axis]);
  const shift = scale.map((s) => 0.5 * s - 0.5);
  return [scale[0], 0, 0, shift[0], 0, scale[1], 0, shift[1], 0, 0, scale[2], shift[2]];
}

/** A chain whose processor frame is still the grid itself: `withProcessor` fills it in. */
export function buildChain(parts: {
  sourceToPatient: readonly number[] | null;
  sourceSize: Triple;
  orientation: Orientation;
  gridSize: Triple;
  serialization: AffineChain['serialization'];
}): AffineChain {
  const canonical = canonicalSize(parts.orientation, parts.sourceSize);
  return {
    sourceToPatient: parts.sourceToPatient ? [...parts.sourceToPatient] : null,
    canonicalToSource: canonicalToSource(parts.orientation, parts.sourceSize),
    gridToCanonical: resizeAffine(canonical, parts.gridSize),
    processorToGrid: [...identityAffine],
    sourceSize: parts.sourceSize,
    canonicalSize: canonical,
    gridSize: parts.gridSize,
    processorSize: parts.gridSize,
    serialization: parts.serialization,
  };
}

/**
 * The chain with the processor frame set to images of `width` x `height` pixels. Give the size of the image that crops
 * are cut from (`QwenImageProcessor.referenceAlignedSize`): boxes are clamped and cut there. It is the processed size
 * but for images thinner than 28 pixels.
 */
export function withProcessor(chain: AffineChain, width: number, height: number): AffineChain {
  const size: Triple = [width, height, chain.gridSize[2]];
  return { ...chain, processorToGrid: resizeAffine(chain.gridSize, size), processorSize: size };
}
