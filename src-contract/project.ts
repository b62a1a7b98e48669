/**
 * A project: cases, runs (whole traces), readers and their reviews, in one file. Pixels stay where they are and are found
 * again by their hash.
 *
 * Rules
 *  1. A project is its LOG. Every change appends one entry; nothing in the log is ever altered or taken out. Tables beside
 *     it (what lists and filters read) follow from it and are written in the same transaction.
 *  2. Each opening of a project that writes is a REPLICA of its own and numbers its entries 1, 2, 3…: copies of a file can
 *     be written to on any number of machines, and no two entries ever go by the same number. An entry's hash covers the
 *     hash of the entry before it (of a replica's first: the newest that was in the file then), so that a log that was
 *     tampered with no longer adds up.
 *  3. `at` rises along every log (it is the clock, or one more than the last `at` seen where the clock stands behind), so
 *     that (at, replica, seq) is one order for the entries of all replicas. The last edit of a register in that order holds.
 *  4. Merging is the union of the logs. It loses nothing: an edit that another one outran stays in the log, and where both
 *     started from the same value the pair is reported as a conflict.
 *  5. Undo appends the inverse of an earlier change of the same reader; it is refused where someone else has changed the
 *     register since.
 */
import { z } from 'zod';
import { blindingSchema, editsSchema, idSchema, reviewSchema } from './review.ts';
import { optionLetters, optionsSchema, presetSchema, stopReasonSchema } from './run-events.ts';
import { sourceFileSchema } from './study.ts';
import { traceSeriesSchema } from './trace.ts';

export const projectVersion = 4;
/** Suffix of project files, and of the archives that carry a project from one machine to another. */
export const projectSuffix = 'readroom';
export const archiveSuffix = 'readroom.zip';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.number().int().nonnegative();
const title = z.string().min(1).max(1_000);

export const readerSchema = z.strictObject({
  readerId: idSchema,
  /** As the reader wants to be called; initials do. */
  name: z.string().min(1).max(200),
  role: z.enum(['reader', 'adjudicator']),
});
export type Reader = z.infer<typeof readerSchema>;

/** One series that questions are asked about. `caseId` follows from its sources: the same on every machine. */
export const caseSchema = z.strictObject({
  caseId: idSchema,
  title,
  synthetic: z.boolean(),
  sources: z.array(sourceFileSchema).max(100_000),
  series: traceSeriesSchema.nullable(),
});
export type Case = z.infer<typeof caseSchema>;

export const logBodySchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('project-created'), title }),
  z.strictObject({ type: z.literal('reader-added'), reader: readerSchema }),
  z.strictObject({ type: z.literal('case-added'), case: caseSchema }),
  z.strictObject({
    type: z.literal('run-added'),
    caseId: idSchema,
    runId: idSchema,
    /** Of the trace's JSON text. */
    traceSha256: sha256,
  }),
  z.strictObject({
    type: z.literal('edited'),
    edits: editsSchema,
    /** The entry whose inverse this is: `replica:seq`. */
    undoes: z.string().max(300).nullable(),
    redoes: z.string().max(300).nullable(),
  }),
  /** Entries of other replicas came in: how far each is known. */
  z.strictObject({ type: z.literal('merged'), heads: z.record(z.string().max(200), z.number().int()) }),
]);
export type LogBody = z.infer<typeof logBodySchema>;

export const logEntrySchema = z.strictObject({
  replica: idSchema,
  seq: z.number().int().positive(),
  /** Milliseconds since 1970, see rule 3. */
  at: time,
  /** Who; null for what the program does by itself. */
  readerId: idSchema.nullable(),
  body: logBodySchema,
  previousHash: sha256,
  /** sha256 of the entry's canonical JSON without this field. */
  hash: sha256,
});
export type LogEntry = z.infer<typeof logEntrySchema>;

