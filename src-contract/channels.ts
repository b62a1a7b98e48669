/**
 * What the window and the main side say to each other.
 *
 * Rules
 *  1. The renderer calls, main answers once: `{ ok: true, value }` or `{ ok: false, error }`, error an ErrorPayload.
 *  2. Main sends events; an event that belongs to a call carries the id that the call returned.
 *  3. Main checks the sender (our window, our app:// page, main frame) and every payload against these schemas before it
 *     acts. A message that fails is answered with 'input-invalid' and nothing else happens.
 *  4. Paths never come from the page. Files are reached through ids that main gave out for what the person picked in a
 *     dialog, dropped on the window, or opened before. (The preload turns dropped File objects into paths.)
 *  5. Pixels don't travel here: they are fetched from app://readroom/pixels/… (pixelUrl below), so that 1,000 slices
 *     neither block this channel nor are copied through it.
 *
 * The preload's bridge knows the names of channel-names.ts only: what is not listed can't be reached.
 */
import { z } from 'zod';
import type { CallName, EventName } from './channel-names.ts';
import { commandNames } from './commands.ts';
import { errorPayloadSchema } from './errors.ts';
import { affineChainSchema } from './geometry.ts';
import {
  agreementCalls,
  compareCalls,
  exportCalls,
  exportEvents,
  figureCalls,
  figureEvents,
  projectCalls,
  projectEvents,
  transferCalls,
} from './project-channels.ts';
import {
  modelFactsSchema,
  optionsSchema,
  precisionSchema,
  presetSchema,
  providerSchema,
  runEventSchema,
} from './run-events.ts';
import { seriesSchema, studyProblemSchema, windowSchema } from './study.ts';
import { traceSchema } from './trace.ts';

export type { CallName, EventName } from './channel-names.ts';

const id = z.string().min(1).max(200);
const nothing = z.strictObject({});

/** A series as the window sees it: no paths, no identifiers. */
export const seriesViewSchema = seriesSchema
  .omit({ sources: true, identifiers: true })
  .extend({ bytes: z.number(), files: z.number().int() });
export type SeriesView = z.infer<typeof seriesViewSchema>;

/** Typed arrays a slice can arrive as; see pixelUrl. */
export const pixelTypes = ['uint8', 'int16', 'uint16', 'int32', 'float32'] as const;
export type PixelType = (typeof pixelTypes)[number];

export const studyViewSchema = z.object({
  studyId: id,
  title: z.string(),
  synthetic: z.boolean(),
  series: z.array(seriesViewSchema),
  problems: z.array(studyProblemSchema),
  skipped: z.number().int(),
});
export type StudyView = z.infer<typeof studyViewSchema>;

/** The pixels of one series, ready to be fetched: a fetch waits until its slice is decoded, and hurries it. */
export const seriesPixelsSchema = z.object({
  studyId: id,
  seriesId: id,
  type: z.enum(pixelTypes),
  columns: z.number().int(),
  rows: z.number().int(),
  slices: z.number().int(),
  channels: z.union([z.literal(1), z.literal(3)]),
  /** Smallest and largest value of what is decoded so far; `series.progress` brings it up to date. */
  range: z.tuple([z.number(), z.number()]),
});
export type SeriesPixelsView = z.infer<typeof seriesPixelsSchema>;

/** What a question is about: the whole volume (3D run) or one slice of it (2D run). */
export const targetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('volume') }),
  z.object({
    kind: z.literal('slice'),
    slice: z.number().int().nonnegative(),
    /** How values become grey levels; absent: the series' own window, or its percentiles. */
    window: windowSchema.optional(),
  }),
]);
export type Target = z.infer<typeof targetSchema>;

export const sampleSchema = z.object({
  id,
  title: z.string(),
  description: z.string(),
  synthetic: z.boolean(),
  questions: z.array(z.object({ question: z.string(), options: optionsSchema })),
});
export type Sample = z.infer<typeof sampleSchema>;

export const recentSchema = z.object({
  id,
  title: z.string(),
  openedAt: z.iso.datetime(),
  missing: z.boolean(),
});
export type Recent = z.infer<typeof recentSchema>;

