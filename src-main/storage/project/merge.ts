/**
 * Takes the log of another project into this one (rule 4 of src-contract/project.ts): the union of both, whatever the
 * order in which files are merged and however often. Nothing of either is lost; what one reader's machine outran is
 * reported.
 */
import type { Conflict, LogBody, LogEntry, MergeReport } from '../../../src-contract/project.ts';
import { registerKey } from '../../../src-contract/review.ts';
import { factsOf, type RunFacts } from './facts.ts';
import { checkEntry, tampered } from './file/check-log.ts';
import type { Database } from './file/database.ts';
import type { Progress, Steps } from './file/steps.ts';
import { applyEntry, refreshSteps, Touched } from './log/apply.ts';
import { canonicalJson, entryOf, insertEntry, type LogRow, logColumns, nameOf } from './log/log.ts';
import { hasTrace, putTrace, readTrace, traceText } from './traces.ts';

/** Where the entries of a merge come from: another file, or an archive. */
export interface LogSource {
  /** Named in errors. */
  readonly name: string;
  readonly count: number;
  /** In the order in which they came into that project, checked one by one. */
  entries(): Iterable<LogEntry>;
  /** The text of a trace, its hash checked. */
  trace(sha256: string): string;
}

export const sourceOf = (db: Database): LogSource => ({
  name: db.file,
  count: db.get<{ n: number }>('SELECT count(*) AS n FROM log')?.n ?? 0,
  *entries() {
    for (const row of db.each<LogRow>(`SELECT ${logColumns} FROM log ORDER BY id`))
      yield checkEntry(row, db.file);
  },
  trace: (sha256) => traceText(db, sha256),
});

export interface Merged {
  readonly report: MergeReport;
  readonly touched: Touched;
  /** How far each replica of the source is known there. */
  readonly heads: Record<string, number>;
  /** Something came in that was no mere note of a merge. */
  readonly told: boolean;
}

/**
 * All of it or nothing, in one transaction.
 * @throws ReadroomError 'file-malformed' where both hold different entries of one number, and as the source does
 */
export function mergeLog(
  db: Database,
  source: LogSource,
  onProgress: Progress = () => undefined,
): Steps<Merged> {
  return db.transactionSteps(function* () {
    const touched = new Touched();
    const heads: Record<string, number> = {};
    const theirs = new Changes();
    const counts = { entries: 0, cases: 0, runs: 0, readers: 0 };
    const conflicts: Conflict[] = [];
    const facts = new Map<string, RunFacts>();
    const factsOfTrace = (sha256: string): RunFacts => facts.get(sha256) ?? factsOf(readTrace(db, sha256));
    let done = 0;
    let told = false;
    for (const entry of source.entries()) {
      yield;
      heads[entry.replica] = Math.max(heads[entry.replica] ?? 0, entry.seq);
      const here = db.get<{ hash: string }>('SELECT hash FROM log WHERE replica = ? AND seq = ?', [
        entry.replica,
        entry.seq,
      ]);
      onProgress(++done, source.count);
      if (here) {
        if (here.hash === entry.hash) continue;
        throw tampered(source.name, `two different entries go by the number ${nameOf(entry)}`);
      }
      const { body } = entry;
      if (body.type === 'run-added') {
        takeTrace(db, source, body.traceSha256);
        facts.clear();
        facts.set(body.traceSha256, factsOf(readTrace(db, body.traceSha256)));
        const clash = clashOf(db, body, entry);
        if (clash) conflicts.push(clash);
      }
      count(db, body, counts);
      insertEntry(db, entry);
      applyEntry(db, entry, touched, factsOfTrace);
      theirs.take(entry);
      counts.entries++;
      told ||= body.type !== 'merged';
    }
    conflicts.push(...conflictsWith(db, theirs, heads));
    yield* refreshSteps(db, touched);
    return { report: { ...counts, conflicts }, touched, heads, told };
  });
}

function takeTrace(db: Database, source: LogSource, sha256: string): void {
  if (hasTrace(db, sha256)) return;
  if (putTrace(db, source.trace(sha256)) !== sha256)
    throw tampered(source.name, `trace ${sha256} is another one`);
}

