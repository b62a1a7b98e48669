/** Reviews as the registers have them, and what may be shown to whom (blinding). */

import type { Conflict, Reader, ReviewsView } from '../../../src-contract/project.ts';
import {
  type Blinding,
  defaultBlinding,
  type Edit,
  emptyReview,
  type Reading,
  type Review,
  registerKey,
} from '../../../src-contract/review.ts';
import type { ReviewedRun } from '../../review/agreement/reviewed-run.ts';
import type { Database } from './file/database.ts';
import { canonicalJson } from './log/log.ts';

interface RegisterRow {
  readonly kind: Edit['kind'];
  readonly reader_id: string;
  readonly item: string | null;
  readonly value: string;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** How far a reader is with a run; null where he or she has not begun. */
export function readingOf(db: Database, runId: string, readerId: string): Reading | null {
  return registerValue(db, { kind: 'reading', runId, readerId, before: null, after: null }) as Reading | null;
}

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

const blindingKey = registerKey({ kind: 'blinding', before: null, after: null });

export function blindingOf(db: Database): Blinding {
  const row = db.get<{ value: string | null }>('SELECT value FROM registers WHERE key = ?', [blindingKey]);
  return row?.value ? (JSON.parse(row.value) as Blinding) : defaultBlinding;
}

/** True where a reader may see others' marks of every run: nobody is blinded, or it is the one who settles. */
export const seesAll = (blinding: Blinding, reader: Pick<Reader, 'role'>): boolean =>
  !blinding.others || reader.role === 'adjudicator';

/** May the reader know what others say of the run? */
export function maySee(db: Database, runId: string, reader: Reader): boolean {
  if (seesAll(blindingOf(db), reader)) return true;
  const sql = 'SELECT 1 FROM progress WHERE reader_id = ? AND run_id = ? AND done = 1';
  return db.get(sql, [reader.readerId, runId]) !== null;
}

/** Conflicts of a merge without the values that the reader may not know yet. */
export function veilConflicts(db: Database, conflicts: readonly Conflict[], reader: Reader): Conflict[] {
  return conflicts.map((conflict) => {
    const row = db.get<{ run_id: string | null; reader_id: string | null }>(
      'SELECT run_id, reader_id FROM registers WHERE key = ?',
      [conflict.register],
    );
    if (!row?.run_id || row.reader_id === reader.readerId || maySee(db, row.run_id, reader)) return conflict;
    return { ...conflict, kept: '', outrun: '' };
  });
}

/** The reviews of a run as far as the reader may see them; the rest never leaves the project's process. */
export function reviewsFor(db: Database, runId: string, reader: Reader): ReviewsView {
  const reviews = reviewsIn(db, runId);
  const own =
    reviews.find(({ readerId }) => readerId === reader.readerId) ?? emptyReview(runId, reader.readerId);
  const others = reviews.filter(({ readerId }) => readerId !== reader.readerId);
  const open = own.reading?.status === 'done' || seesAll(blindingOf(db), reader);
  return { own, others: open ? others : [], hidden: open ? 0 : others.length } as ReviewsView;
}

export function readersOf(db: Database): Reader[] {
  const rows = db.all<{ reader_id: string; name: string; role: Reader['role'] }>(
    'SELECT reader_id, name, role FROM readers ORDER BY at, replica, seq',
  );
  return rows.map(({ reader_id, name, role }) => ({ readerId: reader_id, name, role }));
}

interface ReviewedRow {
  readonly case_id: string;
  readonly title: string;
  readonly question: string;
  readonly mode: '2d' | '3d';
  readonly axis: 0 | 1 | 2;
}
type BoxRow = Readonly<Record<'min_i' | 'min_j' | 'min_k' | 'max_i' | 'max_j' | 'max_k', number>>;

/** A run as agreement looks at it; null where there is no such run. */
export function reviewedRun(db: Database, runId: string, reviews = reviewsIn(db, runId)): ReviewedRun | null {
  const row = db.get<ReviewedRow>(
    `SELECT r.case_id, c.title, r.question, r.mode, r.axis FROM runs r JOIN cases c USING (case_id)
     WHERE r.run_id = ?`,
    [runId],
  );
  const boxes = db.all<BoxRow>(
    'SELECT min_i, min_j, min_k, max_i, max_j, max_k FROM steps WHERE run_id = ? ORDER BY step',
    [runId],
  );
  return (
    row && {
      caseId: row.case_id,
      runId,
      title: row.title,
      question: row.question,
      mode: row.mode,
      axis: row.axis,
      steps: boxes.map((box) => ({
        min: [box.min_i, box.min_j, box.min_k],
        max: [box.max_i, box.max_j, box.max_k],
      })),
      reviews,
    }
  );
}
