/** The log of a project: hashes, numbers and clock of its entries (rules 1 to 3 of src-contract/project.ts). */
import { createHash } from 'node:crypto';
import type { LogBody, LogEntry } from '../../../../src-contract/project.ts';
import { registerKey } from '../../../../src-contract/review.ts';
import type { Database } from '../file/database.ts';
import { allAtOnce, type Steps } from '../file/steps.ts';
import { describeEdits } from './history.ts';

export const noHash = '0'.repeat(64);

/** JSON with the keys of every object in order: equal for equal values. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = value as Readonly<Record<string, unknown>>;
  const parts = Object.keys(fields)
    .filter((key) => fields[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(fields[key])}`);
  return `{${parts.join(',')}}`;
}

export const sha256Of = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex');

export const hashOf = ({ hash: _hash, ...entry }: LogEntry): string => sha256Of(canonicalJson(entry));

/** `replica:seq`, by which entries name each other. */
export const nameOf = ({ replica, seq }: Pick<LogEntry, 'replica' | 'seq'>): string => `${replica}:${seq}`;

export interface LogRow {
  readonly id: number;
  readonly replica: string;
  readonly seq: number;
  readonly at: number;
  readonly reader_id: string | null;
  readonly body: string;
  readonly previous_hash: string;
  readonly hash: string;
}
export const logColumns = 'id, replica, seq, at, reader_id, body, previous_hash, hash';

export const entryOf = (row: LogRow): LogEntry => ({
  replica: row.replica,
  seq: row.seq,
  at: row.at,
  readerId: row.reader_id,
  body: JSON.parse(row.body) as LogBody,
  previousHash: row.previous_hash,
  hash: row.hash,
});

/** The next entry of a replica, as it would be written now. */
export function nextEntry(
  db: Database,
  replica: string,
  readerId: string | null,
  body: LogBody,
  now = Date.now(),
): LogEntry {
  const own = db.get<{ seq: number; hash: string }>(
    'SELECT seq, hash FROM log WHERE replica = ? ORDER BY seq DESC LIMIT 1',
    [replica],
  );
  const newest = own ?? db.get<{ hash: string }>('SELECT hash FROM log ORDER BY id DESC LIMIT 1');
  const last = db.get<{ at: number | null }>('SELECT max(at) AS at FROM log')?.at ?? -1;
  const entry = {
    replica,
    seq: (own?.seq ?? 0) + 1,
    at: Math.max(now, last + 1),
    readerId,
    body,
    previousHash: newest?.hash ?? noHash,
  };
  return { ...entry, hash: sha256Of(canonicalJson(entry)) };
}

/** Writes an entry; the caller carries out what it says (apply.ts), in the same transaction. */
export function insertEntry(db: Database, entry: LogEntry): void {
  const { replica, seq, at, readerId, body, previousHash, hash } = entry;
  db.run(
    `INSERT INTO log (replica, seq, at, reader_id, type, body, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [replica, seq, at, readerId, body.type, canonicalJson(body), previousHash, hash],
  );
  noteEntry(db, db.get<{ id: number }>('SELECT id FROM log WHERE hash = ?', [hash])?.id ?? 0, body);
}

/** Fills what follows from an entry's body: what it speaks of, and what undo asks for. */
export function noteEntry(db: Database, id: number, body: LogBody): void {
  const edited = body.type === 'edited' ? body : null;
  db.run('UPDATE log SET type = ?, undoes = ?, redoes = ?, label = ? WHERE id = ?', [
    body.type,
    edited?.undoes ?? null,
    edited?.redoes ?? null,
    edited ? describeEdits(edited.edits) : null,
    id,
  ]);
  for (const subject of subjectsOf(body)) {
    db.run('INSERT INTO subjects (subject, log_id) VALUES (?, ?)', [subject, id]);
  }
}

export const caseSubject = (caseId: string): string => `case ${caseId}`;
export const runSubject = (runId: string): string => `run ${runId}`;

function subjectsOf(body: LogBody): Set<string> {
  switch (body.type) {
    case 'case-added':
      return new Set([caseSubject(body.case.caseId)]);
    case 'run-added':
      return new Set([caseSubject(body.caseId), runSubject(body.runId)]);
    case 'edited':
      return new Set(
        body.edits.flatMap((edit) => {
          if ('runId' in edit) return [runSubject(edit.runId)];
          return 'caseId' in edit ? [caseSubject(edit.caseId)] : [registerKey(edit)];
        }),
      );
    case 'project-created':
    case 'reader-added':
    case 'merged':
      return new Set();
  }
}

/**
 * Looks at every entry: its hash, its number, and the entry before it.
 * @param known hashes of entries outside of `entries` that a first entry may refer to
 * @returns what does not add up, naming the entry; null when all of it does
 */
export function* findBreak(
  entries: Iterable<LogEntry>,
  known: (hash: string) => boolean,
): Steps<string | null> {
  const heads = new Map<string, LogEntry>();
  for (const entry of entries) {
    yield;
    const where = `Entry ${nameOf(entry)}`;
    if (hashOf(entry) !== entry.hash) return `${where} was altered: its hash does not fit.`;
    const head = heads.get(entry.replica);
    if (entry.seq !== (head?.seq ?? 0) + 1) return `${where} is out of place: an entry before it is missing.`;
    if (head && entry.previousHash !== head.hash) return `${where} does not follow the entry before it.`;
    if (head && entry.at <= head.at) return `${where} is earlier than the entry before it.`;
    if (!head && entry.previousHash !== noHash && !known(entry.previousHash)) {
      return `${where} follows an entry that is missing.`;
    }
    heads.set(entry.replica, entry);
  }
  return null;
}

/** Checks the whole log of a file. */
export const findBreakIn = (db: Database): string | null => allAtOnce(findBreakInSteps(db));

export function* findBreakInSteps(db: Database): Steps<string | null> {
  const rows = db.each<LogRow>(`SELECT ${logColumns} FROM log ORDER BY replica, seq`);
  const entries = (function* () {
    for (const row of rows) yield entryOf(row);
  })();
  return yield* findBreak(entries, (hash) => db.get('SELECT 1 FROM log WHERE hash = ?', [hash]) !== null);
}