/** A run as lists show it. */
export const runRowSchema = z.object({
  runId: idSchema,
  caseId: idSchema,
  createdAt: z.iso.datetime(),
  mode: z.enum(['2d', '3d']),
  /** Source slice of a 2D run of a volume, counted from 0. */
  slice: z.number().int().nullable(),
  preset: presetSchema,
  model: z.string(),
  precision: z.string(),
  question: z.string(),
  options: optionsSchema,
  /** By the reference's inference rule. */
  answer: z.string().nullable(),
  expected: z.enum(optionLetters).nullable(),
  steps: z.number().int(),
  stopReason: stopReasonSchema.nullable(),
  /** Readers who have finished it; without their ids where the asking reader is blinded. */
  finishedBy: z.array(idSchema),
  finishedCount: z.number().int(),
  /** Steps that the asking reader has decided on. */
  decided: z.number().int(),
  /** Readers who finished it do not agree on a step; null where the asking reader may not know yet. */
  disagreement: z.boolean().nullable(),
});
export type RunRow = z.infer<typeof runRowSchema>;

/** A case as lists show it. */
export const caseRowSchema = z.object({
  caseId: idSchema,
  title,
  modality: z.string(),
  synthetic: z.boolean(),
  note: z.string(),
  removed: z.boolean(),
  assigned: z.array(idSchema),
  runs: z.number().int(),
  /** Runs that the asking reader has finished. */
  done: z.number().int(),
  disagreement: z.boolean().nullable(),
  /** Of the newest run. */
  lastQuestion: z.string().nullable(),
  lastAnswer: z.string().nullable(),
  lastRunAt: z.iso.datetime().nullable(),
});
export type CaseRow = z.infer<typeof caseRowSchema>;

export const caseFilterSchema = z.strictObject({
  /** In title, question, answer and note; every word must occur. */
  text: z.string().max(1_000).default(''),
  modalities: z.array(z.string().max(20)).max(50).default([]),
  answer: z.enum(optionLetters).nullable().default(null),
  /** Of the asking reader. */
  reviewed: z.enum(['any', 'open', 'done']).default('any'),
  disagreement: z.boolean().default(false),
  /** Only cases assigned to this reader. */
  assignedTo: idSchema.nullable().default(null),
  /** The removed cases instead of the others. */
  removed: z.boolean().default(false),
});
export type CaseFilter = z.output<typeof caseFilterSchema>;

export const caseSorts = ['newest', 'oldest', 'title'] as const;
export type CaseSort = (typeof caseSorts)[number];

export const projectViewSchema = z.object({
  projectId: idSchema,
  title,
  /** Name of the file without its folder; null for the library that Readroom keeps by itself. */
  fileName: z.string().nullable(),
  readers: z.array(readerSchema),
  /** Who reads now on this machine. */
  readerId: idSchema,
  blinding: blindingSchema,
  counts: z.object({ cases: z.number().int(), runs: z.number().int(), done: z.number().int() }),
  modalities: z.array(z.string()),
  undo: z.object({ undo: z.string().nullable(), redo: z.string().nullable() }),
});
export type ProjectView = z.infer<typeof projectViewSchema>;

/** Reviews of one run, as far as the asking reader may see them. */
export const reviewsViewSchema = z.object({
  own: reviewSchema,
  others: z.array(reviewSchema),
  /** Others' reviews that are there and hidden. */
  hidden: z.number().int(),
});
export type ReviewsView = z.infer<typeof reviewsViewSchema>;

/** Two replicas changed one register from the same value, neither knowing of the other. */
export const conflictSchema = z.object({
  /** registerKey; `kind=run&runId=…` where two different traces go by one run id. */
  register: z.string(),
  /**
   * The two values as JSON ('null': taken away); of the two traces, their sha256. Both '' where the asking reader may not
   * know yet what another one says.
   */
  kept: z.string(),
  outrun: z.string(),
});
export type Conflict = z.infer<typeof conflictSchema>;
export const mergeReportSchema = z.object({
  entries: z.number().int(),
  cases: z.number().int(),
  runs: z.number().int(),
  readers: z.number().int(),
  conflicts: z.array(conflictSchema),
});
export type MergeReport = z.infer<typeof mergeReportSchema>;

