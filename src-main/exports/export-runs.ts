/**
 * Writes runs in any number of formats. Runs come as a stream and leave no trace in memory; the folder appears when
 * everything is written, and not at all when the export fails or is cancelled.
 */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { ExportFormat } from '../../src-contract/project.ts';
import {
  type ExportOptions,
  type ExportProgress,
  type ExportResult,
  type ExportRun,
  type FormatWriter,
  NotExportable,
  type RunToExport,
} from './export-run.ts';
import { findingsOf } from './findings.ts';
import { openFormat } from './formats.ts';
import { caseName, readerLabel, runName } from './names.ts';
import { OutputFolder, refuseTaken } from './output-folder.ts';
import { SourceReader } from './source-images.ts';

export interface ExportJob extends ExportOptions {
  readonly runs: AsyncIterable<ExportRun> | Iterable<ExportRun>;
  /** For progress; 0 where nobody knows. */
  readonly total: number;
  readonly formats: readonly ExportFormat[];
  /** One folder a format is made in it. */
  readonly folder: string;
  /** Take the place of an export that is there already. */
  readonly replace?: boolean;
  readonly onProgress?: (progress: ExportProgress) => void;
}

/**
 * @returns what was written, and which runs a format left out and why
 * @throws ReadroomError 'cancelled'; 'input-invalid' where the folder holds such an export already; 'disk-full' or
 *   'file-unreadable' where it can't be written. Nothing of the export is left in these cases.
 */
export async function exportRuns(job: ExportJob): Promise<ExportResult> {
  const formats = [...new Set(job.formats)];
  if (!job.replace) await refuseTaken(job.folder, formats);
  const output = await OutputFolder.create(job.folder);
  const writers = new Map<ExportFormat, FormatWriter>();
  const skipped: ExportResult['skipped'][number][] = [];
  const sources = new SourceReader(job.signal);
  let runs = 0;
  try {
    for (const format of formats) {
      writers.set(format, await openFormat(format, await output.inside(format), job));
    }
    for await (const run of job.runs) {
      const item = run.withheld ?? toExport(run, job, sources);
      for (const [format, writer] of writers) {
        stopIfCancelled(job.signal);
        const reason = typeof item === 'string' ? item : await attempt(writer, item);
        if (reason !== null) skipped.push({ runId: run.runId, format, reason });
      }
      runs++;
      job.onProgress?.({
        done: runs,
        total: Math.max(job.total, runs),
        name: caseName(run, job.identifiers),
      });
    }
    for (const writer of writers.values()) {
      stopIfCancelled(job.signal);
      await writer.finish();
    }
    await closeAll(writers.values());
    stopIfCancelled(job.signal);
    const { files } = output;
    // Where every run was left out there is nothing to put anywhere.
    if (files === 0) await output.discard();
    else await output.commit(job.replace ?? false);
    return { files, runs, skipped };
  } catch (thrown) {
    await closeAll(writers.values()).catch(() => undefined);
    await output.discard();
    throw thrown;
  }
}

/** @returns why not, for a trace whose own geometry can't be reckoned with: it may come from anywhere */
function toExport(run: ExportRun, options: ExportOptions, sources: SourceReader): RunToExport | string {
  let findings: RunToExport['findings'];
  try {
    findings = findingsOf(run.trace, run.review);
  } catch (thrown) {
    return `The trace can't be used: ${thrown instanceof Error ? thrown.message : String(thrown)}.`;
  }
  return {
    run,
    findings,
    name: runName(run, options.identifiers),
    title: caseName(run, options.identifiers),
    readerName: readerLabel(run, options.identifiers),
    images: sources.of(run.trace, run.sources),
  };
}

/** Null when written; else why not. */
async function attempt(writer: FormatWriter, item: RunToExport): Promise<string | null> {
  try {
    await writer.add(item);
    return null;
  } catch (thrown) {
    if (thrown instanceof NotExportable) return thrown.message;
    throw thrown;
  }
}

async function closeAll(writers: Iterable<FormatWriter>): Promise<void> {
  for (const writer of writers) await writer.close?.();
}

function stopIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ReadroomError('cancelled', 'The export was stopped; nothing was written.');
}
