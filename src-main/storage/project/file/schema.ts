/** The tables of a project file, version by version, and the check that a file holds these and nothing else. */
import { ReadroomError } from '../../../../src-contract/errors.ts';
import { projectVersion } from '../../../../src-contract/project.ts';
import { Database } from './database.ts';

/** 'Rdrm' in SQLite's header: says whose file it is. */
export const applicationId = 0x5264726d;

const version1 = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE log (
  id INTEGER PRIMARY KEY,
  replica TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  reader_id TEXT,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  undoes TEXT,
  redoes TEXT,
  label TEXT,
  UNIQUE (replica, seq)
) STRICT;
CREATE INDEX log_order ON log (at, replica, seq);
CREATE INDEX log_of_reader ON log (reader_id, at, replica, seq);
CREATE TABLE subjects (
  subject TEXT NOT NULL,
  log_id INTEGER NOT NULL REFERENCES log (id),
  PRIMARY KEY (subject, log_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE registers (
  key TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  case_id TEXT,
  run_id TEXT,
  reader_id TEXT,
  item TEXT,
  value TEXT,
  at INTEGER NOT NULL,
  replica TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX registers_of_run ON registers (run_id, reader_id);
CREATE INDEX registers_of_case ON registers (case_id, kind);
CREATE TABLE readers (
  reader_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  at INTEGER NOT NULL,
  replica TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE cases (
  case_id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  replica TEXT NOT NULL,
  seq INTEGER NOT NULL,
  title TEXT NOT NULL,
  title_key TEXT NOT NULL,
  modality TEXT NOT NULL,
  synthetic INTEGER NOT NULL,
  note TEXT NOT NULL,
  removed INTEGER NOT NULL,
  runs INTEGER NOT NULL,
  newest INTEGER NOT NULL,
  last_run_at TEXT,
  last_question TEXT,
  last_answer TEXT,
  search TEXT NOT NULL
) STRICT;
CREATE INDEX cases_by_age ON cases (removed, newest, case_id);
CREATE INDEX cases_by_title ON cases (removed, title_key, case_id);
CREATE TABLE traces (
  sha256 TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  deflated BLOB NOT NULL
) STRICT;
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL REFERENCES cases (case_id),
  trace_sha256 TEXT NOT NULL REFERENCES traces (sha256),
  at INTEGER NOT NULL,
  replica TEXT NOT NULL,
  seq INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  mode TEXT NOT NULL,
  slice INTEGER,
  preset TEXT NOT NULL,
  model TEXT NOT NULL,
  precision TEXT NOT NULL,
  question TEXT NOT NULL,
  options TEXT NOT NULL,
  answer TEXT,
  expected TEXT,
  steps INTEGER NOT NULL,
  stop_reason TEXT,
  finished INTEGER NOT NULL,
  disagreement INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_of_case ON runs (case_id, created_at, run_id);
CREATE INDEX runs_by_answer ON runs (answer, case_id);
CREATE TABLE progress (
  reader_id TEXT NOT NULL,
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  case_id TEXT NOT NULL,
  decided INTEGER NOT NULL,
  done INTEGER NOT NULL,
  PRIMARY KEY (reader_id, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX progress_of_run ON progress (run_id, reader_id);
CREATE INDEX progress_of_case ON progress (reader_id, done, case_id);
CREATE TABLE places (
  sha256 TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  member TEXT
) STRICT, WITHOUT ROWID;
`;

/** The model's boxes, so that readers can be compared without opening traces. */
const version2 = `
ALTER TABLE runs ADD COLUMN axis INTEGER NOT NULL DEFAULT 2;
CREATE TABLE steps (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  step INTEGER NOT NULL,
  min_i REAL NOT NULL,
  min_j REAL NOT NULL,
  min_k REAL NOT NULL,
  max_i REAL NOT NULL,
  max_j REAL NOT NULL,
  max_k REAL NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_finished ON runs (finished) WHERE finished > 0;
`;

/** Files that stand for a source without being the same to the byte: images that came without identifiers. */
const version3 = `
ALTER TABLE places ADD COLUMN bytes INTEGER;
ALTER TABLE places ADD COLUMN actual_sha256 TEXT;
`;

/** Lists of 10,000 cases: what a case holds (a thousand files with their hashes) lies apart from what lists read. */
const version4 = `
ALTER TABLE cases DROP COLUMN body;
CREATE TABLE case_bodies (
  case_id TEXT PRIMARY KEY REFERENCES cases (case_id),
  body TEXT NOT NULL
) STRICT;
CREATE INDEX cases_by_modality ON cases (modality);
CREATE INDEX log_created ON log (at, replica, seq) WHERE type = 'project-created';
CREATE INDEX runs_disagreeing ON runs (case_id) WHERE disagreement = 1;
CREATE INDEX runs_read_twice ON runs (case_id) WHERE finished > 1;
`;

/** What makes version n out of version n - 1; the first makes an empty file. What follows from the log is rebuilt after. */
export const migrations: readonly string[] = [version1, version2, version3, version4];

if (migrations.length !== projectVersion) throw new Error('Each version of a project needs its migration.');

/** In hexadecimal: the driver ends the process where a text is not UTF-8, and this is read before anything is known. */
const schemaOf = (db: Database): unknown[] =>
  db
    .all<Record<'type' | 'name' | 'sql', string>>(
      'SELECT hex(type) AS type, hex(name) AS name, hex(sql) AS sql FROM sqlite_master ORDER BY type, name',
    )
    .map(({ type, name, sql }) => [type, name, sql]);

const expected = new Map<number, string>();
function expectedSchema(version: number): string {
  let text = expected.get(version);
  if (text === undefined) {
    const db = new Database(':memory:');
    try {
      for (const migration of migrations.slice(0, version)) db.exec(migration);
      text = JSON.stringify(schemaOf(db));
    } finally {
      db.close();
    }
    expected.set(version, text);
  }
  return text;
}

/**
 * Version of a file that is a project; 0 for an empty file.
 * @throws ReadroomError 'file-malformed' where the file is something else, or holds tables, views or triggers that no
 * version of Readroom made; 'format-unsupported' where a newer Readroom made it
 */
export function checkSchema(db: Database): number {
  const { file } = db;
  const [owner, version] = [db.pragma('application_id'), Number(db.pragma('user_version'))];
  if (owner === 0 && version === 0 && schemaOf(db).length === 0) return 0;
  if (owner !== applicationId) {
    throw new ReadroomError('file-malformed', `${file} is a database, but not a Readroom project.`, {
      file,
      remedy: 'Choose a file that Readroom made (its name ends in .readroom).',
    });
  }
  if (version > projectVersion) {
    throw new ReadroomError(
      'format-unsupported',
      `${file} was made by a newer Readroom (project version ${version}; this one reads up to ${projectVersion}).`,
      { file, remedy: 'Install the newer version of Readroom.' },
    );
  }
  if (version < 1 || JSON.stringify(schemaOf(db)) !== expectedSchema(version)) {
    throw new ReadroomError('file-malformed', `${file} does not hold the tables of a Readroom project.`, {
      file,
      detail: `schema of version ${version} expected`,
      remedy: 'It may have been changed by another program: get it again from where it came from.',
    });
  }
  return version;
}
