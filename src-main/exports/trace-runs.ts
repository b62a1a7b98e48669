/** Trace files as runs to export, one at a time. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { ReadroomError } from '../../src-contract/errors.ts';
import { type Review, reviewSchema } from '../../src-contract/review.ts';
import type { SourceFile } from '../../src-contract/study.ts';
import { parseTrace, summarizeEvents, type Trace, traceLimits } from '../../src-contract/trace.ts';
import { openStudy } from '../study/open-study.ts';
import { fileError } from '../study/sources.ts';
import type { ExportRun } from './export-run.ts';

export interface TraceFile {
  readonly file: string;
  /** A reader's corrections (NAME.review.json of an earlier export). */
  readonly reviewFile?: string;
}

/** @throws ReadroomError 'file-not-found' | 'file-unreadable' | 'file-too-large' | 'file-malformed' | 'format-unsupported' */
export async function readTraceFile(file: string): Promise<Trace> {
  return parseTrace(await readText(file), file);
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > traceLimits.bytes) {
      throw new ReadroomError('file-too-large', `${file} is larger than ${traceLimits.bytes} bytes.`, {
        file,
      });
    }
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw fileError(thrown, file);
  }
}

async function readReview(file: string): Promise<Review> {
  let value: unknown;
  try {
    value = JSON.parse(await readText(file));
  } catch (thrown) {
    if (thrown instanceof ReadroomError) throw thrown;
    throw new ReadroomError('file-malformed', `${file} is not valid JSON.`, { file });
  }
  const parsed = reviewSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ReadroomError('file-malformed', `${file} is no review: ${issue.message}`, {
    file,
    field: issue.path.join('.'),
  });
}

/** @param found files in which the sources are looked for by their hash */
export async function* runsOfTraces(
  files: readonly TraceFile[],
  found: ReadonlyMap<string, SourceFile> = new Map(),
): AsyncGenerator<ExportRun> {
  const seen = new Map<string, string>();
  for (const { file, reviewFile } of files) {
    const trace = await readTraceFile(file);
    const runId =
      summarizeEvents(trace.events).started?.runId ?? createHash('sha256').update(file).digest('hex');
    const other = seen.get(runId);
    if (other !== undefined) {
      throw new ReadroomError('input-invalid', `${other} and ${file} are of the same run.`, {
        file,
        remedy: 'Give each run once.',
      });
    }
    seen.set(runId, file);
    const review = reviewFile === undefined ? null : await readReview(reviewFile);
    if (review && review.runId !== runId) {
      throw new ReadroomError('input-invalid', `${reviewFile} is of another run than ${file}.`, {
        file: reviewFile,
        remedy: 'Give the review that was exported with this trace.',
      });
    }
    yield {
      runId,
      caseId: createHash('sha256')
        .update(trace.sources.map(({ sha256 }) => sha256).join())
        .digest('hex'),
      caseTitle: trace.sources[0] ? basename(trace.sources[0].path) : basename(file),
      trace,
      review,
      reader: null,
      sources: trace.sources.map((source) => found.get(source.sha256) ?? source),
    };
  }
}

/** Files of a study by their hash: where moved pixels are found again. @throws ReadroomError as openStudy */
export async function filesByHash(
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, SourceFile>> {
  const found = new Map<string, SourceFile>();
  const { study } = await openStudy(paths, { signal });
  for (const { sources } of study.series) for (const source of sources) found.set(source.sha256, source);
  return found;
}
