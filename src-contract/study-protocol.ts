/**
 * What the application and the process of one study say to each other. Opening, decoding and serialising happen there:
 * Electron's main process also routes the window's input and must never wait for a file, and a file that takes its
 * reader down takes nothing else with it. Closing the study ends the process, so its memory comes back whole.
 *
 * The channel and its rules are those of method-channel.ts. Besides:
 *  1. `open` comes first and once; the other calls come after its answer, in any number at a time.
 *  2. Events tell of the study, not of a call: they may come at any time after `open` was sent.
 *  3. Pixels are little-endian.
 */
import { z } from 'zod';
import { pixelBatch, pixelTypes, seriesPixelsSchema, tagSchema, targetSchema } from './channels.ts';
import { imagePixelsSchema } from './engine-protocol.ts';
import { errorPayloadSchema } from './errors.ts';
import { affineChainSchema } from './geometry.ts';
import { sourceFileSchema, studySchema } from './study.ts';
import { traceSeriesSchema } from './trace.ts';

const seriesId = z.string().min(1).max(200);
const slice = z.number().int().nonnegative();
const bytesSchema = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes');
const nothing = z.object({});

/** PreparedInput of src-main/runs, as it crosses. */
export const preparedInputSchema = z.object({
  mode: z.enum(['2d', '3d']),
  images: z.array(imagePixelsSchema).min(1),
  chain: affineChainSchema,
  sources: z.array(sourceFileSchema),
  series: traceSeriesSchema.nullable(),
  synthetic: z.boolean(),
  normalization: z.string().nullable(),
  title: z.string(),
  warnings: z.array(z.string()),
});

export const studyMethods = {
  open: {
    params: z.object({
      paths: z.array(z.string()).min(1),
      /** Hashes of files that stand for others, which the study names in their place (see openStudy). */
      standIns: z.record(z.string(), z.string()).optional(),
    }),
    result: studySchema,
  },
  /** Begins decoding, or tells how it stands. Answered when the first slice is decoded. */
  pixels: {
    params: z.object({ seriesId, first: slice.optional() }),
    result: seriesPixelsSchema.omit({ studyId: true }),
  },
  cancelPixels: { params: z.object({ seriesId }), result: nothing },
  /** `count` slices from `slice` on, one after the other. Waits until they are decoded. An error with field 'type' when the series is of another type by now. */
  slice: {
    params: z.object({
      seriesId,
      slice,
      count: z.number().int().min(1).max(pixelBatch),
      type: z.enum(pixelTypes),
    }),
    result: bytesSchema,
  },
  /** PNG. */
  thumbnail: {
    params: z.object({ seriesId, side: z.number().int().min(16).max(1024) }),
    result: bytesSchema,
  },
  tags: { params: z.object({ seriesId, slice }), result: z.object({ tags: z.array(tagSchema) }) },
  modelView: {
    /** `model` is a folder with preprocessor_config.json. */
    params: z.object({ seriesId, target: targetSchema, model: z.string() }),
    result: z.object({
      viewId: z.string(),
      chain: affineChainSchema,
      width: z.number().int(),
      height: z.number().int(),
      slices: z.number().int(),
      imageProcessor: z.string(),
      normalization: z.string().nullable(),
    }),
  },
  modelViewSlice: { params: z.object({ viewId: z.string(), slice }), result: bytesSchema },
  prepare: { params: z.object({ seriesId, target: targetSchema }), result: preparedInputSchema },
} as const;

export type StudyMethod = keyof typeof studyMethods;
export type StudyParams<M extends StudyMethod> = z.output<(typeof studyMethods)[M]['params']>;
export type StudyResult<M extends StudyMethod> = z.output<(typeof studyMethods)[M]['result']>;

const range = z.tuple([z.number(), z.number()]);
export const studyEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), done: z.number(), total: z.number(), name: z.string() }),
  z.object({ type: z.literal('preview'), width: z.number(), height: z.number(), png: bytesSchema }),
  z.object({ type: z.literal('series-progress'), seriesId, done: z.number(), total: z.number(), range }),
  z.object({ type: z.literal('series-retyped'), seriesId }),
  z.object({ type: z.literal('series-failed'), seriesId, error: errorPayloadSchema }),
]);
export type StudyEvent = z.infer<typeof studyEventSchema>;