export const installedModelSchema = z.object({
  id,
  name: z.string(),
  /** The bundled demonstration model, trained on synthetic lesions. */
  demonstration: z.boolean(),
  sourceBytes: z.number(),
  parameters: z.number(),
  /** Precisions that are converted and ready. */
  ready: z.array(precisionSchema),
  /** Conversions that were begun and can be resumed. */
  unfinished: z.array(precisionSchema),
  estimates: z.array(
    z.object({ precision: precisionSchema, bytes: z.number(), memoryBytes: z.number(), seconds: z.number() }),
  ),
  problem: errorPayloadSchema.nullable(),
});
export type InstalledModel = z.infer<typeof installedModelSchema>;

export const engineStateSchema = z.object({
  /** What the engine process does now. */
  status: z.enum(['stopped', 'starting', 'loading', 'ready', 'running', 'died']),
  model: modelFactsSchema.nullable(),
  rssBytes: z.number().nullable(),
  error: errorPayloadSchema.nullable(),
});
export type EngineState = z.infer<typeof engineStateSchema>;

export const themes = ['dark', 'light'] as const;
/** Settings as the page sends them: complete, so that a message that says nothing resets nothing. */
export const completeSettingsSchema = z.strictObject({
  theme: z.enum(themes),
  /** Chosen model; null is the bundled one. */
  modelId: id.nullable(),
  precision: z.union([z.literal('auto'), precisionSchema]),
  provider: z.union([z.literal('auto'), providerSchema]),
  preset: presetSchema,
  temperature: z.number().min(0).max(2),
  topP: z.number().gt(0).max(1),
  seed: z.number().int().nonnegative(),
  maxNewTokens: z.number().int().min(1).max(8192),
  maxRounds: z.number().int().min(1).max(100),
  showConfidence: z.boolean(),
});

/** Settings as they are stored: what is not there yet has its default. */
export const settingsSchema = z.object({
  theme: completeSettingsSchema.shape.theme.default('dark'),
  modelId: completeSettingsSchema.shape.modelId.default(null),
  precision: completeSettingsSchema.shape.precision.default('auto'),
  provider: completeSettingsSchema.shape.provider.default('auto'),
  preset: completeSettingsSchema.shape.preset.default('grounded'),
  temperature: completeSettingsSchema.shape.temperature.default(0),
  topP: completeSettingsSchema.shape.topP.default(1),
  seed: completeSettingsSchema.shape.seed.default(0),
  maxNewTokens: completeSettingsSchema.shape.maxNewTokens.default(512),
  maxRounds: completeSettingsSchema.shape.maxRounds.default(10),
  showConfidence: completeSettingsSchema.shape.showConfidence.default(false),
});
export type Settings = z.infer<typeof settingsSchema>;

export const askSchema = z.strictObject({
  studyId: id,
  seriesId: id,
  target: targetSchema,
  question: z.string().min(1).max(20_000),
  options: optionsSchema,
  preset: presetSchema,
});
export type Ask = z.infer<typeof askSchema>;

export const tagSchema = z.object({
  tag: z.string(),
  vr: z.string(),
  name: z.string(),
  value: z.string(),
  depth: z.number().int(),
});
export type Tag = z.infer<typeof tagSchema>;

