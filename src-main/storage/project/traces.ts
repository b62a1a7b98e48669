/** Whole traces as they came in: immutable, named by the hash of their text, kept deflated. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { parseTrace, type Trace, traceLimits } from '../../../src-contract/trace.ts';
import type { Database } from './file/database.ts';
import { sha256Of } from './log/log.ts';

export function hasTrace(db: Database, sha256: string): boolean {
  return db.get('SELECT 1 FROM traces WHERE sha256 = ?', [sha256]) !== null;
}

/** @returns the hash by which it is found again */
export function putTrace(db: Database, text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const sha256 = sha256Of(bytes);
  if (!hasTrace(db, sha256)) {
    // Most of a trace is PNG in base64, which the fast levels shrink as well as the slow ones.
    const deflated = deflateRawSync(bytes, { level: constants.Z_BEST_SPEED });
    db.run('INSERT INTO traces (sha256, bytes, deflated) VALUES (?, ?, ?)', [sha256, bytes.length, deflated]);
  }
  return sha256;
}

/** Takes back a trace that no run came to need. */
export function dropTrace(db: Database, sha256: string): void {
  db.run('DELETE FROM traces WHERE sha256 = ? AND sha256 NOT IN (SELECT trace_sha256 FROM runs)', [sha256]);
}

/** @throws ReadroomError 'file-malformed' where it is missing, larger than it says, or not what its hash says */
export function traceText(db: Database, sha256: string): string {
  const row = db.get<{ bytes: number; deflated: Uint8Array }>(
    'SELECT bytes, deflated FROM traces WHERE sha256 = ?',
    [sha256],
  );
  const { file } = db;
  if (!row)
    throw new ReadroomError('file-malformed', `A trace is missing in ${file}.`, { file, detail: sha256 });
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(row.deflated, { maxOutputLength: Math.min(row.bytes, traceLimits.bytes) || 1 });
  } catch (thrown) {
    throw damaged(file, sha256, thrown instanceof Error ? thrown.message : String(thrown));
  }
  if (sha256Of(bytes) !== sha256) throw damaged(file, sha256, 'its hash does not fit');
  return Buffer.from(bytes).toString('utf8');
}

export const readTrace = (db: Database, sha256: string): Trace => parseTrace(traceText(db, sha256), db.file);

function damaged(file: string, sha256: string, detail: string): ReadroomError {
  return new ReadroomError('file-malformed', `A trace in ${file} is damaged.`, {
    file,
    detail: `${sha256}: ${detail}`,
    remedy: 'Merge a copy of the project that has it whole.',
  });
}
