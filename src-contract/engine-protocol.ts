/**
 * What the application and the engine process say to each other.
 *
 * ONNX Runtime lives in a child process: `run` blocks its thread, can't be cancelled, and may take the process down with
 * it. Everything here holds for any transport that carries structured clones in order (child_process with
 * `serialization: 'advanced'`, Electron's utilityProcess, a MessagePort).
 *
 * Rules
 *  1. The parent sends calls and cancels; the child sends `ready` once, then results, errors and events.
 *  2. Ids are the parent's, positive, and rise by at least one with each call. Every call is answered exactly once, by
 *     `result` or by `error`; events of a call (`event` with its id) come before its answer, in order.
 *  3. The child works on one call at a time, in the order of arrival: one model, one KV cache. `info` is answered at
 *     once. The others wait their turn, so parallel callers need no lock of their own.
 *  4. `cancel` may come at any time and is never answered itself. A call that waits is answered with 'cancelled'. A run
 *     under way ends between two tokens or two prefill chunks with a normal result, its stop reason 'cancelled'; other
 *     calls under way are answered with 'cancelled'. A cancel for an id that is unknown or answered is ignored.
 *  5. Errors are ErrorPayload: never a bare string, never a stack.
 *  6. Binary data (pixels) is Uint8Array; it is cloned, not shared. Everything else is JSON.
 *  7. Both sides check every message against these schemas. A message that isn't of this protocol is dropped; a call
 *     whose params are wrong is answered with 'input-invalid' naming the field; an event or result of a wrong shape
 *     is an 'internal' error of the call it belongs to.
 *  8. The child exits when the channel closes. The parent treats the child's exit as 'engine-died' (or
 *     'engine-out-of-memory') for every call not answered yet, and starts a new child for the next call. A new child has
 *     no model: the parent's client loads it again before the next run.
 */
import { z } from 'zod';
import { errorPayloadSchema } from './errors.ts';
import { affineChainSchema } from './geometry.ts';
import {
  limitsSchema,
  modelFactsSchema,
  optionsSchema,
  presetSchema,
  providerSchema,
  runEventSchema,
  stopReasonSchema,
} from './run-events.ts';

/** Raised with every change that an older side could not follow. */
export const engineProtocolVersion = 1;

/** 8-bit pixels, row by row, channels interleaved. At most 256 megapixels, so that a bad caller can't fill memory. */
export const imagePixelsSchema = z
  .object({
    width: z.number().int().min(1).max(65_536),
    height: z.number().int().min(1).max(65_536),
    channels: z.union([z.literal(1), z.literal(3)]),
    data: z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes'),
  })
  .refine((image) => image.width * image.height <= 256 * 1024 * 1024, 'more than 256 megapixels')
  .refine(
    (image) => image.data.length === image.width * image.height * image.channels,
    'data.length is not width * height * channels',
  );

export const loadParamsSchema = z.object({
  /** Container folder (docs/container.md). */
  containerDir: z.string().min(1),
  /** The one provider to use, or 'auto' for the ladder (webgpu, cuda, dml, coreml, cpu). */
  provider: z.union([z.literal('auto'), providerSchema]).default('auto'),
  /** Threads of the CPU provider; absent: as many as there are cores. */
  threads: z.number().int().min(1).max(1024).optional(),
});
export type LoadParams = z.infer<typeof loadParamsSchema>;

/**
 * How tokens are chosen. What is absent comes from the checkpoint's generation_config, as generate() would take it;
 * the values in use are told in `run-started`.
 */
export const samplingRequestSchema = z.object({
  /** 0 is greedy. */
  temperature: z.number().min(0).max(100).default(0),
  topP: z.number().gt(0).max(1).default(1),
  topK: z.number().int().min(0).optional(),
  repetitionPenalty: z.number().positive().optional(),
  /** Of sampling and of the random-crop preset. */
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
});
export type SamplingRequest = z.infer<typeof samplingRequestSchema>;

