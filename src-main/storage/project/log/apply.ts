/**
 * Carries out log entries: keeps readers, cases, runs and registers as the log has them, whatever the order in which the
 * entries come (rule 3: the latest edit of a register holds, the earliest mention of a reader, case or run), and brings
 * the lists up to date.
 */
import type { LogEntry } from '../../../../src-contract/project.ts';
import { type Edit, registerKey } from '../../../../src-contract/review.ts';
import { disagreementsOf } from '../../../review/agreement/disagreements.ts';
import type { RunFacts } from '../facts.ts';
import type { Database } from '../file/database.ts';
import { allAtOnce, type Steps } from '../file/steps.ts';
import { readersOf, reviewedRun, reviewsIn } from '../reviews.ts';
import { canonicalJson } from './log.ts';

/** What entries touched, to be brought up to date with `refresh` in the same transaction. */
export class Touched {
  readonly runs = new Set<string>();
  readonly cases = new Set<string>();
}

const later = (table: string): string =>
  `(excluded.at, excluded.replica, excluded.seq) >= (${table}.at, ${table}.replica, ${table}.seq)`;
const earlier = (table: string): string =>
  `(excluded.at, excluded.replica, excluded.seq) < (${table}.at, ${table}.replica, ${table}.seq)`;

/**
 * @param factsOfTrace what the trace with this hash says, which must be in the file already
 */
export function applyEntry(
  db: Database,
  entry: LogEntry,
  touched: Touched,
  factsOfTrace: (sha256: string) => RunFacts,
): void {
  const { body, at, replica, seq } = entry;
  const stamp = [at, replica, seq];
  switch (body.type) {
    case 'reader-added': {
      const { readerId, name, role } = body.reader;
      db.run(
        `INSERT INTO readers (reader_id, name, role, at, replica, seq) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (reader_id) DO UPDATE SET name = excluded.name, role = excluded.role,
           at = excluded.at, replica = excluded.replica, seq = excluded.seq WHERE ${earlier('readers')}`,
        [readerId, name, role, ...stamp],
      );
      return;
    }
    case 'case-added': {
      const { caseId, title, series, synthetic } = body.case;
      db.run(
        `INSERT INTO cases (case_id, at, replica, seq, title, title_key, modality, synthetic, note, removed,
           runs, newest, search) VALUES (?, ?, ?, ?, ?, '', ?, ?, '', 0, 0, ?, '')
         ON CONFLICT (case_id) DO UPDATE SET modality = excluded.modality, synthetic = excluded.synthetic, at = excluded.at, replica = excluded.replica, seq = excluded.seq
         WHERE ${earlier('cases')}`,
        [caseId, ...stamp, title, series?.modality ?? 'OT', synthetic ? 1 : 0, at],
      );
      // Unless an earlier mention of the case is the one that holds.
      db.run(
        `INSERT OR REPLACE INTO case_bodies (case_id, body)
         SELECT case_id, ? FROM cases WHERE case_id = ? AND at = ? AND replica = ? AND seq = ?`,
        [canonicalJson(body.case), caseId, ...stamp],
      );
      touched.cases.add(caseId);
      return;
    }
    case 'run-added': {
      const { runId, caseId, traceSha256 } = body;
      const facts = factsOfTrace(traceSha256);
      db.run(
        `INSERT INTO runs (run_id, case_id, trace_sha256, at, replica, seq, created_at, mode, slice, preset, model,
           precision, question, options, answer, expected, steps, stop_reason, axis, finished, disagreement)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)
         ON CONFLICT (run_id) DO UPDATE SET case_id = excluded.case_id, trace_sha256 = excluded.trace_sha256,
           at = excluded.at, replica = excluded.replica, seq = excluded.seq, created_at = excluded.created_at,
           mode = excluded.mode, slice = excluded.slice, preset = excluded.preset, model = excluded.model,
           precision = excluded.precision, question = excluded.question, options = excluded.options,
           answer = excluded.answer, expected = excluded.expected, steps = excluded.steps,
           stop_reason = excluded.stop_reason, axis = excluded.axis WHERE ${earlier('runs')}`,
        [
          runId,
          caseId,
          traceSha256,
          ...stamp,
          facts.createdAt,
          facts.mode,
          facts.slice,
          facts.preset,
          facts.model,
          facts.precision,
          facts.question,
          canonicalJson(facts.options),
          facts.answer,
          facts.expected,
          facts.steps,
          facts.stopReason,
          facts.axis,
        ],
      );
      keepBoxes(db, runId, traceSha256, facts);
      touched.runs.add(runId);
      touched.cases.add(caseId);
      return;
    }
    case 'edited':
      for (const edit of body.edits) applyEdit(db, edit, stamp, touched);
      return;
    case 'project-created':
    case 'merged':
      return;
  }
}