/** An estimate with its 95 % interval; null where there is too little to say. */
export const estimateSchema = z.object({
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Items behind it: steps for decisions, boxes for overlaps. */
  n: z.number().int(),
});
export type Estimate = z.infer<typeof estimateSchema>;

/** Boxes of two readers (or of a reader and the model) on the same runs, matched one to one by greatest IoU. */
export const boxAgreementSchema = z.object({
  mode: z.enum(['2d', '3d']),
  matched: z.number().int(),
  onlyA: z.number().int(),
  onlyB: z.number().int(),
  /** 2 matched / (boxes of A + boxes of B). */
  detection: estimateSchema,
  meanIou: estimateSchema,
  /** Counts of matched IoUs in tenths, [0, 0.1) first. */
  histogram: z.array(z.number().int()).length(10),
});
export type BoxAgreement = z.infer<typeof boxAgreementSchema>;

export const agreementSchema = z.object({
  readers: z.array(readerSchema),
  /** Runs that at least two readers have finished. */
  runs: z.number().int(),
  /** Over the decision on each step. */
  fleiss: estimateSchema,
  pairs: z.array(
    z.object({
      a: idSchema,
      b: idSchema,
      observed: z.number().nullable(),
      cohen: estimateSchema,
      boxes: z.array(boxAgreementSchema),
    }),
  ),
  /** Each reader against the model. */
  readersAgainstModel: z.array(
    z.object({
      readerId: idSchema,
      decisions: z.object({ accept: z.number().int(), reject: z.number().int(), correct: z.number().int() }),
      boxes: z.array(boxAgreementSchema),
    }),
  ),
});
export type Agreement = z.infer<typeof agreementSchema>;

/** One step, or a missed box, on which readers differ: what the adjudicator looks at first. */
export const disagreementSchema = z.object({
  caseId: idSchema,
  runId: idSchema,
  title,
  question: z.string(),
  /** Null: a box that only one reader added. */
  step: z.number().int().nullable(),
  /** What each says: 'accept', 'reject', 'correct', or 'added'. */
  said: z.array(z.object({ readerId: idSchema, what: z.string() })),
  /** Least IoU between two readers' boxes; null without two boxes. */
  iou: z.number().nullable(),
  settled: z.boolean(),
});
export type Disagreement = z.infer<typeof disagreementSchema>;

export const exportFormats = {
  trace: 'Trace (JSON)',
  'unimed-cot': 'UniMed-CoT (Parquet)',
  'llama-factory': 'LLaMA-Factory (JSON and images)',
  verl: 'verl (Parquet)',
  coco: 'COCO (JSON)',
  csv: 'Boxes (CSV)',
  nifti: 'Label map (NIfTI)',
  nrrd: 'Label map (NRRD)',
  'slicer-roi': '3D Slicer markups ROI (JSON)',
  'dicom-sr': 'DICOM SR (TID 1500)',
  'dicom-seg': 'DICOM SEG',
  html: 'Report (HTML)',
  pdf: 'Report (PDF)',
} as const;
export type ExportFormat = keyof typeof exportFormats;
export const exportFormatSchema = z.enum(Object.keys(exportFormats) as [ExportFormat, ...ExportFormat[]]);

export const exportRequestSchema = z.strictObject({
  scope: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('run'), runId: idSchema }),
    z.strictObject({ kind: z.literal('case'), caseId: idSchema }),
    z.strictObject({ kind: z.literal('project'), filter: caseFilterSchema }),
  ]),
  formats: z.array(exportFormatSchema).min(1).max(20),
  /** Whose corrections are written; null: the model's own boxes and words only. */
  readerId: idSchema.nullable(),
  /** Patient name and the like: only where asked for. */
  identifiers: z.boolean(),
});
export type ExportRequest = z.infer<typeof exportRequestSchema>;

export const exportReportSchema = z.object({
  files: z.number().int(),
  runs: z.number().int(),
  /** Runs that a format can't hold, each with the reason. */
  skipped: z.array(z.object({ runId: idSchema, format: exportFormatSchema, reason: z.string() })),
});
export type ExportReport = z.infer<typeof exportReportSchema>;