/** Calls: what the renderer may ask. */
export const calls = {
  'app.info': {
    params: nothing,
    result: z.object({
      version: z.string(),
      platform: z.string(),
      samples: z.array(sampleSchema),
      recent: z.array(recentSchema),
      /** Studies that are open already: after a reload of the page they are all still there. */
      open: z.array(studyViewSchema),
      settings: settingsSchema,
      /** Electron, Chromium, Node, ONNX Runtime. */
      versions: z.record(z.string(), z.string()),
    }),
  },
  /** Shows the documentation that came with the program, in the system's own viewer. */
  'app.openDocs': { params: nothing, result: nothing },
  'settings.set': { params: completeSettingsSchema, result: settingsSchema },
  /** Shows the system's dialog; `null` when the person cancels it. Opening itself reports through study.* events. */
  'study.pick': {
    params: z.strictObject({ kind: z.enum(['file', 'folder']) }),
    result: z.object({ openId: id }).nullable(),
  },
  'study.openSample': { params: z.strictObject({ sampleId: id }), result: z.object({ openId: id }) },
  'study.openRecent': { params: z.strictObject({ recentId: id }), result: z.object({ openId: id }) },
  /** Paths from the preload only (dropped files). */
  'study.openDropped': {
    params: z.strictObject({ paths: z.array(z.string().max(32_768)).min(1).max(10_000) }),
    result: z.object({ openId: id }),
  },
  'study.cancelOpen': { params: z.strictObject({ openId: id }), result: nothing },
  'study.close': { params: z.strictObject({ studyId: id }), result: nothing },
  /**
   * Decodes a series in the background; slices can be fetched as soon as this returns, which is when the first one is
   * decoded. `first` says which one that should be. Asking again returns the series as it stands.
   */
  'study.pixels': {
    params: z.strictObject({ studyId: id, seriesId: id, first: z.number().int().nonnegative().optional() }),
    result: seriesPixelsSchema,
  },
  /** Stops decoding: what is there stays, a fetch of the rest fails, `study.pixels` begins anew. */
  'study.cancelPixels': { params: z.strictObject({ studyId: id, seriesId: id }), result: nothing },
  'study.tags': {
    params: z.strictObject({ studyId: id, seriesId: id, slice: z.number().int().nonnegative() }),
    result: z.object({ tags: z.array(tagSchema) }),
  },
  /** Patient name and the like: only where the person asks for them. */
  'study.identifiers': {
    params: z.strictObject({ studyId: id, seriesId: id }),
    result: z.object({ identifiers: z.record(z.string(), z.string()) }),
  },
  /**
   * The slices as the chosen model sees them, serialised and resized by its own image processor: pixels at
   * modelViewUrl. `viewId` holds until the study is closed or another view of the series is asked for.
   */
  'study.modelView': {
    params: z.strictObject({ studyId: id, seriesId: id, target: targetSchema }),
    result: z.object({
      viewId: id,
      /** Processor pixels back to the patient. */
      chain: affineChainSchema,
      /** Size of every image; they are RGB. */
      width: z.number().int(),
      height: z.number().int(),
      slices: z.number().int(),
      imageProcessor: z.string(),
      /** How values became grey levels; null where the file's own 8-bit pixels were taken. */
      normalization: z.string().nullable(),
    }),
  },
  'models.list': { params: nothing, result: z.object({ models: z.array(installedModelSchema) }) },
  /** Dialog for a Hugging Face folder; null when cancelled. */
  'models.add': { params: nothing, result: installedModelSchema.nullable() },
  'models.remove': { params: z.strictObject({ modelId: id }), result: nothing },
  'models.convert': { params: z.strictObject({ modelId: id, precision: precisionSchema }), result: nothing },
  'models.cancelConvert': { params: z.strictObject({ modelId: id }), result: nothing },
  'models.unload': { params: nothing, result: nothing },
  'engine.state': { params: nothing, result: engineStateSchema },
  /**
   * Starts a run; its events come as run.event with this runId, in order. It ends with `run-finished` or with
   * run.failed. Runs wait for each other; conversion shows in models.progress, loading in engine.changed.
   */
  'run.ask': { params: askSchema, result: z.object({ runId: id }) },
  'run.stop': { params: z.strictObject({ runId: id }), result: nothing },
  'run.trace': { params: z.strictObject({ runId: id }), result: traceSchema },
  /** Save dialog; null when cancelled. */
  'run.saveTrace': {
    params: z.strictObject({ runId: id }),
    result: z.object({ name: z.string() }).nullable(),
  },
  ...projectCalls,
  ...transferCalls,
  ...agreementCalls,
  ...compareCalls,
  ...figureCalls,
  ...exportCalls,
} as const satisfies Record<CallName, { params: z.ZodType; result: z.ZodType }>;
export type CallParams<C extends CallName> = z.input<(typeof calls)[C]['params']>;
export type CallResult<C extends CallName> = z.output<(typeof calls)[C]['result']>;

