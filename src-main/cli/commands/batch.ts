/** `2d-batch` and `3d-batch`: the reference's tables in, the reference's files out; resumable. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import {
  type OptionLetter,
  type Options,
  optionLetters,
  type RunEvent,
} from '../../../src-contract/run-events.ts';
import { extractAnswerChoice } from '../../engine/grounding/answers.ts';
import { prepareReferenceImage, prepareReferenceVolume } from '../../runs/prepare-reference.ts';
import type { PreparedInput } from '../../runs/prepared-input.ts';
import { runQuestion } from '../../runs/question-run.ts';
import { BatchJournal, type BatchOutput } from '../batch-journal.ts';
import { type EngineSession, interruptSignal, withEngine } from '../engine-session.ts';
import type { GenerationOptions, ModelOptions } from '../options.ts';
import { pythonJsonIndented, pythonJsonLine } from '../python-json.ts';
import { runSettings } from '../run-settings.ts';
import { isTerminal, note, progress } from '../terminal.ts';
import type { VolumeOptions } from './single.ts';

export interface BatchOptions extends ModelOptions, GenerationOptions {
  output: string;
  maxSamples?: number;
  /** Folder for one trace a record. */
  traces?: string;
  events: boolean;
}

interface Row {
  /** The record as it stands in the table: all of it goes into the output. */
  readonly record: Record<string, unknown>;
  readonly question: string;
  readonly options: Options;
  /** The right answer, where the table has one: kept in the trace. */
  readonly expected?: OptionLetter;
  readonly path: string;
}

const letterOf = (answer: unknown): OptionLetter | undefined =>
  optionLetters.find((letter) => letter === String(answer ?? '').trim());

const json2dSchema = z.looseObject({
  question: z.string(),
  image_path: z.string(),
  option_A: z.string().nullish(),
  option_B: z.string().nullish(),
  option_C: z.string().nullish(),
  option_D: z.string().nullish(),
});

const underRoot = (path: string, root: string | undefined) =>
  isAbsolute(path) || !root ? path : join(root, path);

function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (thrown) {
    const missing = (thrown as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'there is no such table' : 'the table can not be read';
    throw new ReadroomError(missing ? 'file-not-found' : 'file-unreadable', `${path}: ${what}.`, {
      file: path,
      detail: missing ? undefined : toReadroomError(thrown).message,
      remedy: 'Check the path of the table.',
    });
  }
}

/** A JSON list, `{data: [...]}`, one object, or JSONL by its ending, as the reference reads them. */
export function readRecords(path: string): unknown[] {
  const text = readTable(path);
  let place = 'it';
  try {
    if (path.endsWith('.jsonl')) {
      return text.split('\n').flatMap((line, index) => {
        if (line.trim() === '') return [];
        place = `line ${index + 1}`;
        return [JSON.parse(line) as unknown];
      });
    }
    const data: unknown = JSON.parse(text);
    if (Array.isArray(data)) return data;
    if (data !== null && typeof data === 'object') {
      return 'data' in data && Array.isArray(data.data) ? data.data : [data];
    }
  } catch (thrown) {
    throw new ReadroomError('input-invalid', `${path}: ${place} is no valid JSON.`, {
      file: path,
      detail: toReadroomError(thrown).message,
      remedy: 'A .jsonl table has one JSON object a line; any other is one JSON list.',
    });
  }
  throw new ReadroomError('input-invalid', `${path} holds neither a list nor an object.`, { file: path });
}

export function rows2d(path: string, imageRoot: string | undefined): Row[] {
  return readRecords(path).map((record, index) => {
    const parsed = json2dSchema.safeParse(record);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new ReadroomError(
        'input-invalid',
        `Record ${index} of ${path}: ${issue.path.join('.')}: ${issue.message}`,
        {
          file: path,
          remedy: 'Each record needs question and image_path as text; option_A to option_D are optional.',
        },
      );
    }
    const row = parsed.data;
    const options = {
      A: row.option_A ?? '',
      B: row.option_B ?? '',
      C: row.option_C ?? '',
      D: row.option_D ?? '',
    };
    return {
      record: row,
      question: row.question,
      options,
      expected: letterOf(row.answer),
      path: underRoot(row.image_path, imageRoot),
    };
  });
}

