/**
 * What the application and the process of the open project say to each other. The disk is waited for there: every change
 * is on it before its call is answered, and the main process never waits. Calls of the window that need no dialog pass
 * through as they are (project-channels.ts); the rest is below. Channel and rules: method-channel.ts. Besides:
 *  1. `open` or `create` comes first; a second one closes the project that was open. The others fail until one succeeded.
 *  2. `open`, `create`, `merge` and `archive` are done one at a time, others are refused meanwhile ('input-invalid'); each of
 *     them, and `locate`, can be cancelled and leaves everything as it was. While a merge writes, all calls wait for it.
 *  3. Blinding is kept here: what a reader may not see yet does not leave this process.
 */
import { z } from 'zod';
import { figureMethods } from './figure-protocol.ts';
import { mergeReportSchema, projectViewSchema, readerSchema } from './project.ts';
import { agreementCalls, compareCalls, projectCalls } from './project-channels.ts';
import { idSchema } from './review.ts';
import { type Trace, traceFormat } from './trace.ts';

const path = z.string().min(1).max(32_768);

/** Read and checked by the project's process or made by a run; the window's side checks it once more as it passes. */
const traceOfOurs = z.custom<Trace>(
  (value) => typeof value === 'object' && value !== null && 'format' in value && value.format === traceFormat,
);

export const projectMethods = {
  open: {
    params: z.strictObject({
      path,
      /** Readroom's own: made where it is not there yet. */
      library: z.boolean(),
      /** This machine has written the file before; otherwise all of it is checked. */
      trusted: z.boolean(),
      reader: readerSchema,
    }),
    result: projectViewSchema,
  },
  create: {
    params: z.strictObject({ path, title: z.string().min(1).max(1_000), reader: readerSchema }),
    result: projectViewSchema,
  },
  addRun: {
    params: z.strictObject({ trace: traceOfOurs, title: z.string().max(10_000) }),
    result: z.object({ runId: idSchema, caseId: idSchema, added: z.boolean() }),
  },
  case: {
    params: z.strictObject({ caseId: idSchema }),
    result: z.object({
      title: z.string(),
      synthetic: z.boolean(),
      seriesId: z.string().nullable(),
      files: z.number().int(),
    }),
  },
  /**
   * Looks whether the files of a case are where they were, with the same content; given a folder, for those that are not
   * in it, by size and then by hash, and remembers where they were found.
   */
  locate: {
    params: z.strictObject({ caseId: idSchema, folder: path.nullable() }),
    result: z.object({
      paths: z.array(path),
      /** Names of files that were not found. */
      missing: z.array(z.string()),
      /** Images that came without identifiers: their hash, and that of the source they stand for. */
      standIns: z.record(z.string(), z.string()),
    }),
  },
  /** A project, an archive or a trace. */
  merge: { params: z.strictObject({ path }), result: mergeReportSchema },
  archive: {
    params: z.strictObject({ path, pixels: z.boolean() }),
    result: z.object({
      runs: z.number().int(),
      files: z.number().int(),
      leftOut: z.array(z.object({ name: z.string(), reason: z.string() })),
    }),
  },
  view: projectCalls['project.view'],
  cases: projectCalls['project.cases'],
  runs: projectCalls['project.runs'],
  trace: { params: projectCalls['project.trace'].params, result: traceOfOurs },
  log: projectCalls['project.log'],
  addReader: projectCalls['readers.add'],
  chooseReader: projectCalls['readers.choose'],
  reviews: projectCalls['review.get'],
  edit: projectCalls['review.edit'],
  undo: projectCalls['review.undo'],
  redo: projectCalls['review.redo'],
  next: projectCalls['review.next'],
  agreement: agreementCalls['project.agreement'],
  disagreements: agreementCalls['project.disagreements'],
  compare: compareCalls['compare.runs'],
  consistency: compareCalls['compare.consistency'],
  ...figureMethods,
} as const;
export type ProjectMethods = typeof projectMethods;

export const projectEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('changed'), view: projectViewSchema }),
  z.object({ type: z.literal('list-changed') }),
  z.object({ type: z.literal('review-changed'), runId: idSchema }),
  z.object({ type: z.literal('progress'), what: z.string(), done: z.number(), total: z.number() }),
]);
export type ProjectEvent = z.infer<typeof projectEventSchema>;
