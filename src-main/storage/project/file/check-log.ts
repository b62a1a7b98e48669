/** A log that comes from elsewhere: each entry against the schema, all of them against the chain, traces against both. */
import { ReadroomError } from '../../../../src-contract/errors.ts';
import { type LogEntry, logEntrySchema } from '../../../../src-contract/project.ts';
import { traceLimits } from '../../../../src-contract/trace.ts';
import { canonicalJson, entryOf, findBreakInSteps, type LogRow, nameOf } from '../log/log.ts';
import { hasTrace } from '../traces.ts';
import type { Database } from './database.ts';
import { allAtOnce, type Progress, type Steps } from './steps.ts';

/** Entries of one file; a study of 10,000 cases read by ten readers has a tenth of it. */
const maxEntries = 20_000_000;
/** Of one entry's text: a case of 100,000 files, the most there can be, has half of it. */
const maxEntryBytes = 64 * 1024 ** 2;
/** Milliseconds since 1970: a clock beyond this (year 2200) would outrun every edit to come. */
export const maxTime = 7_258_118_400_000;

/** @throws ReadroomError 'file-malformed' with what is wrong */
export const checkLog = (db: Database): void => allAtOnce(checkLogSteps(db));

/** @param onProgress of entries read; the check of the chain after that is the shorter part and not counted */
export function* checkLogSteps(db: Database, onProgress: Progress = () => undefined): Steps<void> {
  const count = db.get<{ n: number }>('SELECT count(*) AS n FROM log')?.n ?? 0;
  if (count > maxEntries) throw tampered(db.file, `it has ${count} entries`);
  checkSizes(db);
  const known = { cases: new Set<string>(), runs: new Set<string>() };
  let done = 0;
  for (const raw of db.each<RawRow>(rawLog)) {
    yield;
    onProgress(done++, count);
    const entry = checkEntry(textOf(raw, db.file), db.file);
    if (entry.body.type === 'case-added') known.cases.add(entry.body.case.caseId);
    if (entry.body.type !== 'run-added') continue;
    if (!known.cases.has(entry.body.caseId))
      throw tampered(db.file, `${nameOf(entry)} adds a run to no case`);
    known.runs.add(entry.body.traceSha256);
  }
  for (const sha256 of known.runs) {
    yield;
    if (!hasTrace(db, sha256)) throw tampered(db.file, `trace ${sha256} is missing`);
  }
  const broken = yield* findBreakInSteps(db);
  if (broken) throw tampered(db.file, broken);
}

/**
 * The log's texts as bytes: the driver ends the process where a text is not UTF-8. Only what is read of a foreign file
 * later has to pass here; its other tables are emptied unread.
 */
const rawLog = `SELECT id, seq, at, CAST(replica AS BLOB) AS replica, CAST(reader_id AS BLOB) AS reader_id,
  CAST(body AS BLOB) AS body, CAST(previous_hash AS BLOB) AS previous_hash, CAST(hash AS BLOB) AS hash
  FROM log ORDER BY at, replica, seq`;

type RawRow = Pick<LogRow, 'id' | 'seq' | 'at'> &
  Readonly<Record<'replica' | 'body' | 'previous_hash' | 'hash', Uint8Array>> & {
    readonly reader_id: Uint8Array | null;
  };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf({ id, seq, at, ...texts }: RawRow, file: string): LogRow {
  try {
    return {
      id,
      seq,
      at,
      replica: utf8.decode(texts.replica),
      reader_id: texts.reader_id === null ? null : utf8.decode(texts.reader_id),
      body: utf8.decode(texts.body),
      previous_hash: utf8.decode(texts.previous_hash),
      hash: utf8.decode(texts.hash),
    };
  } catch {
    throw tampered(file, `row ${id} is no text in UTF-8`);
  }
}

/** SQLite tells lengths without reading what has them. */
function checkSizes(db: Database): void {
  const largest = (column: string, table: string): number =>
    db.get<{ n: number | null }>(`SELECT max(octet_length(${column})) AS n FROM ${table}`)?.n ?? 0;
  const entry = largest('body', 'log');
  if (entry > maxEntryBytes) throw tampered(db.file, `an entry takes ${entry} bytes`);
  const odd = db.get<{ n: number }>(
    `SELECT (SELECT count(*) FROM traces WHERE octet_length(sha256) <> 64 OR sha256 GLOB '*[^0-9a-f]*')
       + (SELECT count(*) FROM meta WHERE octet_length(value) > 200 OR value GLOB '*[^0-9a-z-]*'
            OR key GLOB '*[^a-z]*') AS n`,
  );
  if (odd?.n !== 0) throw tampered(db.file, 'it has names that Readroom does not give');
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