export function rows3d(path: string, dataRoot: string | undefined): Row[] {
  let table: Record<string, string>[];
  try {
    table = parseCsv(readTable(path), { columns: true, skip_empty_lines: true, relax_column_count: true });
  } catch (thrown) {
    if (thrown instanceof ReadroomError) throw thrown;
    throw new ReadroomError('input-invalid', `${path}: it is no valid CSV.`, {
      file: path,
      detail: toReadroomError(thrown).message,
      remedy: 'The table must be valid CSV with a header.',
    });
  }
  for (const column of ['Image Path', 'Question']) {
    if (table.length > 0 && table[0][column] === undefined) {
      throw new ReadroomError('input-invalid', `${path} has no column '${column}'.`, {
        file: path,
        field: column,
        remedy: 'Columns: Image Path, Question, Choice A, Choice B, Choice C, Choice D.',
      });
    }
  }
  return table.map((record) => ({
    record,
    question: record.Question,
    options: {
      A: record['Choice A'] ?? '',
      B: record['Choice B'] ?? '',
      C: record['Choice C'] ?? '',
      D: record['Choice D'] ?? '',
    },
    expected: letterOf(record.Answer),
    path: underRoot(record['Image Path'], dataRoot),
  }));
}

export async function run2dBatch(
  options: BatchOptions & { input: string; imageRoot?: string },
): Promise<void> {
  const rows = rows2d(options.input, options.imageRoot);
  await runBatch('2d-batch', options, options.input, rows, prepareReferenceImage, pythonJsonIndented);
}

export async function run3dBatch(
  options: BatchOptions & VolumeOptions & { inputCsv: string; dataRoot?: string },
): Promise<void> {
  const rows = rows3d(options.inputCsv, options.dataRoot);
  const prepare = (path: string) => prepareReferenceVolume(path, options);
  const write = (outputs: BatchOutput[]) => outputs.map((output) => `${pythonJsonLine(output)}\n`).join('');
  await runBatch('3d-batch', options, options.inputCsv, rows, prepare, write);
}

async function runBatch(
  label: string,
  options: BatchOptions,
  table: string,
  allRows: Row[],
  prepare: (path: string) => Promise<PreparedInput>,
  write: (outputs: BatchOutput[]) => string,
): Promise<void> {
  const rows = options.maxSamples === undefined ? allRows : allRows.slice(0, options.maxSamples);
  const signal = interruptSignal();
  await withEngine(options, signal, async (session) => {
    const identity = {
      label,
      table: createHash('sha256').update(readFileSync(table)).digest('hex'),
      model: session.facts.modelHash,
      precision: session.facts.precision,
      settings: runSettings(options),
      rows: rows.length,
      volume:
        'targetSize' in options ? [options.targetSize, 'normalize' in options && options.normalize] : null,
    };
    const journal = BatchJournal.open(options.output, identity);
    const bar = progress(`[${label}]`);
    try {
      if (journal.done.size > 0 && !options.quiet)
        note(`[${label}] continuing: ${journal.done.size} done before`);
      for (const [index, row] of rows.entries()) {
        if (journal.done.has(index)) continue;
        const output = await runRow(session, row, index, options, prepare, signal);
        journal.add(index, output);
        if (options.quiet) continue;
        if (isTerminal()) bar.update(index + 1, rows.length);
        else
          note(`[${label}] ${index + 1}/${rows.length} ${output.error ? `failed: ${output.error}` : 'done'}`);
      }
      bar.stop();
      journal.finish(write(rows.map((_, index) => journal.done.get(index) as BatchOutput)));
      const { failed } = journal;
      // Said in spite of --quiet: the exit code does not tell, since the output is complete, errors and all.
      if (failed > 0)
        note(
          `[${label}] ${failed} of ${rows.length} failed; their "error" says why. The same command tries them again.`,
        );
    } catch (thrown) {
      if (thrown instanceof ReadroomError && thrown.code === 'cancelled') {
        note(
          `[${label}] ${journal.done.size} of ${rows.length} are kept in ${journal.path}; the same command continues.`,
        );
      }
      throw thrown;
    } finally {
      bar.stop();
      journal.close();
    }
  });
}

/** One record. A record that fails is a line with its error, as in the reference; only a cancel ends the batch. */
async function runRow(
  { engine }: EngineSession,
  row: Row,
  index: number,
  options: BatchOptions,
  prepare: (path: string) => Promise<PreparedInput>,
  signal: AbortSignal,
): Promise<BatchOutput> {
  const failed = (message: string) => ({ ...row.record, response: '', prediction: null, error: message });
  try {
    const input = await prepare(row.path);
    const { outcome } = await runQuestion(engine, input, row, runSettings(options), {
      signal,
      // One trace a record, numbered as in the table.
      traceFile: options.traces && join(options.traces, `${String(index).padStart(6, '0')}.json`),
      onEvent: (event: RunEvent) => {
        if (options.events) process.stdout.write(`${JSON.stringify({ index, ...event })}\n`);
      },
    });
    if (outcome.stopReason === 'cancelled') throw new ReadroomError('cancelled', 'The batch was stopped.');
    if (outcome.stopReason === 'failed') return failed(outcome.error?.message ?? 'The run failed.');
    const { response } = outcome;
    return { ...row.record, response, prediction: extractAnswerChoice(response), error: '' };
  } catch (thrown) {
    const error = toReadroomError(thrown);
    if (error.code === 'cancelled') throw error;
    return failed(error.message);
  }
}
