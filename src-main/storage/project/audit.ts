/** Pages of the log: who changed what and when, as far as a blinded reader may know. */
import type { LogEntry, Reader } from '../../../src-contract/project.ts';
import type { Database, SqlValue } from './file/database.ts';
import { caseSubject, entryOf, findBreakIn, type LogRow, logColumns } from './log/log.ts';
import { blindingOf, seesAll } from './reviews.ts';

export interface LogPage {
  readonly total: number;
  /** Newest first. */
  readonly entries: LogEntry[];
  readonly hidden: number;
  readonly broken: string | null;
}

export function logPage(
  db: Database,
  reader: Reader,
  { caseId, offset, limit }: { caseId: string | null; offset: number; limit: number },
): LogPage {
  const ofCase =
    caseId === null
      ? { sql: '1', values: [] }
      : {
          sql: `l.id IN (SELECT log_id FROM subjects WHERE subject = ? OR subject IN
                  (SELECT 'run ' || run_id FROM runs WHERE case_id = ?))`,
          values: [caseSubject(caseId), caseId],
        };
  // Others' edits of runs that the reader has not finished.
  const veiled = seesAll(blindingOf(db), reader)
    ? { sql: '0', values: [] as SqlValue[] }
    : {
        // From the runs to their entries, once: subjects are found by what they name.
        sql: `l.type = 'edited' AND l.reader_id IS NOT ? AND l.id IN
                (SELECT s.log_id FROM runs r CROSS JOIN subjects s ON s.subject = 'run ' || r.run_id
                 WHERE NOT EXISTS (SELECT 1 FROM progress p
                   WHERE p.reader_id = ? AND p.run_id = r.run_id AND p.done = 1))`,
        values: [reader.readerId, reader.readerId],
      };
  const counts = db.get<{ total: number; hidden: number | null }>(
    `SELECT count(*) AS total, sum(${veiled.sql}) AS hidden FROM log l WHERE ${ofCase.sql}`,
    [...veiled.values, ...ofCase.values],
  );
  const hidden = counts?.hidden ?? 0;
  const rows = db.all<LogRow>(
    `SELECT ${logColumns} FROM log l WHERE ${ofCase.sql} AND NOT (${veiled.sql})
     ORDER BY at DESC, replica DESC, seq DESC LIMIT ? OFFSET ?`,
    [...ofCase.values, ...veiled.values, limit, offset],
  );
  return {
    total: (counts?.total ?? 0) - hidden,
    entries: rows.map(entryOf),
    hidden,
    broken: brokenIn(db),
  };
}

const looked = new WeakMap<Database, { readonly version: number; readonly broken: string | null }>();

/** The whole chain, once an opening: what is appended here follows on; what another program wrote is looked at again. */
function brokenIn(db: Database): string | null {
  const version = Number(db.pragma('data_version'));
  const before = looked.get(db);
  if (before?.version === version) return before.broken;
  const broken = findBreakIn(db);
  looked.set(db, { version, broken });
  return broken;
}
