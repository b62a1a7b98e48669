/**
 * What happens while the model reasons: one ordered stream, one union. The screen, `--events` and the trace recorder
 * all consume this stream, so that an export replays exactly what was shown. JSON throughout (no binary): crops travel
 * as base64 PNG.
 */
import { z } from 'zod';
import { errorPayloadSchema } from './errors.ts';
import { locatedBoxSchema, processorBoxSchema } from './geometry.ts';

export const presets = ['grounded', 'no-injection', 'random-crop', 'text-only'] as const;
export const presetSchema = z.enum(presets);
export type Preset = z.infer<typeof presetSchema>;

export const precisions = ['fp32', 'fp16', 'int4'] as const;
export const precisionSchema = z.enum(precisions);
export type Precision = z.infer<typeof precisionSchema>;

export const providers = ['webgpu', 'cuda', 'dml', 'coreml', 'cpu'] as const;
export const providerSchema = z.enum(providers);
export type Provider = z.infer<typeof providerSchema>;

/** Why a run ended. The first two are the model's own; the rest say which limit cut it. */
export const stopReasons = [
  'end-of-turn',
  'invalid-box',
  'round-token-limit',
  'token-limit',
  'round-limit',
  'context-limit',
  'cancelled',
  'failed',
] as const;
export const stopReasonSchema = z.enum(stopReasons);
export type StopReason = z.infer<typeof stopReasonSchema>;

export const samplingSchema = z.object({
  /** 0 is greedy. */
  temperature: z.number().min(0).max(100),
  topP: z.number().gt(0).max(1),
  /** 0 switches it off. The reference's generate() uses the checkpoint's generation_config, or 50. */
  topK: z.number().int().min(0),
  repetitionPenalty: z.number().positive(),
  seed: z.number().int().nonnegative(),
});
export type Sampling = z.infer<typeof samplingSchema>;

export const limitsSchema = z.object({
  maxNewTokens: z.number().int().positive(),
  maxRounds: z.number().int().positive(),
  tokensPerRound: z.number().int().positive(),
});
export type Limits = z.infer<typeof limitsSchema>;

export const answersSchema = z.object({
  /** Reference inference rule (extract_answer_choice). */
  inference: z.string().nullable(),
  /** Reference reward rule (first stand-alone A-D after stripping think). */
  reward: z.string().nullable(),
  /** Our own: the final line is exactly one option letter, or letter and that option's text; else null. */
  strict: z.string().nullable(),
  /** Reference format reward, 0..1: balanced think and box tags. */
  formatReward: z.number(),
});
export type Answers = z.infer<typeof answersSchema>;

const at = { /** Milliseconds since the run started, monotonic. */ at: z.number().nonnegative() };

export const runEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run-started'),
    ...at,
    runId: z.string(),
    mode: z.enum(['2d', '3d']),
    preset: presetSchema,
    promptText: z.string(),
    promptTokens: z.number().int(),
    provider: providerSchema,
    precision: precisionSchema,
    imageProcessor: z.string(),
  }),
  z.object({
    type: z.literal('progress'),
    ...at,
    phase: z.enum(['load', 'vision', 'prefill']),
    done: z.number(),
    total: z.number(),
    /** True when the phase was served from a cache of an earlier question. */
    cached: z.boolean().optional(),
  }),
  z.object({ type: z.literal('round-started'), ...at, round: z.number().int() }),
  z.object({
    type: z.literal('token'),
    ...at,
    round: z.number().int(),
    index: z.number().int(),
    id: z.number().int(),
    logprob: z.number(),
    /** Text that became certain with this token; '' while a multi-byte character is incomplete. Specials included. */
    text: z.string(),
  }),
  z.object({
    type: z.literal('box'),
    ...at,
    round: z.number().int(),
    /** 0-based number of the box in this run. */
    step: z.number().int(),
    /** The numbers as the model wrote them: 4 (2D) or 6 (3D). */
    raw: z.array(z.number()),
    /** What is cropped: truncated, clamped, widened. */
    clamped: processorBoxSchema,
    located: locatedBoxSchema,
    /** A 4-number box in a 3D run: the reference crops slice 0 only. */
    sliceZeroOnly: z.boolean(),
  }),
  z.object({
    type: z.literal('crop'),
    ...at,
    step: z.number().int(),
    /** What was put back into the context: the predicted box, a random one (random-crop), or nothing (no-injection). */
    injected: z.enum(['predicted', 'random', 'none']),
    /** The box that was cut, in processor pixels: differs from the step's own under random-crop. */
    box: processorBoxSchema,
    images: z.array(
      z.object({
        slice: z.number().int(),
        width: z.number().int(),
        height: z.number().int(),
        /** Of the RGB bytes, row by row. */
        sha256: z.string(),
        png: z.string(),
      }),
    ),
    /** Vision tokens added to the context. */
    tokens: z.number().int(),
  }),
  z.object({
    type: z.literal('round-finished'),
    ...at,
    round: z.number().int(),
    tokens: z.number().int(),
    reason: z.enum([
      'box',
      'end-of-turn',
      'invalid-box',
      'round-token-limit',
      'token-limit',
      'context-limit',
      'cancelled',
    ]),
    /** The reference re-tokenises its decoded text each round; true when that changed the tokens kept in context. */
    retokenised: z.boolean(),
  }),
  z.object({ type: z.literal('answer'), ...at, text: z.string(), answers: answersSchema }),
  z.object({
    type: z.literal('run-finished'),
    ...at,
    stopReason: stopReasonSchema,
    /** The reference's `response`: whole assistant turn decoded with special tokens, vision tokens included. */
    response: z.string(),
    newTokens: z.number().int(),
    timings: z.object({
      visionMs: z.number(),
      prefillMs: z.number(),
      decodeMs: z.number(),
      firstTokenMs: z.number().nullable(),
      totalMs: z.number(),
      tokensPerSecond: z.number().nullable(),
    }),
    error: errorPayloadSchema.optional(),
  }),
]);
export type RunEvent = z.infer<typeof runEventSchema>;
export type RunEventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
