/**
 * The inputs of the vision graph that depend on the patch grid alone: rotary rows and window tables.
 *
 * Patches are in the processor's order: merge blocks row by row, and inside a block patch by patch. The reference
 * reorders tokens so that windows become contiguous; attention does not care about order, so here tokens stay where
 * they are, and windowed blocks gather into padded windows and scatter back.
 *
 * Source of the behaviour: transformers `vision_utils.get_vision_window_index` / `get_vision_position_ids` and
 * `Qwen2_5_VLVisionRotaryEmbedding`.
 */
import type { VisionArchitecture } from '../../checkpoint/manifest.ts';

/**
 * What a padding key adds to its attention score. Large enough that the softmax gives exactly 0 in both float types,
 * small enough to be a float16.
 */
export const maskedScore = -60_000;

/** L patches, W windows, M slots a window (the fullest window of this grid). */
export interface VisionLayout {
  /** L. */
  readonly patches: number;
  /** W. */
  readonly windows: number;
  /** M. */
  readonly windowSlots: number;
  /** [L, headDim/2] row-major: cosines of the height angles, then of the width angles. */
  readonly rotaryCos: Float32Array;
  /** [L, headDim/2], likewise the sines. */
  readonly rotarySin: Float32Array;
  /** int64 [W*M]: the patch that each slot holds; padding slots hold patch 0. */
  readonly windowGather: BigInt64Array;
  /** int64 [L]: the slot that holds each patch. */
  readonly windowScatter: BigInt64Array;
  /** [W, 1, M, M]: 0 where the key slot is real, `maskedScore` where it is padding. */
  readonly windowBias: Float32Array;
}

/**
 * Lays out one image.
 *
 * @param gridHeight rows of patches, a multiple of mergeSize
 * @param gridWidth columns of patches, a multiple of mergeSize
 * @throws RangeError when the grid is no positive multiple of mergeSize
 */
export function visionLayout(
  vision: VisionArchitecture,
  gridHeight: number,
  gridWidth: number,
): VisionLayout {
  const merge = vision.mergeSize;
  for (const side of [gridHeight, gridWidth]) {
    if (!Number.isInteger(side) || side <= 0 || side % merge !== 0) {
      throw new RangeError(
        `A patch grid of ${gridHeight} x ${gridWidth} is no positive multiple of ${merge}`,
      );
    }
  }
  const windows = collectWindows(vision, gridHeight / merge, gridWidth / merge);
  const patches = gridHeight * gridWidth;
  const windowSlots = Math.max(...windows.map((window) => window.length));
  return {
    patches,
    windows: windows.length,
    windowSlots,
    ...rotaryRows(vision, gridHeight, gridWidth),
    ...windowTables(windows, patches, windowSlots),
  };
}

/** The patch indices of every window, windows row by row, for a grid of `rows` x `columns` merge blocks. */
function collectWindows(vision: VisionArchitecture, rows: number, columns: number): number[][] {
  const unit = vision.mergeSize ** 2;
  // Integer division in the reference's order: 112 px -> 56 -> 4 blocks.
  const side = Math.floor(Math.floor(vision.windowSize / vision.mergeSize) / vision.patchSize);
  const windows: number[][] = [];
  for (let top = 0; top < rows; top += side) {
    for (let left = 0; left < columns; left += side) {
      const window: number[] = [];
      for (let row = top; row < Math.min(top + side, rows); row++) {
        for (let column = left; column < Math.min(left + side, columns); column++) {
          const first = (row * columns + column) * unit;
          for (let patch = first; patch < first + unit; patch++) window.push(patch);
        }
      }
      windows.push(window);
    }
  }
  return windows;
}

function windowTables(windows: readonly number[][], patches: number, slots: number) {
  const windowGather = new BigInt64Array(windows.length * slots);
  const windowScatter = new BigInt64Array(patches);
  const windowBias = new Float32Array(windows.length * slots * slots);
  windows.forEach((window, w) => {
    window.forEach((patch, slot) => {
      windowGather[w * slots + slot] = BigInt(patch);
      windowScatter[patch] = BigInt(w * slots + slot);
    });
    if (window.length === slots) return;
    for (let query = 0; query < slots; query++) {
      const row = (w * slots + query) * slots;
      windowBias.fill(maskedScore, row + window.length, row + slots);
    }
  });
  return { windowGather, windowScatter, windowBias };
}

/** Rounded to float32 at each step, as torch computes them. */
function rotaryRows(vision: VisionArchitecture, gridHeight: number, gridWidth: number) {
  const quarter = vision.headDim / 4;
  const frequencies = Float32Array.from({ length: quarter }, (_, i) => {
    const exponent = Math.fround((2 * i) / (2 * quarter));
    return 1 / Math.fround(vision.ropeTheta ** exponent);
  });
  const rotaryCos = new Float32Array(gridHeight * gridWidth * quarter * 2);
  const rotarySin = new Float32Array(rotaryCos.length);
  let at = 0;
  for (const [row, column] of patchPositions(vision.mergeSize, gridHeight, gridWidth)) {
    for (const position of [row, column]) {
      for (let i = 0; i < quarter; i++, at++) {
        const angle = Math.fround(position * frequencies[i]!);
        rotaryCos[at] = Math.cos(angle);
        rotarySin[at] = Math.sin(angle);
      }
    }
  }
  return { rotaryCos, rotarySin };
}

/** Row and column of every patch in the processor's order. */
function* patchPositions(merge: number, gridHeight: number, gridWidth: number): Generator<[number, number]> {
  for (let top = 0; top < gridHeight; top += merge) {
    for (let left = 0; left < gridWidth; left += merge) {
      for (let row = top; row < top + merge; row++) {
        for (let column = left; column < left + merge; column++) yield [row, column];
      }
    }
  }
}