export const runRequestSchema = z
  .object({
    runId: z.string().min(1).max(200),
    mode: z.enum(['2d', '3d']),
    /** The image (2D), or all slices of the grid in order (3D), before the model's own resize; one size for all. */
    images: z.array(imagePixelsSchema).min(1).max(4096),
    /** Absent: the reference's own for the mode. */
    systemPrompt: z.string().max(100_000).optional(),
    /** The user turn's text, choices and instruction included (`formatPrompt`). */
    promptText: z.string().max(100_000),
    /** The choices by letter, for the strict answer rule only; the model sees what `promptText` says. */
    options: optionsSchema.optional(),
    preset: presetSchema.default('grounded'),
    sampling: samplingRequestSchema.prefault({}),
    limits: limitsSchema,
    /** Processor pixels back to the patient. Its processorSize must be what the model's processor makes of `images`. */
    chain: affineChainSchema,
    /**
     * For benches: these ids are taken, one after the other, in place of the sampled ones; the same rules end the run.
     * It ends with 'token-limit' when they are used up.
     */
    forcedTokens: z.array(z.number().int().nonnegative()).max(1_000_000).optional(),
    /** The reference's own algorithm: each round encodes every image and prefills everything again. For measuring. */
    reencode: z.boolean().default(false),
  })
  .refine((run) => run.mode === '3d' || run.images.length === 1, {
    message: 'a 2D run has exactly one image',
    path: ['images'],
  })
  .refine(
    (run) => run.images.every((i) => i.width === run.images[0].width && i.height === run.images[0].height),
    { message: 'slices differ in size', path: ['images'] },
  );
/** What the loop gets: defaults filled in. */
export type RunRequest = z.infer<typeof runRequestSchema>;
/** What a caller may write. */
export type RunRequestInput = z.input<typeof runRequestSchema>;

export const runOutcomeSchema = z.object({
  stopReason: stopReasonSchema,
  /** The reference's `response`. */
  response: z.string(),
  newTokens: z.number().int().nonnegative(),
  rounds: z.number().int().nonnegative(),
  /** With stop reason 'failed'. */
  error: errorPayloadSchema.optional(),
});
export type RunOutcome = z.infer<typeof runOutcomeSchema>;

export const engineInfoSchema = z.object({
  pid: z.number().int(),
  /** Null until `load`. */
  model: modelFactsSchema.nullable(),
  /** Resident memory of the engine process. */
  rssBytes: z.number().nonnegative(),
});
export type EngineInfo = z.infer<typeof engineInfoSchema>;

export const imageSizeSchema = z.object({
  width: z.number().int().positive(),
  height: z.number().int().positive(),
});
export type ImageSize = z.infer<typeof imageSizeSchema>;

/**
 * What can be called. `events` are those the call may send; all of them are RunEvents, so that loading and reasoning
 * show their progress the same way.
 */
export const engineMethods = {
  /** Opens a container, releasing the one that is open. Sends `progress` with phase 'load'. */
  load: { params: loadParamsSchema, result: modelFactsSchema },
  /** Releases the model. Not an error when none is open. */
  unload: { params: z.object({}), result: z.object({}) },
  info: { params: z.object({}), result: engineInfoSchema },
  /**
   * The size of the image that crops are cut from, which is what the chain's processorSize must be. It is the size the
   * model itself resizes to, but for images with a side of less than 28 pixels, where the reference has a rule of its own.
   */
  processedSize: { params: imageSizeSchema, result: imageSizeSchema },
  /** Encodes the images and prefills "system + images", so that the first question starts at once. */
  prepare: {
    params: z.object({
      mode: z.enum(['2d', '3d']),
      images: z.array(imagePixelsSchema).min(1).max(4096),
      systemPrompt: z.string().max(100_000).optional(),
    }),
    result: z.object({ tokens: z.number().int(), reused: z.number().int() }),
  },
  /** One grounded run. Sends its whole RunEvent stream; a failed or cancelled run is a result, not an error. */
  run: { params: runRequestSchema, result: runOutcomeSchema },
} as const;

export type EngineMethod = keyof typeof engineMethods;
export const engineMethodSchema = z.enum(Object.keys(engineMethods) as [EngineMethod, ...EngineMethod[]]);
/** What the caller passes (defaults not filled in). */
export type EngineParams<M extends EngineMethod> = z.input<(typeof engineMethods)[M]['params']>;
export type EngineResult<M extends EngineMethod> = z.output<(typeof engineMethods)[M]['result']>;

const callIdSchema = z.number().int().positive();

/** Parent to child. `params` is checked against the method's own schema. */
export const parentMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('call'), id: callIdSchema, method: z.string(), params: z.unknown() }),
  z.object({ kind: z.literal('cancel'), id: callIdSchema }),
]);
export type ParentMessage = z.infer<typeof parentMessageSchema>;

/** Child to parent. */
export const childMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), protocol: z.number().int(), pid: z.number().int() }),
  z.object({ kind: z.literal('result'), id: callIdSchema, value: z.unknown() }),
  z.object({ kind: z.literal('error'), id: callIdSchema, error: errorPayloadSchema }),
  z.object({ kind: z.literal('event'), id: callIdSchema, event: runEventSchema }),
]);
export type ChildMessage = z.infer<typeof childMessageSchema>;
