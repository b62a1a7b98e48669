/** Segments laid out position by position: what each position holds, and where it lies for M-RoPE. */
import type { ImageFeatures, Segment } from '../language-model.ts';
import { type PositionSegment, ropePositions } from './mrope.ts';

/** One image in a sequence; `start` counts positions from the sequence's beginning. */
export interface PlacedImage {
  readonly start: number;
  readonly features: ImageFeatures;
}

export interface SequencePlan {
  readonly length: number;
  /** [length], <|image_pad|> repeated for image positions. */
  readonly ids: Int32Array;
  /** [length]: the image that a position belongs to. */
  readonly images: readonly (PlacedImage | undefined)[];
  /** [3, length] row-major: temporal, height, width. */
  readonly positions: Int32Array;
  /** [length]: the position of the token that would follow this one. */
  readonly nextAfter: Int32Array;
}

export interface PlanOptions {
  readonly imagePad: number;
  readonly vocab: number;
  readonly hidden: number;
  readonly mergeSize: number;
}

/**
 * Lays out segments that follow `before` positions, the next of which has M-RoPE position `start`.
 * Throws RangeError for ids outside the vocabulary and features of another width.
 */
export function planSequence(
  segments: readonly Segment[],
  before: number,
  start: number,
  options: PlanOptions,
): SequencePlan {
  const spans = segments.map((segment) => checkedLength(segment, options));
  const length = spans.reduce((sum, span) => sum + span, 0);
  const ids = new Int32Array(length);
  const images = new Array<PlacedImage | undefined>(length).fill(undefined);
  const nextAfter = new Int32Array(length);
  const positions = new Int32Array(3 * length);
  let at = 0;
  let next = start;
  segments.forEach((segment, index) => {
    const span = spans[index]!;
    const placed = ropePositions([positionSegment(segment)], next, options.mergeSize);
    for (let axis = 0; axis < 3; axis++) {
      positions.set(placed.positions.subarray(axis * span, (axis + 1) * span), axis * length + at);
    }
    if (segment.kind === 'tokens') {
      ids.set(segment.ids, at);
      for (let i = 0; i < span; i++) nextAfter[at + i] = next + i + 1;
    } else {
      ids.fill(options.imagePad, at, at + span);
      images.fill({ start: before + at, features: segment.features }, at, at + span);
      nextAfter.fill(placed.next, at, at + span);
    }
    next = placed.next;
    at += span;
  });
  return { length, ids, images, positions, nextAfter };
}

function checkedLength(segment: Segment, options: PlanOptions): number {
  if (segment.kind === 'tokens') {
    for (const id of segment.ids) {
      if (!Number.isInteger(id) || id < 0 || id >= options.vocab) {
        throw new RangeError(`Token id ${id} is outside the vocabulary of ${options.vocab}`);
      }
    }
    return segment.ids.length;
  }
  const { tokens, gridHeight, gridWidth, data } = segment.features;
  const expected = (gridHeight * gridWidth) / options.mergeSize ** 2;
  if (tokens !== expected || data.length !== tokens * options.hidden) {
    throw new RangeError(
      `Image features of ${tokens} tokens and ${data.length} numbers do not fit a grid of ${gridHeight} x ${gridWidth}`,
    );
  }
  return tokens;
}

function positionSegment(segment: Segment): PositionSegment {
  if (segment.kind === 'tokens') return { kind: 'text', length: segment.ids.length };
  const { gridHeight, gridWidth } = segment.features;
  return { kind: 'image', gridHeight, gridWidth };
}
