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

/** The choices of a question, by letter. */
export const optionLetters = ['A', 'B', 'C', 'D'] as const;
export type OptionLetter = (typeof optionLetters)[number];
export const optionsSchema = z.object({
  A: z.string().max(100_000).optional(),
  B: z.string().max(100_000).optional(),
  C: z.string().max(100_000).optional(),
  D: z.string().max(100_000).optional(),
});
export type Options = z.infer<typeof optionsSchema>;

/** The model in use and why it runs where it runs. */
export const modelFactsSchema = z.object({
  /** sha256 over the source checkpoint, from the container's manifest. */
  modelHash: z.string().max(200),
  name: z.string().max(1000),
  precision: precisionSchema,
  provider: providerSchema,
  /** Why each provider before the chosen one was refused. */
  refused: z.array(z.object({ provider: providerSchema, reason: z.string().max(10_000) })).max(100),
  /** What else a reader should know of how the model is run; usually empty. */
  notes: z.array(z.string().max(10_000)).max(100),
  parameters: z.number().nonnegative(),
  contextLimit: z.number().int().positive(),
  /** preprocessor_config's image_processor_type: says which resampling the model's own resize follows. */
  imageProcessor: z.string().max(200),
  /** What generate() would take from generation_config where a request says nothing. */
  generation: z.object({ repetitionPenalty: z.number().positive(), topK: z.number().int().min(0) }),
});
export type ModelFacts = z.infer<typeof modelFactsSchema>;

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

// Bounds for what may come from outside (imported traces): far above what a run makes, far below what fills memory.
const text = z.string().max(4_000_000);
const at = { /** Milliseconds since the run started, monotonic. */ at: z.number().nonnegative() };

export const runEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run-started'),
    ...at,
    runId: z.string().max(200),
    mode: z.enum(['2d', '3d']),
    preset: presetSchema,
    systemPrompt: text,
    /** The user turn's text, choices and instruction included. */
    promptText: text,
    /** The chat template's output, one <|image_pad|> an image. */
    rendered: text,
    model: modelFactsSchema,
    /** As in use: what the request left open is filled in from the checkpoint. */
    sampling: samplingSchema,
    limits: limitsSchema,
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
  z.object({
    type: z.literal('round-started'),
    ...at,
    round: z.number().int(),
    /** Tokens in the context before the round's first, image tokens counted one by one. */
    contextTokens: z.number().int().nonnegative(),
  }),
  z.object({
    type: z.literal('token'),
    ...at,
    round: z.number().int(),
    index: z.number().int(),
    id: z.number().int(),
    /** Natural log-probability under the model's own logits: before penalty, temperature, top-k, top-p, suppression. */
    logprob: z.number(),
    /** Text that became certain with this token; '' while a multi-byte character is incomplete. Specials included. */
    text: z.string().max(100_000),
  }),
  z.object({
    type: z.literal('box'),
    ...at,
    round: z.number().int(),
    /** 0-based number of the box in this run. */
    step: z.number().int(),
    /** The numbers as the model wrote them: 4 (2D) or 6 (3D). */
    raw: z.array(z.number()).min(4).max(6),
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
    /**
     * What was put back into the context: the predicted box, a random one (random-crop), or nothing (no-injection, and
     * a box of the last round, after which nothing is generated). `images` shows what was cut in every case.
     */
    injected: z.enum(['predicted', 'random', 'none']),
    /** The box that was cut, in processor pixels: differs from the step's own under random-crop. */
    box: processorBoxSchema,
    images: z
      .array(
        z.object({
          slice: z.number().int(),
          width: z.number().int(),
          height: z.number().int(),
          /** Of the RGB bytes, row by row. */
          sha256: z.string().length(64),
          /** Base64. */
          png: z.string().max(32_000_000),
        }),
      )
      .max(4096),
    /** Vision tokens added to the context; 0 where nothing was injected. */
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
      'failed',
    ]),
    /** The reference re-tokenises its decoded text each round; true when that changed the tokens kept in context. */
    retokenised: z.boolean(),
  }),
  /** After the last round: the clean text behind the reasoning, and what each rule reads in the response. */
  z.object({ type: z.literal('answer'), ...at, text, answers: answersSchema }),
  z.object({
    type: z.literal('run-finished'),
    ...at,
    stopReason: stopReasonSchema,
    /** The reference's `response`: whole assistant turn decoded with special tokens, vision tokens included. */
    response: text,
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
