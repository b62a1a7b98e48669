/**
 * What readers say about a run: never over the original, always beside it.
 *
 * Everything that can be edited is a REGISTER: one value under one key (`verdict` of step 2 of a run by one reader…). An
 * EDIT sets a register from `before` to `after`; null is "nothing there". Its inverse is the same edit turned round, which
 * is all that undo needs, and a list of edits is all that a history, a merge of two files and an audit trail need. A reader
 * writes only registers that carry their own id, so that two readers never overwrite each other.
 */
import { z } from 'zod';
import { optionLetters } from './run-events.ts';
import { sourceBoxSchema } from './source-box.ts';
import type { TraceSummary } from './trace.ts';

export const idSchema = z.string().min(1).max(200);
const stepNumber = z.number().int().min(0).max(9_999);
const shortText = z.string().max(10_000);

/** 'correct': the finding stands, its box was put right by the reader. */
export const decisions = ['accept', 'reject', 'correct'] as const;
export const decisionSchema = z.enum(decisions);
export type Decision = z.infer<typeof decisionSchema>;

/** Why a step is rejected; several may hold. */
export const rejectReasons = {
  'wrong-place': 'Wrong place',
  'wrong-size': 'Wrong size',
  'wrong-slices': 'Wrong slices',
  'wrong-finding': 'Wrong finding',
  'nothing-there': 'Nothing there',
  'wrong-reasoning': 'Wrong reasoning',
  repeated: 'Repeated',
  other: 'Other',
} as const;
export type RejectReason = keyof typeof rejectReasons;
export const rejectReasonSchema = z.enum(Object.keys(rejectReasons) as [RejectReason, ...RejectReason[]]);

export const verdictSchema = z.strictObject({
  decision: decisionSchema,
  reasons: z.array(rejectReasonSchema).max(20),
  comment: shortText,
});
export type Verdict = z.infer<typeof verdictSchema>;

/** A box that the model missed. `part` relates it to a sentence: the step whose words speak of it (see sentences). */
export const addedBoxSchema = z.strictObject({
  box: sourceBoxSchema,
  label: z.string().max(1_000),
  part: stepNumber.nullable(),
});
export type AddedBox = z.infer<typeof addedBoxSchema>;

export const amendedAnswerSchema = z.strictObject({
  /** Null for free text. */
  letter: z.enum(optionLetters).nullable(),
  text: shortText,
});
export type AmendedAnswer = z.infer<typeof amendedAnswerSchema>;

export const readingSchema = z.strictObject({
  status: z.enum(['reading', 'done']),
  /** Milliseconds in which the reader was at it; pauses are not counted. */
  activeMs: z.number().nonnegative(),
  /** Where the model's boxes are hidden at first: the reader has asked to see them. */
  revealed: z.boolean(),
});
export type Reading = z.infer<typeof readingSchema>;

/** How readers are kept from each other's marks; for the whole project. */
export const blindingSchema = z.strictObject({
  /** Others' marks are hidden until one's own reading of the run is done. */
  others: z.boolean(),
  /** The model's boxes and words too, until the reader asks for them. */
  model: z.boolean(),
});
export type Blinding = z.infer<typeof blindingSchema>;
export const defaultBlinding: Blinding = { others: true, model: false };

/** Is the model's part of a run hidden from a reader who is that far with it? Who settles sees everything. */
export const modelIsHidden = (
  blinding: Blinding,
  { role }: { readonly role: 'reader' | 'adjudicator' },
  reading: Reading | null,
): boolean =>
  blinding.model && role !== 'adjudicator' && reading?.revealed !== true && reading?.status !== 'done';

const ofCase = { caseId: idSchema };
const ofReader = { runId: idSchema, readerId: idSchema };
const register = <K extends string, Key extends z.ZodRawShape, V extends z.ZodType>(
  kind: K,
  key: Key,
  value: V,
) => z.strictObject({ kind: z.literal(kind), ...key, before: value.nullable(), after: value.nullable() });

