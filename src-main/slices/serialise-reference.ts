/**
 * A volume file to slices exactly as the reference does it, stored order and all.
 * Source of behaviour: IQuestLab/unireason-med unireason_med_infer.py load_volume, volume_to_slices.
 * Fixtures: fixtures/reference/volume.
 */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { AffineChain } from '../../src-contract/geometry.ts';
import type { ImagePixels } from '../engine/language-model.ts';
import type { Rescale, StoredArray } from '../study/pixels.ts';
import { buildChain, type Orientation, type Triple } from './affine-chain.ts';
import {
  defaultTargetSize,
  type NormaliseMode,
  referenceNormalisation,
  type TargetSize,
  toSlices,
} from './serialise-volume.ts';
import type { VolumeView } from './volume-view.ts';

/** A file's array as numpy or nibabel hands it over, all axes of it. */
export interface ReferenceArray {
  readonly shape: readonly number[];
  /** 'C': the last axis is fastest in `data` (npy, npz). 'F': the first axis is (NIfTI: x, y, z, t). */
  readonly order: 'C' | 'F';
  readonly data: StoredArray;
  /** value = stored * slope + intercept, rounded to float32; absent where `data` holds values. */
  readonly rescale?: Rescale;
  /** i, j, k -> LPS millimetres of a NIfTI ('F': i, j, k are its axes 0, 1, 2). */
  readonly sourceToPatient?: readonly number[] | null;
}

export interface Serialised {
  /** In order of z; one channel, 8 bits. */
  readonly slices: ImagePixels[];
  /** Processor frame = grid until `withProcessor`. */
  readonly chain: AffineChain;
}

interface KeptAxis {
  readonly axis: number;
  readonly length: number;
  readonly stride: number;
}

function pythonTuple(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

/** Axes longer than one, less the channel axis of four: three of them, or the reference's error. */
function keepThreeAxes(array: ReferenceArray): KeptAxis[] {
  const { shape, order } = array;
  const strides = shape.map((_, axis) => {
    const faster = order === 'C' ? shape.slice(axis + 1) : shape.slice(0, axis);
    return faster.reduce((product, length) => product * length, 1);
  });
  let kept = shape
    .map((length, axis) => ({ axis, length, stride: strides[axis] }))
    .filter(({ length }) => length !== 1);
  if (kept.length === 4) {
    const lastIsChannel = kept[0].length > 4 && kept[3].length <= 4;
    kept = lastIsChannel ? kept.slice(0, 3) : kept.slice(1);
  }
  if (kept.length !== 3) {
    const left = pythonTuple(kept.map(({ length }) => length));
    throw new ReadroomError(
      'input-invalid',
      `The array's shape ${pythonTuple(shape)} leaves ${kept.length} axes without the unit ones; a volume has three.`,
      {
        remedy: 'Save one three-dimensional volume.',
        detail: `ValueError('Expected a 3D volume after squeeze, got shape=${left}')`,
      },
    );
  }
  return kept;
}

/**
 * Source axis (i, j, k) of each kept axis. A NIfTI's own axes where its three spatial ones are what was kept; else
 * the kept axes themselves are the source (k first, as in any C-ordered array), and patient millimetres are unknown.
 */
function sourceAxes(array: ReferenceArray, kept: readonly KeptAxis[]): { axes: Triple; spatial: boolean } {
  if (array.order === 'C') return { axes: [2, 1, 0], spatial: true };
  return { axes: [0, 1, 2], spatial: kept.every(({ axis }, i) => axis === i) };
}

/** Index of the kept axis that becomes depth: nearest in length to the wanted depth, the first of equals. */
function depthIndex(kept: readonly KeptAxis[], depth: number): number {
  const distances = kept.map(({ length }) => Math.abs(length - depth));
  return distances.indexOf(Math.min(...distances));
}

/**
 * Slices of a volume in the reference's serialisation.
 * @throws ReadroomError 'input-invalid' when the array is no volume; `detail` is Python's repr of the reference's
 *   exception.
 */
export function serialiseReference(
  array: ReferenceArray,
  targetSize: TargetSize = defaultTargetSize,
  normalize: NormaliseMode = 'percentile',
): Serialised {
  const kept = keepThreeAxes(array);
  const { axes, spatial } = sourceAxes(array, kept);
  const depth = depthIndex(kept, targetSize[0]);
  const order = [depth, ...[0, 1, 2].filter((index) => index !== depth)];
  // Images are [depth, rows, columns]; frames count x (columns) first.
  const [z, y, x] = order.map((index) => kept[index]);
  const view: VolumeView = {
    data: array.data,
    offset: 0,
    size: [x.length, y.length, z.length],
    strides: [x.stride, y.stride, z.stride],
    rescale: array.rescale,
  };
  const orientation: Orientation = {
    axes: [axes[order[2]], axes[order[1]], axes[order[0]]],
    flipped: [false, false, false],
  };
  const sourceSize: Triple = [0, 0, 0];
  kept.forEach(({ length }, index) => {
    sourceSize[axes[index]] = length;
  });
  const chain = buildChain({
    sourceToPatient: spatial ? (array.sourceToPatient ?? null) : null,
    sourceSize,
    orientation,
    gridSize: [targetSize[2], targetSize[1], targetSize[0]],
    serialization: 'reference',
  });
  return { slices: toSlices(view, referenceNormalisation(view, normalize), targetSize), chain };
}
