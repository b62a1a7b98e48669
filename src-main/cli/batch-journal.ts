/**
 * Makes a batch resumable: every finished record is one line of `OUTPUT.partial`, flushed as it is made; the output
 * itself is written whole, under a temporary name, and then renamed. A rerun with the same input and options continues
 * where the journal ends; records that failed are tried again.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ReadroomError } from '../../src-contract/errors.ts';

const headSchema = z.object({ journal: z.literal('readroom-batch-1'), fingerprint: z.string() });
const lineSchema = z.object({
  index: z.number().int().nonnegative(),
  output: z.record(z.string(), z.unknown()),
});

/** In a journal whose output was written: it stands in nobody's way. */
const finishedLine = JSON.stringify({ finished: true });

export type BatchOutput = Record<string, unknown>;

export class BatchJournal {
  readonly path: string;
  readonly done: Map<number, BatchOutput>;
  readonly #output: string;
  readonly #file: number;

  private constructor(output: string, path: string, file: number, done: Map<number, BatchOutput>) {
    this.#output = output;
    this.path = path;
    this.#file = file;
    this.done = done;
  }

  /**
   * Opens or continues the journal beside `output`. `identity` is everything that makes two batches the same (input
   * bytes, model, options): a journal of another identity is refused rather than mixed in.
   */
  static open(output: string, identity: unknown): BatchJournal {
    const fingerprint = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
    const path = `${output}.partial`;
    mkdirSync(dirname(path), { recursive: true });
    const done = new Map<number, BatchOutput>();
    if (!existsSync(path) || isFinishedOther(path, fingerprint)) {
      rmSync(path, { force: true });
      const file = openSync(path, 'a');
      writeSync(file, `${JSON.stringify({ journal: 'readroom-batch-1', fingerprint })}\n`);
      return new BatchJournal(output, path, file, done);
    }
    const text = readFileSync(path, 'utf8');
    // A killed process can leave half a line at the end: it is cut off and that record is done again.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const lines = whole.split('\n').filter((line) => line !== '');
    const head = headSchema.safeParse(parseLine(lines[0] ?? ''));
    if (!head.success || head.data.fingerprint !== fingerprint) {
      throw new ReadroomError(
        'input-invalid',
        `${path} belongs to another batch (other input, model or options).`,
        {
          file: path,
          remedy:
            'Run it with the options it was begun with to continue it, or delete that file to begin again.',
        },
      );
    }
    for (const line of lines.slice(1)) {
      const entry = lineSchema.safeParse(parseLine(line));
      if (entry.success) done.set(entry.data.index, entry.data.output);
    }
    for (const [index, record] of done) if (record.error) done.delete(index);
    const file = openSync(path, 'r+');
    const bytes = Buffer.byteLength(whole);
    ftruncateSync(file, bytes);
    closeSync(file);
    return new BatchJournal(output, path, openSync(path, 'a'), done);
  }

  add(index: number, output: BatchOutput): void {
    this.done.set(index, output);
    writeSync(this.#file, `${JSON.stringify({ index, output })}\n`);
    fsyncSync(this.#file);
  }

  /** How many of the records failed. */
  get failed(): number {
    return [...this.done.values()].filter((output) => output.error).length;
  }

  /** Writes the final file. The journal goes, unless records failed: then the same command tries those again. */
  finish(text: string): void {
    const temporary = `${this.#output}.${process.pid}.tmp`;
    const file = openSync(temporary, 'w');
    writeSync(file, text);
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, this.#output);
    this.close();
    if (this.failed === 0) rmSync(this.path, { force: true });
    else appendFileSync(this.path, `${finishedLine}\n`);
  }

  close(): void {
    try {
      closeSync(this.#file);
    } catch {
      // Closed already by finish().
    }
  }
}

/** The journal of a batch that is over, failed records and all, and was another one. */
function isFinishedOther(path: string, fingerprint: string): boolean {
  const lines = readFileSync(path, 'utf8').split('\n');
  const head = headSchema.safeParse(parseLine(lines[0] ?? ''));
  return head.success && head.data.fingerprint !== fingerprint && lines.at(-2) === finishedLine;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
