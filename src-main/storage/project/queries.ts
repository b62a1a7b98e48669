/** Lists of cases and runs: filter, order and pages, in SQL over what apply.ts keeps up to date. */
import type { CaseFilter, CaseRow, CaseSort, Reader, RunRow } from '../../../src-contract/project.ts';
import { modelIsHidden } from '../../../src-contract/review.ts';
import type { Database, SqlValue } from './file/database.ts';
import { searchable } from './log/apply.ts';
import { isModelHidden } from './model-veil.ts';
import { blindingOf, seesAll } from './reviews.ts';

interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Runs whose others' reviews the reader may see: all of them, or those that the reader has finished. */
function visible(db: Database, reader: Reader): Condition {
  if (seesAll(blindingOf(db), reader)) return { sql: '1', values: [] };
  return {
    sql: `EXISTS (SELECT 1 FROM progress p WHERE p.reader_id = ? AND p.run_id = r.run_id AND p.done = 1)`,
    values: [reader.readerId],
  };
}

const doneOfCase =
  '(SELECT count(*) FROM progress p WHERE p.reader_id = ? AND p.done = 1 AND p.case_id = c.case_id)';

/**
 * A word of the title, the note or a question, for readers from whom answers are hidden: `search` holds those too. Notes
 * and questions are compared without case in ASCII letters only, which is what SQL's lower() does.
 */
const askedWith = (word: string): Condition => ({
  sql: `instr(c.title_key, ?) > 0 OR instr(lower(c.note), ?) > 0
          OR EXISTS (SELECT 1 FROM runs r WHERE r.case_id = c.case_id AND instr(lower(r.question), ?) > 0)`,
  values: [word, word, word],
});

function conditionOf(db: Database, filter: CaseFilter, reader: Reader): Condition {
  const parts: Condition[] = [{ sql: 'c.removed = ?', values: [filter.removed ? 1 : 0] }];
  // A filter must not tell what the list hides.
  const hides = modelIsHidden(blindingOf(db), reader, null);
  for (const word of searchable(filter.text).split(/\s+/).filter(Boolean)) {
    parts.push(hides ? askedWith(word) : { sql: 'instr(c.search, ?) > 0', values: [word] });
  }
  if (filter.modalities.length > 0) {
    const marks = filter.modalities.map(() => '?').join(', ');
    parts.push({ sql: `c.modality IN (${marks})`, values: filter.modalities });
  }
  if (filter.answer !== null) {
    const finished = hides
      ? `AND EXISTS (SELECT 1 FROM progress p WHERE p.reader_id = ? AND p.run_id = r.run_id AND p.done = 1)`
      : '';
    parts.push({
      sql: `c.case_id IN (SELECT r.case_id FROM runs r WHERE r.answer = ? ${finished})`,
      values: hides ? [filter.answer, reader.readerId] : [filter.answer],
    });
  }
  if (filter.assignedTo !== null) {
    parts.push({
      sql: `EXISTS (SELECT 1 FROM registers a WHERE a.case_id = c.case_id AND a.kind = 'assignment'
              AND a.reader_id = ? AND a.value IS NOT NULL)`,
      values: [filter.assignedTo],
    });
  }
  if (filter.reviewed !== 'any') {
    const compare = filter.reviewed === 'done' ? '=' : '<';
    parts.push({ sql: `c.runs > 0 AND ${doneOfCase} ${compare} c.runs`, values: [reader.readerId] });
  }
  if (filter.disagreement) {
    const may = visible(db, reader);
    parts.push({
      sql: `EXISTS (SELECT 1 FROM runs r WHERE r.case_id = c.case_id AND r.disagreement = 1 AND ${may.sql})`,
      values: may.values,
    });
  }
  return {
    sql: parts.map(({ sql }) => `(${sql})`).join(' AND '),
    values: parts.flatMap(({ values }) => values),
  };
}

