/**
 * Calls and events of projects, review, comparison and export; part of the contract of channels.ts, whose rules hold.
 * There is always a project: the library that Readroom keeps by itself until the person opens another. Every run of the
 * window is put into it as soon as it has ended, and every edit is on the disk before its call is answered.
 */
import { z } from 'zod';
import { comparisonSchema, consistencySchema } from './comparison.ts';
import { errorPayloadSchema } from './errors.ts';
import {
  agreementSchema,
  caseFilterSchema,
  caseRowSchema,
  caseSorts,
  disagreementSchema,
  exportReportSchema,
  exportRequestSchema,
  logEntrySchema,
  mergeReportSchema,
  projectViewSchema,
  readerSchema,
  reviewsViewSchema,
  runRowSchema,
} from './project.ts';
import { editsSchema, idSchema } from './review.ts';
import { traceSchema } from './trace.ts';

const nothing = z.strictObject({});
const ofRun = z.strictObject({ runId: idSchema });
const page = { offset: z.number().int().nonnegative(), limit: z.number().int().min(1).max(500) };

/** The run that an undo was about, and its case; no run where it was about a case or the project. */
const tookBackSchema = z.object({ runId: idSchema.nullable(), caseId: idSchema.nullable() });

type CallTable = Record<string, { params: z.ZodType; result: z.ZodType }>;

export const projectCalls = {
  'project.view': { params: nothing, result: projectViewSchema },
  /** Save dialog, then a new project; null when cancelled. */
  'project.create': { params: nothing, result: projectViewSchema.nullable() },
  /** Open dialog; null when cancelled. */
  'project.open': { params: nothing, result: projectViewSchema.nullable() },
  'project.openLibrary': { params: nothing, result: projectViewSchema },
  'project.cases': {
    params: z.strictObject({ filter: caseFilterSchema, sort: z.enum(caseSorts), ...page }),
    result: z.object({ total: z.number().int(), rows: z.array(caseRowSchema) }),
  },
  'project.runs': {
    params: z.strictObject({ caseId: idSchema }),
    result: z.object({ runs: z.array(runRowSchema) }),
  },
  'project.trace': { params: ofRun, result: traceSchema },
  /**
   * Puts the study of the case on screen; asks for it where it is not where it was. Null when cancelled. `openId` is the
   * study that is open already where it is (studies keep their openId as studyId), otherwise study.* events tell the rest.
   */
  'project.openStudy': {
    params: z.strictObject({ caseId: idSchema }),
    result: z.object({ openId: idSchema }).nullable(),
  },
  'project.log': {
    params: z.strictObject({ caseId: idSchema.nullable(), ...page }),
    result: z.object({
      total: z.number().int(),
      /** Newest first. */
      entries: z.array(logEntrySchema),
      /** Entries of other readers that the chosen reader may not see yet; they are not in `total`. */
      hidden: z.number().int(),
      /** What does not add up in the chain of hashes; null when it does. */
      broken: z.string().nullable(),
    }),
  },
  'readers.add': { params: readerSchema.omit({ readerId: true }), result: projectViewSchema },
  'readers.choose': { params: z.strictObject({ readerId: idSchema }), result: projectViewSchema },
  'review.get': { params: ofRun, result: reviewsViewSchema },
  /** Edits of the chosen reader. Refused ('input-invalid') where `before` is not what is there. On disk when answered. */
  'review.edit': { params: z.strictObject({ edits: editsSchema }), result: nothing },
  /** What was touched, to go there; null where there was nothing to undo. */
  'review.undo': { params: nothing, result: tookBackSchema.nullable() },
  'review.redo': { params: nothing, result: tookBackSchema.nullable() },
  /**
   * The next run that the chosen reader has not finished, in the order of the list after the given one, and from the top
   * again after the last; null: none but the given one.
   */
  'review.next': {
    params: z.strictObject({
      after: idSchema.nullable(),
      filter: caseFilterSchema,
      sort: z.enum(caseSorts).default('newest'),
    }),
    result: z.object({ runId: idSchema, caseId: idSchema }).nullable(),
  },
} as const satisfies CallTable;

