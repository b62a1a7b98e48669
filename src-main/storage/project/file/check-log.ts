/** A log that comes from elsewhere: each entry against the schema, all of them against the chain, traces against both. */
import { ReadroomError } from '../../../../src-contract/errors.ts';
import { type LogEntry, logEntrySchema } from '../../../../src-contract/project.ts';
import { traceLimits } from '../../../../src-contract/trace.ts';
import { canonicalJson, entryOf, findBreakIn, type LogRow, logColumns, nameOf } from '../log/log.ts';
import { hasTrace } from '../traces.ts';
import type { Database } from './database.ts';

/** Entries of one file; a study of 10,000 cases read by ten readers has a tenth of it. */
const maxEntries = 20_000_000;
/** Of one entry's text: a case of 100,000 files, the most there can be, has half of it. */
const maxEntryBytes = 64 * 1024 ** 2;
/** Milliseconds since 1970: a clock beyond this (year 2200) would outrun every edit to come. */
export const maxTime = 7_258_118_400_000;

/** @throws ReadroomError 'file-malformed' with what is wrong */
export function checkLog(db: Database): void {
  const count = db.get<{ n: number }>('SELECT count(*) AS n FROM log')?.n ?? 0;
  if (count > maxEntries) throw tampered(db.file, `it has ${count} entries`);
  checkSizes(db);
  const known = { cases: new Set<string>(), runs: new Set<string>() };
  for (const row of db.each<LogRow>(`SELECT ${logColumns} FROM log ORDER BY at, replica, seq`)) {
    const entry = checkEntry(row, db.file);
    if (entry.body.type === 'case-added') known.cases.add(entry.body.case.caseId);
    if (entry.body.type !== 'run-added') continue;
    if (!known.cases.has(entry.body.caseId))
      throw tampered(db.file, `${nameOf(entry)} adds a run to no case`);
    known.runs.add(entry.body.traceSha256);
  }
  for (const sha256 of known.runs) {
    if (!hasTrace(db, sha256)) throw tampered(db.file, `trace ${sha256} is missing`);
  }
  const broken = findBreakIn(db);
  if (broken) throw tampered(db.file, broken);
}

/** SQLite tells lengths without reading what has them. */
function checkSizes(db: Database): void {
  const largest = (column: string, table: string): number =>
    db.get<{ n: number | null }>(`SELECT max(octet_length(${column})) AS n FROM ${table}`)?.n ?? 0;
  const entry = largest('body', 'log');
  if (entry > maxEntryBytes) throw tampered(db.file, `an entry takes ${entry} bytes`);
  const trace = largest('deflated', 'traces');
  if (trace > traceLimits.bytes) throw tampered(db.file, `a trace takes ${trace} bytes`);
}

/** One row of a foreign log. @throws ReadroomError 'file-malformed' */
export function checkEntry(row: LogRow, file: string): LogEntry {
  const name = `entry ${String(row.replica).slice(0, 100)}:${row.seq}`;
  let value: unknown;
  try {
    value = entryOf(row);
  } catch {
    throw tampered(file, `${name} is not JSON`);
  }
  const parsed = logEntrySchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw tampered(file, `${name}: ${issue.path.join('.')} ${issue.message}`);
  }
  // The text is what was hashed and what will be read again: it must say the same as what was checked.
  if (canonicalJson(parsed.data.body) !== row.body)
    throw tampered(file, `${name} is not in its canonical form`);
  if (parsed.data.at > maxTime) throw tampered(file, `${name} is dated beyond the year 2200`);
  return parsed.data;
}

export function tampered(file: string, detail: string): ReadroomError {
  return new ReadroomError('file-malformed', `The log of ${file} does not add up.`, {
    file,
    detail,
    remedy: 'It was damaged or changed by another program: get it again from where it came from.',
  });
}