/** Ascending in every case, so that places in the list can be compared as rows. */
const sortKeys: Readonly<Record<CaseSort, string>> = {
  newest: '-c.newest',
  oldest: 'c.newest',
  title: 'c.title_key',
};
const orders: Readonly<Record<CaseSort, string>> = {
  newest: 'c.newest DESC, c.case_id',
  oldest: 'c.newest, c.case_id',
  title: 'c.title_key, c.case_id',
};

interface CaseListRow {
  readonly case_id: string;
  readonly title: string;
  readonly modality: string;
  readonly synthetic: number;
  readonly note: string;
  readonly removed: number;
  readonly runs: number;
  readonly done: number;
  readonly disagrees: number;
  readonly unknown: number;
  readonly assigned: string;
  readonly last_run_at: string | null;
  readonly last_question: string | null;
  readonly last_answer: string | null;
}

export function listCases(
  db: Database,
  reader: Reader,
  { filter, sort, offset, limit }: { filter: CaseFilter; sort: CaseSort; offset: number; limit: number },
): { total: number; rows: CaseRow[] } {
  const where = conditionOf(db, filter, reader);
  const total =
    db.get<{ n: number }>(`SELECT count(*) AS n FROM cases c WHERE ${where.sql}`, where.values)?.n ?? 0;
  const may = visible(db, reader);
  const rows = db.all<CaseListRow>(
    `SELECT c.case_id, c.title, c.modality, c.synthetic, c.note, c.removed, c.runs, c.last_run_at, c.last_question,
       c.last_answer, ${doneOfCase} AS done,
       EXISTS (SELECT 1 FROM runs r WHERE r.case_id = c.case_id AND r.disagreement = 1 AND ${may.sql}) AS disagrees,
       EXISTS (SELECT 1 FROM runs r WHERE r.case_id = c.case_id AND r.finished > 1 AND NOT ${may.sql}) AS unknown,
       (SELECT json_group_array(a.reader_id) FROM registers a WHERE a.case_id = c.case_id
          AND a.kind = 'assignment' AND a.value IS NOT NULL) AS assigned
     FROM cases c WHERE ${where.sql} ORDER BY ${orders[sort]} LIMIT ? OFFSET ?`,
    [reader.readerId, ...may.values, ...may.values, ...where.values, limit, offset],
  );
  // Not asked run by run: the list is of thousands of cases.
  const hides = modelIsHidden(blindingOf(db), reader, null);
  return {
    total,
    rows: rows.map((row) => ({
      caseId: row.case_id,
      title: row.title,
      modality: row.modality,
      synthetic: row.synthetic === 1,
      note: row.note,
      removed: row.removed === 1,
      assigned: JSON.parse(row.assigned) as string[],
      runs: row.runs,
      done: row.done,
      disagreement: row.disagrees ? true : row.unknown ? null : false,
      lastQuestion: row.last_question,
      lastAnswer: hides && row.done < row.runs ? null : row.last_answer,
      lastRunAt: row.last_run_at,
    })),
  };
}

interface RunListRow {
  readonly run_id: string;
  readonly case_id: string;
  readonly created_at: string;
  readonly mode: RunRow['mode'];
  readonly slice: number | null;
  readonly preset: RunRow['preset'];
  readonly model: string;
  readonly precision: string;
  readonly question: string;
  readonly options: string;
  readonly answer: string | null;
  readonly expected: RunRow['expected'];
  readonly steps: number;
  readonly stop_reason: RunRow['stopReason'];
  readonly finished: number;
  readonly disagreement: number;
  readonly may: number;
  readonly decided: number | null;
  readonly finished_by: string;
}

