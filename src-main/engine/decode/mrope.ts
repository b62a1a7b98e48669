/**
 * Multimodal rotary positions (M-RoPE): every token has a temporal, a height and a width position. Text advances all
 * three together; an image spreads over height and width, and the text after it goes on from the largest one used.
 *
 * Source of the behaviour: transformers `Qwen2_5_VLModel.get_rope_index` and `Qwen2_5_VLRotaryEmbedding`.
 */
import type { TextArchitecture } from '../../checkpoint/manifest.ts';

/** A run of text tokens, or one image's run of <|image_pad|> given by its patch grid (before the merge). */
export type PositionSegment =
  | { readonly kind: 'text'; readonly length: number }
  | { readonly kind: 'image'; readonly gridHeight: number; readonly gridWidth: number };

export interface RopePositions {
  /** [3, S] row-major: temporal, height, width. */
  readonly positions: Int32Array;
  /** S. */
  readonly length: number;
  /** The position of the token that comes next: pass it as `start` of the following call. */
  readonly next: number;
}

/**
 * Positions of segments appended to a sequence whose next position is `start` (0 at its beginning). Because a
 * sequence only grows at its end, calling this piece by piece gives what one call over the whole would.
 *
 * @param mergeSize vision.mergeSize: an image has (gridHeight/mergeSize) * (gridWidth/mergeSize) tokens
 */
export function ropePositions(
  segments: readonly PositionSegment[],
  start: number,
  mergeSize: number,
): RopePositions {
  const length = segments.reduce((sum, segment) => sum + segmentLength(segment, mergeSize), 0);
  const positions = new Int32Array(3 * length);
  let at = 0;
  let next = start;
  const put = (temporal: number, height: number, width: number) => {
    positions[at] = temporal;
    positions[length + at] = height;
    positions[2 * length + at] = width;
    at++;
  };
  for (const segment of segments) {
    if (segment.kind === 'text') {
      for (let i = 0; i < segment.length; i++, next++) put(next, next, next);
      continue;
    }
    const rows = segment.gridHeight / mergeSize;
    const columns = segment.gridWidth / mergeSize;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) put(next, next + row, next + column);
    }
    next += Math.max(rows, columns);
  }
  return { positions, length, next };
}

function segmentLength(segment: PositionSegment, mergeSize: number): number {
  if (segment.kind === 'text') return segment.length;
  return (segment.gridHeight / mergeSize) * (segment.gridWidth / mergeSize);
}

/** [S, headDim/2] row-major each: the rows that the decoder's RotaryEmbedding reads. */
export interface RopeRows {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * Cosine and sine rows of positions [3, S]: frequency i follows the axis whose section it falls in. Rounded to float32
 * at each step, as torch computes them.
 */
export function ropeRows(
  positions: Int32Array,
  text: Pick<TextArchitecture, 'headDim' | 'ropeTheta' | 'mropeSection'>,
): RopeRows {
  const half = text.headDim / 2;
  const length = positions.length / 3;
  const axes = text.mropeSection.flatMap((size, axis) => new Array<number>(size).fill(axis));
  const frequencies = inverseFrequencies(text.headDim, text.ropeTheta);
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let token = 0; token < length; token++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(positions[axes[i]! * length + token]! * frequencies[i]!);
      cos[token * half + i] = Math.cos(angle);
      sin[token * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** [headDim/2]: 1 / theta^(2i/headDim). */
function inverseFrequencies(headDim: number, theta: number): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const exponent = Math.fround((2 * i) / headDim);
    return 1 / Math.fround(theta ** exponent);
  });
}
