/** Reviews as the registers have them, and what may be shown to whom (blinding). */

import type { Reader, ReviewsView } from '../../../src-contract/project.ts';
import {
  type Blinding,
  defaultBlinding,
  type Edit,
  emptyReview,
  type Review,
  registerKey,
} from '../../../src-contract/review.ts';
import type { Database } from './database.ts';
import { canonicalJson } from './log.ts';

interface RegisterRow {
  readonly kind: Edit['kind'];
  readonly reader_id: string;
  readonly item: string | null;
  readonly value: string;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Everything that readers have said about a run; by readers' ids. */
export function reviewsIn(db: Database, runId: string): Review[] {
  const rows = db.all<RegisterRow>(
    `SELECT kind, reader_id, item, value FROM registers WHERE run_id = ? AND value IS NOT NULL
     ORDER BY reader_id, kind, item`,
    [runId],
  );
  const reviews = new Map<string, Writable<Review>>();
  for (const { kind, reader_id, item, value } of rows) {
    const review = reviews.get(reader_id) ?? { ...emptyReview(runId, reader_id) };
    reviews.set(reader_id, review);
    put(review, kind, item ?? '', JSON.parse(value) as never);
  }
  return [...reviews.values()];
}

function put(review: Writable<Review>, kind: Edit['kind'], item: string, value: never): void {
  switch (kind) {
    case 'verdict':
      review.verdicts = { ...review.verdicts, [item]: value };
      return;
    case 'box':
      review.boxes = { ...review.boxes, [item]: value };
      return;
    case 'added':
      review.added = { ...review.added, [item]: value };
      return;
    case 'sentence':
      review.sentences = { ...review.sentences, [item]: value };
      return;
    case 'answer':
      review.answer = value;
      return;
    case 'comment':
      review.comment = value;
      return;
    case 'reading':
      review.reading = value;
      return;
    case 'case-title':
    case 'case-note':
    case 'case-removed':
    case 'assignment':
    case 'blinding':
      return;
  }
}

/** The value of an edit's register now; null where nothing is there. */
export function registerValue(db: Database, edit: Edit): unknown {
  const row = db.get<{ value: string | null }>('SELECT value FROM registers WHERE key = ?', [
    registerKey(edit),
  ]);
  return row?.value ? JSON.parse(row.value) : null;
}

export const sameValue = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

export function blindingOf(db: Database): Blinding {
  const row = db.get<{ value: string | null }>("SELECT value FROM registers WHERE kind = 'blinding'");
  return row?.value ? (JSON.parse(row.value) as Blinding) : defaultBlinding;
}

/** True where a reader may see others' marks of every run: nobody is blinded, or it is the one who settles. */
export const seesAll = (blinding: Blinding, reader: Pick<Reader, 'role'>): boolean =>
  !blinding.others || reader.role === 'adjudicator';

/** The reviews of a run as far as the reader may see them; the rest never leaves the project's process. */
export function reviewsFor(db: Database, runId: string, reader: Reader): ReviewsView {
  const reviews = reviewsIn(db, runId);
  const own =
    reviews.find(({ readerId }) => readerId === reader.readerId) ?? emptyReview(runId, reader.readerId);
  const others = reviews.filter(({ readerId }) => readerId !== reader.readerId);
  const open = own.reading?.status === 'done' || seesAll(blindingOf(db), reader);
  return { own, others: open ? others : [], hidden: open ? 0 : others.length } as ReviewsView;
}

/** Do readers who finished a run differ on a step, or on whether a box was missed? */
export function disagreeing(reviews: readonly Review[], steps: number): boolean {
  const [first, ...rest] = reviews;
  if (!first) return false;
  const decision = (review: Review, step: number): string => review.verdicts[step]?.decision ?? '';
  for (let step = 0; step < steps; step++) {
    if (rest.some((review) => decision(review, step) !== decision(first, step))) return true;
  }
  const missed = (review: Review): boolean => Object.keys(review.added).length > 0;
  return rest.some((review) => missed(review) !== missed(first));
}
