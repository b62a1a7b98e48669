/**
 * What the application and the process of one study say to each other. Opening, decoding and serialising happen there:
 * Electron's main process also routes the window's input and must never wait for a file, and a file that takes its
 * reader down takes nothing else with it. Closing the study ends the process, so its memory comes back whole.
 *
 * Rules
 *  1. The parent sends calls and cancels; the child sends `ready` once, then results, errors and events.
 *  2. Ids are the parent's, positive and rising. Every call is answered exactly once, by `result` or by `error`.
 *  3. `open` comes first and once; the other calls come after its answer, in any number at a time.
 *  4. `cancel` is not answered itself; its call is answered with 'cancelled', or normally when it was done already.
 *  5. Events tell of the study, not of a call: they may come at any time after `open` was sent.
 *  6. Pixels are Uint8Array, little-endian, cloned. Everything else is JSON. Errors are ErrorPayload.
 *  7. Both sides check every message. The child exits when the channel closes; its exit is an error for every open call.
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
  open: { params: z.object({ paths: z.array(z.string()).min(1) }), result: studySchema },
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
export const studyMethodSchema = z.enum(Object.keys(studyMethods) as [StudyMethod, ...StudyMethod[]]);
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

const callId = z.number().int().positive();

/** Parent to child. */
export const studyParentMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('call'), id: callId, method: studyMethodSchema, params: z.unknown() }),
  z.object({ kind: z.literal('cancel'), id: callId }),
]);
export type StudyParentMessage = z.infer<typeof studyParentMessageSchema>;

/** Child to parent. */
export const studyChildMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('result'), id: callId, value: z.unknown() }),
  z.object({ kind: z.literal('error'), id: callId, error: errorPayloadSchema }),
  z.object({ kind: z.literal('event'), event: studyEventSchema }),
]);
export type StudyChildMessage = z.infer<typeof studyChildMessageSchema>;
