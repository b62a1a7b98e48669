/** Undo and redo, read out of the log: which change of a reader is the next to be taken back, and in what words. */
import type { LogBody } from '../../../../src-contract/project.ts';
import { type Edit, invertEdits } from '../../../../src-contract/review.ts';
import type { Database } from '../file/database.ts';

/** A change in a few words, for the menu and the audit trail. */
export function describeEdits(edits: readonly Edit[]): string | null {
  const told = edits.filter((edit) => !isClock(edit));
  if (told.length === 0) return null;
  const words = [...new Set(told.map(describeEdit))];
  return words.length > 3 ? `${words.slice(0, 2).join(', ')} and ${words.length - 2} more` : words.join(', ');
}

/** Time that passed while reading: nothing that a person would take back. */
function isClock(edit: Edit): boolean {
  if (edit.kind !== 'reading') return false;
  const { before, after } = edit;
  const status = (reading: typeof before) => reading?.status ?? 'reading';
  return (
    after !== null &&
    status(before) === status(after) &&
    (before?.revealed ?? false) === (after?.revealed ?? false)
  );
}

function describeEdit(edit: Edit): string {
  const gone = edit.after === null;
  switch (edit.kind) {
    case 'case-title':
      return 'title of the case';
    case 'case-note':
      return 'note of the case';
    case 'case-removed':
      return gone ? 'bring back a case' : 'remove a case';
    case 'assignment':
      return gone ? 'take back an assignment' : 'assign a case';
    case 'blinding':
      return 'blinding';
    case 'verdict':
      return gone ? `clear step ${edit.step + 1}` : `${edit.after?.decision} step ${edit.step + 1}`;
    case 'box':
      return `box of step ${edit.step + 1}`;
    case 'added':
      return gone ? 'remove a box' : edit.before === null ? 'add a box' : 'change an added box';
    case 'sentence':
      return `words of part ${edit.part + 1}`;
    case 'answer':
      return 'answer';
    case 'comment':
      return 'comment';
    case 'reading':
      return edit.after?.status === 'done'
        ? 'finish reading'
        : edit.after?.revealed
          ? 'show the boxes'
          : 'go on reading';
  }
}

/** One change, as the log has it. */
export interface HistoryRow {
  readonly id: number;
  readonly at: number;
  readonly replica: string;
  readonly seq: number;
  readonly undoes: string | null;
  readonly redoes: string | null;
  readonly label: string;
}

const nameOf = ({ replica, seq }: HistoryRow): string => `${replica}:${seq}`;

/**
 * The changes of one reader that can be taken back, and those that can be made again. Read from the log once; later
 * entries are added as they come, so that asking costs the same after 10,000 changes as after one.
 */
export class History {
  readonly #db: Database;
  readonly #readerId: string;
  #undo: HistoryRow[] = [];
  #redo: HistoryRow[] = [];
  #lastId = 0;
  /** In the order of the log, of the newest that was read. */
  #last: HistoryRow | null = null;

  constructor(db: Database, readerId: string) {
    this.#db = db;
    this.#readerId = readerId;
  }

  /** The next change to be taken back, and the next to be made again. */
  next(): { undo: HistoryRow | null; redo: HistoryRow | null } {
    const newest = this.#db.get<{ id: number | null }>('SELECT max(id) AS id FROM log')?.id ?? 0;
    if (newest !== this.#lastId) {
      const rows = this.#rowsAfter(this.#lastId);
      // Others' files bring entries from before (rule 3): then all of it is read anew.
      const [first] = rows;
      if (first && this.#last && isBefore(first, this.#last)) {
        this.#undo = [];
        this.#redo = [];
        for (const row of this.#rowsAfter(0)) this.#take(row);
      } else for (const row of rows) this.#take(row);
      this.#lastId = newest;
    }
    return { undo: this.#undo.at(-1) ?? null, redo: this.#redo.at(-1) ?? null };
  }

  #rowsAfter(id: number): HistoryRow[] {
    return this.#db.all<HistoryRow>(
      `SELECT id, at, replica, seq, undoes, redoes, label FROM log
       WHERE id > ? AND reader_id = ? AND type = 'edited' AND label IS NOT NULL ORDER BY at, replica, seq`,
      [id, this.#readerId],
    );
  }

  #take(row: HistoryRow): void {
    this.#last = row;
    // A merge can bring in what another machine took back: then it is gone from the middle.
    const takenFrom = row.undoes ? this.#undo : this.#redo;
    const name = row.undoes ?? row.redoes;
    const place = name ? takenFrom.findLastIndex((one) => nameOf(one) === name) : -1;
    const taken = place >= 0 ? takenFrom.splice(place, 1)[0] : undefined;
    // What is made again goes by the words of the change, not by those of its inverse.
    if (row.undoes) this.#redo.push({ ...row, label: taken?.label ?? row.label });
    else this.#undo.push(row);
    if (!name) this.#redo = [];
  }
}

function isBefore(a: HistoryRow, b: HistoryRow): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.replica === b.replica ? a.seq < b.seq : a.replica < b.replica;
}

/** What takes a change back. The time spent reading stays spent: the clock of `reading` is left as `now` has it. */
export function inverseOf(db: Database, row: HistoryRow, now: (edit: Edit) => unknown): Edit[] {
  const found = db.get<{ body: string }>('SELECT body FROM log WHERE id = ?', [row.id]);
  const body = JSON.parse(found?.body ?? 'null') as LogBody | null;
  if (body?.type !== 'edited') return [];
  return invertEdits(body.edits.filter((edit) => !isClock(edit))).map((edit) => {
    if (edit.kind !== 'reading') return edit;
    const current = now(edit) as typeof edit.before;
    if (!current || current.status !== edit.before?.status) return edit;
    const { activeMs } = current;
    const after = edit.after ?? { status: 'reading' as const, activeMs, revealed: false };
    return { ...edit, before: current, after: { ...after, activeMs } };
  });
}
