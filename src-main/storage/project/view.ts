/** What the window shows of a project as a whole. Asked for after every change, so it costs a millisecond. */
import { basename } from 'node:path';
import type { LogBody, ProjectView, Reader } from '../../../src-contract/project.ts';
import type { Database } from './file/database.ts';
import { blindingOf, readersOf } from './reviews.ts';

export interface Facts {
  /** SQLite's data_version: another one when another program has written. */
  readonly version: number;
  /** The replica that created the project: its name on every machine. */
  readonly projectId: string;
  readonly title: string;
  readonly modalities: string[];
}

/** What few changes touch and every view tells; read anew when someone has written such a change. */
export class ProjectFacts {
  readonly #db: Database;
  #known: Facts | null = null;

  constructor(db: Database) {
    this.#db = db;
  }

  forget(): void {
    this.#known = null;
  }

  read(): Facts {
    const version = Number(this.#db.pragma('data_version'));
    if (this.#known?.version !== version) this.#known = readFacts(this.#db, version);
    return this.#known;
  }
}

function readFacts(db: Database, version: number): Facts {
  // The entry of its own creation; the first of another's where its own came to it by a merge into a new file.
  const created = db.get<{ replica: string; body: string }>(
    `SELECT replica, body FROM log WHERE type = 'project-created'
     ORDER BY replica = (SELECT value FROM meta WHERE key = 'origin') DESC, at, replica, seq LIMIT 1`,
  );
  const body = created && (JSON.parse(created.body) as LogBody);
  return {
    version,
    projectId: created?.replica ?? 'unknown',
    title: body?.type === 'project-created' ? body.title : basename(db.file),
    modalities: db
      .all<{ modality: string }>('SELECT DISTINCT modality FROM cases ORDER BY modality')
      .map(({ modality }) => modality),
  };
}

export function viewOf(
  db: Database,
  { projectId, title, modalities }: Facts,
  [reader, opener]: readonly [reader: Reader, opener: Reader],
  undo: ProjectView['undo'],
  library: boolean,
): ProjectView {
  const { readerId } = reader;
  const readers = readersOf(db);
  for (const one of [opener, reader]) {
    if (!readers.some((known) => known.readerId === one.readerId)) readers.push(one);
  }
  // Few cases are removed: what is in them is taken off the whole, which the indices count without reading a row.
  const counts = db.get<{ cases: number; runs: number; done: number }>(
    `SELECT (SELECT count(*) FROM cases WHERE removed = 0) AS cases,
       (SELECT count(*) FROM runs)
         - (SELECT count(*) FROM cases c JOIN runs r USING (case_id) WHERE c.removed = 1) AS runs,
       (SELECT count(*) FROM progress WHERE reader_id = ? AND done = 1)
         - (SELECT count(*) FROM cases c CROSS JOIN progress p
              WHERE c.removed = 1 AND p.case_id = c.case_id AND p.reader_id = ? AND p.done = 1) AS done`,
    [readerId, readerId],
  );
  return {
    projectId,
    title,
    fileName: library ? null : basename(db.file),
    readers,
    readerId,
    blinding: blindingOf(db),
    counts: { cases: counts?.cases ?? 0, runs: counts?.runs ?? 0, done: counts?.done ?? 0 },
    modalities,
    undo,
  };
}