/** Runs of a case, the oldest first. */
export function listRuns(db: Database, reader: Reader, caseId: string): RunRow[] {
  const may = visible(db, reader);
  const rows = db.all<RunListRow>(
    `SELECT r.run_id, r.case_id, r.created_at, r.mode, r.slice, r.preset, r.model, r.precision, r.question, r.options,
       r.answer, r.expected, r.steps, r.stop_reason, r.finished, r.disagreement, ${may.sql} AS may,
       (SELECT o.decided FROM progress o WHERE o.reader_id = ? AND o.run_id = r.run_id) AS decided,
       (SELECT json_group_array(f.reader_id) FROM progress f WHERE f.run_id = r.run_id AND f.done = 1) AS finished_by
     FROM runs r WHERE r.case_id = ? ORDER BY r.created_at, r.run_id`,
    [...may.values, reader.readerId, caseId],
  );
  return rows.map((row) => {
    const finishedBy = JSON.parse(row.finished_by) as string[];
    const open = row.may === 1;
    const veiled = isModelHidden(db, row.run_id, reader);
    return {
      runId: row.run_id,
      caseId: row.case_id,
      createdAt: row.created_at,
      mode: row.mode,
      slice: row.slice,
      preset: row.preset,
      model: row.model,
      precision: row.precision,
      question: row.question,
      options: JSON.parse(row.options) as RunRow['options'],
      answer: veiled ? null : row.answer,
      expected: veiled ? null : row.expected,
      steps: row.steps,
      stopReason: row.stop_reason,
      finishedBy: open ? finishedBy : finishedBy.filter((one) => one === reader.readerId),
      finishedCount: row.finished,
      decided: row.decided ?? 0,
      disagreement: open ? row.disagreement === 1 : row.finished > 1 ? null : false,
    };
  });
}

/** The next run that the reader has not finished, after `after` in the order of the list, and then from the top. */
export function nextRun(
  db: Database,
  reader: Reader,
  { after, filter, sort }: { after: string | null; filter: CaseFilter; sort: CaseSort },
): { runId: string; caseId: string } | null {
  const where = conditionOf(db, filter, reader);
  const place = `(${sortKeys[sort]}, c.case_id, r.created_at, r.run_id)`;
  const at = after === null ? null : placeOf(db, sort, after);
  const find = (condition: string, values: readonly SqlValue[]) =>
    db.get<{ run_id: string; case_id: string }>(
      `SELECT r.run_id, r.case_id FROM cases c JOIN runs r ON r.case_id = c.case_id
       WHERE ${where.sql} AND ${condition} AND NOT EXISTS
         (SELECT 1 FROM progress d WHERE d.reader_id = ? AND d.run_id = r.run_id AND d.done = 1)
       ORDER BY ${orders[sort]}, r.created_at, r.run_id LIMIT 1`,
      [...where.values, ...values, reader.readerId],
    );
  const found = at
    ? (find(`${place} > (?, ?, ?, ?)`, at) ?? find(`${place} < (?, ?, ?, ?)`, at))
    : find('1', []);
  return found && { runId: found.run_id, caseId: found.case_id };
}

function placeOf(db: Database, sort: CaseSort, runId: string): SqlValue[] | null {
  const row = db.get<{ key: SqlValue; case_id: string; created_at: string; run_id: string }>(
    `SELECT ${sortKeys[sort]} AS key, c.case_id, r.created_at, r.run_id
     FROM runs r JOIN cases c ON c.case_id = r.case_id WHERE r.run_id = ?`,
    [runId],
  );
  return row && [row.key, row.case_id, row.created_at, row.run_id];
}

/** Ids of runs in the cases of a filter, as far as the reader may know others' reviews of them; in the list's order. */
export function runsWhere(db: Database, reader: Reader, filter: CaseFilter, condition: string): string[] {
  const where = conditionOf(db, filter, reader);
  const may = visible(db, reader);
  const rows = db.all<{ run_id: string }>(
    `SELECT r.run_id FROM cases c JOIN runs r ON r.case_id = c.case_id
     WHERE ${where.sql} AND ${condition} AND ${may.sql} ORDER BY ${orders.newest}, r.created_at, r.run_id`,
    [...where.values, ...may.values],
  );
  return rows.map(({ run_id }) => run_id);
}