function count(db: Database, body: LogBody, counts: { cases: number; runs: number; readers: number }): void {
  const missing = (table: string, column: string, id: string): boolean =>
    db.get(`SELECT 1 FROM ${table} WHERE ${column} = ?`, [id]) === null;
  if (body.type === 'case-added' && missing('cases', 'case_id', body.case.caseId)) counts.cases++;
  if (body.type === 'run-added' && missing('runs', 'run_id', body.runId)) counts.runs++;
  if (body.type === 'reader-added' && missing('readers', 'reader_id', body.reader.readerId)) counts.readers++;
}

/** Two different traces under one run id: the one that was added first goes by it, the other stays in the file. */
function clashOf(db: Database, body: LogBody & { type: 'run-added' }, entry: LogEntry): Conflict | null {
  const here = db.get<{ trace_sha256: string; at: number; replica: string; seq: number }>(
    'SELECT trace_sha256, at, replica, seq FROM runs WHERE run_id = ?',
    [body.runId],
  );
  if (!here || here.trace_sha256 === body.traceSha256) return null;
  const [kept, outrun] = isBefore(here, entry)
    ? [here.trace_sha256, body.traceSha256]
    : [body.traceSha256, here.trace_sha256];
  return { register: `kind=run&runId=${encodeURIComponent(body.runId)}`, kept, outrun };
}

type Stamp = Pick<LogEntry, 'at' | 'replica' | 'seq'>;

function isBefore(a: Stamp, b: Stamp): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.replica !== b.replica) return a.replica < b.replica;
  return a.seq < b.seq;
}

interface Change {
  first: Stamp & { readonly before: string };
  last: Stamp & { readonly after: string };
}

/** Registers that a set of entries changed: what the first of them found, and what the last of them left. */
class Changes {
  readonly registers = new Map<string, Change>();

  take(entry: LogEntry): void {
    if (entry.body.type !== 'edited') return;
    const { at, replica, seq } = entry;
    for (const edit of entry.body.edits) {
      const first = { at, replica, seq, before: canonicalJson(edit.before) };
      const last = { at, replica, seq, after: canonicalJson(edit.after) };
      const key = registerKey(edit);
      const there = this.registers.get(key);
      if (!there) {
        this.registers.set(key, { first, last });
        continue;
      }
      if (isBefore(first, there.first)) there.first = first;
      if (!isBefore(last, there.last)) there.last = last;
    }
  }
}

/** Registers that both sides changed, from the same value to different ones, neither knowing of the other's change. */
function conflictsWith(db: Database, theirs: Changes, heads: Readonly<Record<string, number>>): Conflict[] {
  const ours = new Changes();
  if (theirs.registers.size > 0) {
    const replicas = db.all<{ replica: string; seq: number }>(
      'SELECT replica, max(seq) AS seq FROM log GROUP BY replica',
    );
    for (const { replica, seq } of replicas) {
      const known = heads[replica] ?? 0;
      if (seq <= known) continue;
      const rows = db.all<LogRow>(
        `SELECT ${logColumns} FROM log WHERE replica = ? AND seq > ? AND type = 'edited'`,
        [replica, known],
      );
      for (const row of rows) ours.take(entryOf(row));
    }
  }
  const conflicts: Conflict[] = [];
  for (const [register, theirChange] of theirs.registers) {
    const ourChange = ours.registers.get(register);
    if (!ourChange || ourChange.first.before !== theirChange.first.before) continue;
    const [a, b] = [ourChange.last, theirChange.last];
    if (a.after === b.after) continue;
    const [kept, outrun] = isBefore(a, b) ? [b.after, a.after] : [a.after, b.after];
    conflicts.push({ register, kept, outrun });
  }
  return conflicts.sort((a, b) => (a.register < b.register ? -1 : 1));
}

/** What a person is told of a merge that brought nothing, or something. */
export function describeMerge({ entries, cases, runs, readers, conflicts }: MergeReport): string {
  if (entries === 0) return 'Nothing new.';
  const parts = [
    [cases, 'case'],
    [runs, 'run'],
    [readers, 'reader'],
    [conflicts.length, 'conflict'],
  ] as const;
  const told = parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}${n === 1 ? '' : 's'}`);
  return `${entries} new entr${entries === 1 ? 'y' : 'ies'}${told.length > 0 ? `: ${told.join(', ')}` : ''}.`;
}