/** Events: what main tells the renderer. */
export const events = {
  /**
   * A study began to open: of a call here, or of a menu item, 'Open with' or a second start of the program. Exactly one
   * of study.opened and study.failed ends it.
   */
  'study.opening': z.object({ openId: id, title: z.string() }),
  'study.progress': z.object({
    openId: id,
    /** Files looked at so far, and how many there are as far as known. */
    done: z.number().int(),
    total: z.number().int(),
    name: z.string(),
  }),
  /** The first image that was found, long before a large study is open; a PNG at previewUrl. */
  'study.preview': z.object({ openId: id, width: z.number().int(), height: z.number().int() }),
  'study.opened': z.object({ openId: id, study: studyViewSchema }),
  /** Nothing in it could be shown; `problems` says what is wrong with which file, where there was more than one. */
  'study.failed': z.object({ openId: id, error: errorPayloadSchema, problems: z.array(studyProblemSchema) }),
  /** Slices decoded, and the values in them; the last one has done = total. */
  'series.progress': z.object({
    studyId: id,
    seriesId: id,
    done: z.number(),
    total: z.number(),
    range: z.tuple([z.number(), z.number()]),
  }),
  /**
   * A slice needs a wider pixel type than the ones before it (rare: values beyond 16 bits in a CT). Pixels fetched so
   * far hold the right values, but from now on fetches in the old type are refused: ask study.pixels again.
   */
  'series.retyped': z.object({ studyId: id, seriesId: id }),
  'series.failed': z.object({ studyId: id, seriesId: id, error: errorPayloadSchema }),
  'recent.changed': z.object({ recent: z.array(recentSchema) }),
  'models.changed': z.object({ models: z.array(installedModelSchema) }),
  'models.progress': z.object({
    modelId: id,
    precision: precisionSchema,
    phase: z.string(),
    done: z.number(),
    total: z.number(),
  }),
  'models.failed': z.object({ modelId: id, precision: precisionSchema, error: errorPayloadSchema }),
  'engine.changed': engineStateSchema,
  'run.event': z.object({ runId: id, event: runEventSchema }),
  /**
   * The run could not begin, or broke off: after this no run.event of that id comes. A run that had begun has told of
   * its end (`run-finished`, 'failed' or 'cancelled') before.
   */
  'run.failed': z.object({ runId: id, error: errorPayloadSchema }),
  /** A menu item of the native menu (commands.ts): the renderer carries it out. */
  command: z.object({ name: z.enum(commandNames) }),
  ...projectEvents,
  ...figureEvents,
  ...exportEvents,
} as const satisfies Record<EventName, z.ZodType>;
export type EventPayload<E extends EventName> = z.output<(typeof events)[E]>;

/** The answer envelope of every call. */
export type Answer<T> = { ok: true; value: T } | { ok: false; error: z.infer<typeof errorPayloadSchema> };

/** The pages and pixels of the window are served from here. */
export const appOrigin = 'app://readroom';
/**
 * One slice: bytes of the series' pixel type, little-endian, row by row, channels interleaved. Answers 409 when `type`
 * is not the series' type any more (series.retyped), and other errors as JSON of an ErrorPayload.
 */
export const pixelUrl = (studyId: string, seriesId: string, slice: number, type: PixelType): string =>
  `${appOrigin}/pixels/${encodeURIComponent(studyId)}/${encodeURIComponent(seriesId)}/${slice}/${type}`;
/**
 * Several slices at once, one after the other, from `first` on: for filling up in the background, where one request for
 * a few megabytes costs a fraction of one for each slice. At most `pixelBatch` of them.
 */
export const pixelsUrl = (
  studyId: string,
  seriesId: string,
  first: number,
  count: number,
  type: PixelType,
): string =>
  `${appOrigin}/pixels/${encodeURIComponent(studyId)}/${encodeURIComponent(seriesId)}/${first}+${count}/${type}`;
export const pixelBatch = 64;
/** The middle slice of a series as a small PNG, for an <img>. Made without decoding the rest where the format allows. */
export const thumbnailUrl = (studyId: string, seriesId: string): string =>
  `${appOrigin}/thumbnail/${encodeURIComponent(studyId)}/${encodeURIComponent(seriesId)}`;
/** The picture that study.preview tells of: a PNG. There until the study is open or has failed. */
export const previewUrl = (openId: string): string => `${appOrigin}/preview/${encodeURIComponent(openId)}`;
/** One image of study.modelView: RGB bytes, row by row. */
export const modelViewUrl = (studyId: string, viewId: string, slice: number): string =>
  `${appOrigin}/model-view/${encodeURIComponent(studyId)}/${encodeURIComponent(viewId)}/${slice}`;

/** What the preload puts at `window.readroom`. */
export interface Bridge {
  call<C extends CallName>(name: C, params: CallParams<C>): Promise<Answer<CallResult<C>>>;
  /** Returns what stops listening. */
  on<E extends EventName>(name: E, listener: (payload: EventPayload<E>) => void): () => void;
  /** Opens files that were dropped on the window. */
  openDropped(files: File[]): Promise<Answer<CallResult<'study.openDropped'>>>;
}