export const editSchema = z.discriminatedUnion('kind', [
  register('case-title', ofCase, z.string().min(1).max(1_000)),
  register('case-note', ofCase, shortText),
  /** A removed case is hidden, not gone: it can be brought back by undo. */
  register('case-removed', ofCase, z.literal(true)),
  register('assignment', { ...ofCase, readerId: idSchema }, z.literal(true)),
  register('blinding', {}, blindingSchema),
  register('verdict', { ...ofReader, step: stepNumber }, verdictSchema),
  /** The corrected box of a step. */
  register('box', { ...ofReader, step: stepNumber }, sourceBoxSchema),
  register('added', { ...ofReader, boxId: idSchema }, addedBoxSchema),
  /** Amended words of a part of the answer: part n < steps is step n's text, part = steps is what follows the last box. */
  register('sentence', { ...ofReader, part: stepNumber }, z.string().max(100_000)),
  register('answer', ofReader, amendedAnswerSchema),
  register('comment', ofReader, shortText),
  register('reading', ofReader, readingSchema),
]);
export type Edit = z.infer<typeof editSchema>;
export type EditKind = Edit['kind'];
export type EditOf<K extends EditKind> = Extract<Edit, { kind: K }>;

/** One change is one thing a person did: its edits are made, undone and redone together. */
export const editsSchema = z.array(editSchema).min(1).max(1_000);

/** The key of a register as one string: equal for equal registers, sorted by run and reader. */
export function registerKey(edit: Edit): string {
  const { before: _before, after: _after, ...key } = edit;
  const fields: Record<string, string | number> = key;
  return Object.keys(fields)
    .sort()
    .map((name) => `${name}=${encodeURIComponent(fields[name])}`)
    .join('&');
}

/** What undoes the edits: each turned round, last first. */
export const invertEdits = (edits: readonly Edit[]): Edit[] =>
  edits.map((edit) => ({ ...edit, before: edit.after, after: edit.before }) as Edit).reverse();

/** What one reader has said about one run. */
export interface Review {
  readonly runId: string;
  readonly readerId: string;
  readonly reading: Reading | null;
  /** By step. */
  readonly verdicts: Readonly<Record<number, Verdict>>;
  readonly boxes: Readonly<Record<number, z.infer<typeof sourceBoxSchema>>>;
  /** By box id. */
  readonly added: Readonly<Record<string, AddedBox>>;
  /** By part. */
  readonly sentences: Readonly<Record<number, string>>;
  readonly answer: AmendedAnswer | null;
  readonly comment: string;
}

const byNumber = <V extends z.ZodType>(value: V) => z.record(z.coerce.number().int(), value);
export const reviewSchema = z.object({
  runId: idSchema,
  readerId: idSchema,
  reading: readingSchema.nullable(),
  verdicts: byNumber(verdictSchema),
  boxes: byNumber(sourceBoxSchema),
  added: z.record(z.string(), addedBoxSchema),
  sentences: byNumber(z.string()),
  answer: amendedAnswerSchema.nullable(),
  comment: z.string(),
}) satisfies z.ZodType<Review>;

export const emptyReview = (runId: string, readerId: string): Review => ({
  runId,
  readerId,
  reading: null,
  verdicts: {},
  boxes: {},
  added: {},
  sentences: {},
  answer: null,
  comment: '',
});

/** Puts edits into a review; edits of other runs, readers and cases leave it as it is. */
export function applyEdits(review: Review, edits: readonly Edit[]): Review {
  let next = review;
  const put = <V>(record: Readonly<Record<string, V>>, key: string | number, value: V | null) => {
    const { [key]: _old, ...rest } = record;
    return value === null ? rest : { ...rest, [key]: value };
  };
  for (const edit of edits) {
    if (!('runId' in edit) || edit.runId !== review.runId || edit.readerId !== review.readerId) continue;
    switch (edit.kind) {
      case 'verdict':
        next = { ...next, verdicts: put(next.verdicts, edit.step, edit.after) };
        break;
      case 'box':
        next = { ...next, boxes: put(next.boxes, edit.step, edit.after) };
        break;
      case 'added':
        next = { ...next, added: put(next.added, edit.boxId, edit.after) };
        break;
      case 'sentence':
        next = { ...next, sentences: put(next.sentences, edit.part, edit.after) };
        break;
      case 'answer':
        next = { ...next, answer: edit.after };
        break;
      case 'comment':
        next = { ...next, comment: edit.after ?? '' };
        break;
      case 'reading':
        next = { ...next, reading: edit.after };
        break;
      default:
        return edit satisfies never;
    }
  }
  return next;
}

/** Steps of a run that the reader has not decided on. */
export const openSteps = (review: Review, summary: Pick<TraceSummary, 'steps'>): number[] =>
  summary.steps.map(({ step }) => step).filter((step) => !review.verdicts[step]);