/** Unless an earlier run of this id is the one that holds. */
function keepBoxes(db: Database, runId: string, sha256: string, { boxes }: RunFacts): void {
  if (!db.get('SELECT 1 FROM runs WHERE run_id = ? AND trace_sha256 = ?', [runId, sha256])) return;
  db.run('DELETE FROM steps WHERE run_id = ?', [runId]);
  for (const [step, { min, max }] of boxes.entries()) {
    db.run(
      'INSERT INTO steps (run_id, step, min_i, min_j, min_k, max_i, max_j, max_k) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      [runId, step, ...min, ...max],
    );
  }
}

function applyEdit(db: Database, edit: Edit, stamp: (string | number)[], touched: Touched): void {
  const caseId = 'caseId' in edit ? edit.caseId : null;
  const runId = 'runId' in edit ? edit.runId : null;
  db.run(
    `INSERT INTO registers (key, kind, case_id, run_id, reader_id, item, value, at, replica, seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at, replica = excluded.replica,
       seq = excluded.seq WHERE ${later('registers')}`,
    [
      registerKey(edit),
      edit.kind,
      caseId,
      runId,
      'readerId' in edit ? edit.readerId : null,
      itemOf(edit),
      edit.after === null ? null : canonicalJson(edit.after),
      ...stamp,
    ],
  );
  if (runId !== null) touched.runs.add(runId);
  if (caseId !== null) touched.cases.add(caseId);
}

function itemOf(edit: Edit): string | null {
  if ('step' in edit) return String(edit.step);
  if ('part' in edit) return String(edit.part);
  return 'boxId' in edit ? edit.boxId : null;
}

/** Brings what lists and filters read up to date. Runs and cases that are not there (yet) are passed over. */
export const refresh = (db: Database, touched: Touched): void => allAtOnce(refreshSteps(db, touched));

export function* refreshSteps(db: Database, { runs, cases }: Touched): Steps<void> {
  const ofRuns = new Set(cases);
  for (const runId of runs) {
    yield;
    const caseId = refreshRun(db, runId);
    if (caseId !== null) ofRuns.add(caseId);
  }
  for (const caseId of ofRuns) {
    yield;
    refreshCase(db, caseId);
  }
}

function refreshRun(db: Database, runId: string): string | null {
  const run = db.get<{ case_id: string; steps: number }>('SELECT case_id, steps FROM runs WHERE run_id = ?', [
    runId,
  ]);
  if (!run) return null;
  const reviews = reviewsIn(db, runId);
  db.run('DELETE FROM progress WHERE run_id = ?', [runId]);
  for (const review of reviews) {
    const decided = Object.keys(review.verdicts).filter((step) => Number(step) < run.steps).length;
    db.run('INSERT INTO progress (reader_id, run_id, case_id, decided, done) VALUES (?, ?, ?, ?, ?)', [
      review.readerId,
      runId,
      run.case_id,
      decided,
      review.reading?.status === 'done' ? 1 : 0,
    ]);
  }
  const finished = reviews.filter(({ reading }) => reading?.status === 'done').length;
  const reviewed = finished > 1 ? reviewedRun(db, runId, reviews) : null;
  db.run('UPDATE runs SET finished = ?, disagreement = ? WHERE run_id = ?', [
    finished,
    reviewed && disagreementsOf(reviewed, readersOf(db)).length > 0 ? 1 : 0,
    runId,
  ]);
  return run.case_id;
}

interface RegisterRow {
  readonly kind: string;
  readonly value: string;
}
interface CaseRunRow {
  readonly created_at: string;
  readonly question: string;
  readonly answer: string | null;
}

function refreshCase(db: Database, caseId: string): void {
  const found = db.get<{ title: string; at: number }>(
    "SELECT at, json_extract(body, '$.title') AS title FROM cases JOIN case_bodies USING (case_id) WHERE case_id = ?",
    [caseId],
  );
  if (!found) return;
  const registers = db.all<RegisterRow>(
    `SELECT kind, value FROM registers WHERE case_id = ? AND value IS NOT NULL
       AND kind IN ('case-title', 'case-note', 'case-removed')`,
    [caseId],
  );
  const register = (kind: string): unknown => {
    const value = registers.find((one) => one.kind === kind)?.value;
    return value === undefined ? null : JSON.parse(value);
  };
  const title = (register('case-title') as string | null) ?? found.title;
  const note = (register('case-note') as string | null) ?? '';
  const runs = db.all<CaseRunRow>(
    'SELECT created_at, question, answer FROM runs WHERE case_id = ? ORDER BY created_at, run_id',
    [caseId],
  );
  const last = runs.at(-1);
  const words = [title, note, ...new Set(runs.flatMap(({ question, answer }) => [question, answer ?? '']))];
  db.run(
    `UPDATE cases SET title = ?, title_key = ?, note = ?, removed = ?, runs = ?, newest = ?, last_run_at = ?,
       last_question = ?, last_answer = ?, search = ? WHERE case_id = ?`,
    [
      title,
      searchable(title),
      note,
      register('case-removed') === true ? 1 : 0,
      runs.length,
      last ? Date.parse(last.created_at) : found.at,
      last?.created_at ?? null,
      last?.question ?? null,
      last?.answer ?? null,
      searchable(words.join('\n')),
      caseId,
    ],
  );
}

/** As it is compared in searches: without case and without accents. */
export const searchable = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