/** Projects that come in and go out. */
export const transferCalls = {
  /** Dialog for a project, an archive or a trace that is taken into the open project; null when cancelled. */
  'project.merge': { params: nothing, result: mergeReportSchema.nullable() },
  /** Save dialog for an archive: the whole project in one file, with or without (de-identified) pixels. */
  'project.archive': {
    params: z.strictObject({ pixels: z.boolean() }),
    result: z
      .object({
        name: z.string(),
        /** Image files that are not in it, each with the reason. */
        leftOut: z.array(z.object({ name: z.string(), reason: z.string() })),
      })
      .nullable(),
  },
  /**
   * Stops what `project.progress` tells of: a merge, an archive, the check of a project at its opening, a search for
   * images. Its call fails with 'cancelled' then; nothing was changed, and no file is left. Too late, it does nothing.
   */
  'project.cancelTransfer': { params: nothing, result: nothing },
} as const satisfies CallTable;

/** Agreement of readers, and what they differ on: over the runs that the chosen reader may see (blinding). */
export const agreementCalls = {
  'project.agreement': { params: z.strictObject({ filter: caseFilterSchema }), result: agreementSchema },
  'project.disagreements': {
    params: z.strictObject({ filter: caseFilterSchema }),
    result: z.object({ rows: z.array(disagreementSchema) }),
  },
} as const satisfies CallTable;

/** Two runs beside each other. */
export const compareCalls = {
  'compare.runs': { params: z.strictObject({ a: idSchema, b: idSchema }), result: comparisonSchema },
  /** From the 2D runs on slices of the volume run's series that ask the same question. */
  'compare.consistency': { params: ofRun, result: consistencySchema },
} as const satisfies CallTable;

/** The paper's figure of 2D against 3D. */
export const figureCalls = {
  /** The figure as SVG, for the screen. */
  'compare.figure': {
    params: z.strictObject({ volumeRunId: idSchema, slice: z.number().int().nonnegative() }),
    result: z.object({ svg: z.string() }),
  },
  /** Save dialog; the suffix chosen decides between SVG, PNG and PDF. */
  'compare.saveFigure': {
    params: z.strictObject({ volumeRunId: idSchema, slice: z.number().int().nonnegative() }),
    result: z.object({ name: z.string() }).nullable(),
  },
  /**
   * Asks the volume run's question in 2D on every n-th slice of its cuboid that was not asked yet, with its model, preset
   * and sampling, behind the questions that wait already. `compare.slices` events tell the rest. The runs are not shown in
   * the chat; they are in the project as they end.
   */
  'compare.askSlices': {
    params: z.strictObject({ volumeRunId: idSchema, every: z.number().int().min(1).max(1_000).default(1) }),
    result: z.object({ total: z.number().int() }),
  },
  'compare.stopSlices': { params: z.strictObject({ volumeRunId: idSchema }), result: nothing },
} as const satisfies CallTable;

export const figureEvents = {
  /** Of a batch over slices; all states but 'running' end it. What was done is kept whatever the state. */
  'compare.slices': z.object({
    volumeRunId: idSchema,
    done: z.number().int(),
    total: z.number().int(),
    state: z.enum(['running', 'done', 'stopped', 'failed']),
    error: errorPayloadSchema.nullable(),
  }),
} as const satisfies Record<string, z.ZodType>;

export const exportCalls = {
  /** Dialog for a folder; null when cancelled. Progress comes as export.progress with the exportId. */
  'export.start': { params: exportRequestSchema, result: z.object({ exportId: idSchema }).nullable() },
  'export.cancel': { params: z.strictObject({ exportId: idSchema }), result: nothing },
} as const satisfies CallTable;

export const projectEvents = {
  /** Another project, other readers, or counts that changed. */
  'project.changed': projectViewSchema,
  /** Cases or runs were added or changed: lists are asked for anew. */
  'project.listChanged': nothing,
  /** Reviews of this run changed (an edit, an undo, a merge). */
  'review.changed': ofRun,
  /** A finished run of the window is in the project now. */
  'project.runAdded': z.object({ runId: idSchema, caseId: idSchema }),
  /** Something was to be kept in the project by itself and could not be: a finished run, a library that can't be opened. */
  'project.failed': z.object({ error: errorPayloadSchema }),
  /**
   * A merge, an archive, a check or a search goes on; the last one has done = total, also where it failed or was stopped
   * (project.cancelTransfer).
   */
  'project.progress': z.object({ what: z.string(), done: z.number(), total: z.number() }),
} as const satisfies Record<string, z.ZodType>;

export const exportEvents = {
  'export.progress': z.object({ exportId: idSchema, done: z.number(), total: z.number(), name: z.string() }),
  'export.finished': z.object({ exportId: idSchema, report: exportReportSchema }),
  'export.failed': z.object({ exportId: idSchema, error: errorPayloadSchema }),
} as const satisfies Record<string, z.ZodType>;
