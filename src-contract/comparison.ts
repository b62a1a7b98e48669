/** Two runs beside each other: words aligned by step, boxes of both, and the paper's 2D-against-3D figure. */
import { z } from 'zod';
import { idSchema } from './review.ts';
import { sourceBoxSchema } from './source-box.ts';

/** A stretch of words that is in both runs, or in one of them. */
export const diffPieceSchema = z.object({ side: z.enum(['both', 'a', 'b']), text: z.string() });
export type DiffPiece = z.infer<typeof diffPieceSchema>;

export const alignedStepSchema = z.object({
  /** Step numbers; null where the other run has no such step. The closing words have `closing`. */
  a: z.number().int().nullable(),
  b: z.number().int().nullable(),
  closing: z.boolean(),
  words: z.array(diffPieceSchema),
  boxA: sourceBoxSchema.nullable(),
  boxB: sourceBoxSchema.nullable(),
  /** Two volumes: of the cuboids. A slice and a volume: of the slice's box and the cuboid's section in that slice. */
  iou: z.number().nullable(),
  /** Between the boxes' centres (in the slice's plane where one run is about a slice); millimetres, or pixels where the file has no position. */
  centre: z.object({ value: z.number(), unit: z.enum(['mm', 'px']) }).nullable(),
});
export type AlignedStep = z.infer<typeof alignedStepSchema>;

const sideSchema = z.object({
  runId: idSchema,
  label: z.string(),
  answer: z.string().nullable(),
  /** Parts of the release's training reward, each 0..1: 0.8 answer + 0.2 format. Null: the right answer is not known. */
  answerReward: z.number().nullable(),
  formatReward: z.number(),
  totalMs: z.number().nullable(),
  newTokens: z.number().int().nullable(),
  stopReason: z.string().nullable(),
});

export const comparisonSchema = z.object({
  a: sideSchema,
  b: sideSchema,
  /** Both runs are about the same series, so that their boxes can be measured against each other. */
  samePixels: z.boolean(),
  /** What differs in how they were asked: preset, model, precision, prompt, sampling, target… */
  differences: z.array(z.object({ what: z.string(), a: z.string(), b: z.string() })),
  steps: z.array(alignedStepSchema),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/**
 * The figure: 2D predictions (green) against the projection of the 3D cuboid within its slices (red), as in the paper.
 * One point a slice of the consistency curve.
 */
export const consistencySchema = z.object({
  volumeRunId: idSchema,
  points: z.array(
    z.object({
      /** Slice of the series as it is stored, counted from 0. */
      slice: z.number().int(),
      runId: idSchema,
      /** IoU of the 2D box and the cuboid's section; null where the 2D run drew no box. */
      iou: z.number().nullable(),
      box: sourceBoxSchema.nullable(),
    }),
  ),
  /** Over all points; a slice without a box counts as 0. */
  meanIou: z.number().nullable(),
});
export type Consistency = z.infer<typeof consistencySchema>;
