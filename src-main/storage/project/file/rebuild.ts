/** Makes everything that follows from the log anew: after an upgrade, and for a file that may say anything. */

import { factsOf } from '../facts.ts';
import { applyEntry, refreshSteps, Touched } from '../log/apply.ts';
import { entryOf, type LogRow, logColumns, noteEntry } from '../log/log.ts';
import { readTrace } from '../traces.ts';
import type { Database } from './database.ts';
import type { Progress, Steps } from './steps.ts';

/** To be carried out in a transaction. */
export function* rebuild(db: Database, onProgress: Progress = () => undefined): Steps<void> {
  for (const table of [
    'progress',
    'steps',
    'runs',
    'case_bodies',
    'cases',
    'readers',
    'registers',
    'subjects',
  ]) {
    db.run(`DELETE FROM ${table}`);
  }
  const touched = new Touched();
  const rows = db.all<{ id: number }>('SELECT id FROM log ORDER BY id');
  for (const [index, { id }] of rows.entries()) {
    yield;
    onProgress(index, rows.length);
    const row = db.get<LogRow>(`SELECT ${logColumns} FROM log WHERE id = ?`, [id]);
    if (!row) continue;
    const entry = entryOf(row);
    noteEntry(db, id, entry.body);
    applyEntry(db, entry, touched, (sha256) => factsOf(readTrace(db, sha256)));
  }
  yield* refreshSteps(db, touched);
  onProgress(rows.length, rows.length);
}
