/** `export TRACE…`: runs in the formats of other tools. What each holds and loses: docs/exports.md. */
import { type ExportFormat, exportFormats } from '../../../src-contract/project.ts';
import { exportRuns } from '../../exports/export-runs.ts';
import { filesByHash, runsOfTraces } from '../../exports/trace-runs.ts';
import { interruptSignal } from '../engine-session.ts';
import { openPagePrinter } from '../page-printer.ts';
import { note, progress } from '../terminal.ts';

export interface ExportCommandOptions {
  format: ExportFormat[];
  out: string;
  review?: string;
  source?: string[];
  identifiers: boolean;
  replace: boolean;
  json: boolean;
  quiet: boolean;
}

export async function runExport(inputs: string[], options: ExportCommandOptions): Promise<void> {
  const signal = interruptSignal();
  const found = options.source ? await filesByHash(options.source, signal) : undefined;
  const files = inputs.map((file) => ({ file, reviewFile: options.review }));
  const bar = progress('Exporting');
  const printer = options.format.includes('pdf') ? openPagePrinter() : null;
  try {
    const result = await exportRuns({
      runs: runsOfTraces(files, found),
      total: files.length,
      formats: options.format,
      folder: options.out,
      identifiers: options.identifiers,
      replace: options.replace,
      signal,
      renderPdf: printer ? (html) => printer.print(html) : undefined,
      onProgress: ({ done, total, name }) => {
        if (!options.quiet) bar.update(done, total, name);
      },
    });
    bar.stop();
    if (options.json) {
      process.stdout.write(`${JSON.stringify({ out: options.out, ...result }, null, 2)}\n`);
      return;
    }
    if (options.quiet) return;
    for (const { runId, format, reason } of result.skipped) {
      note(`left out of ${exportFormats[format]}: run ${runId}: ${reason}`);
    }
    note(`${options.out}: ${result.runs} runs, ${result.files} files, ${result.skipped.length} left out`);
  } finally {
    bar.stop();
    await printer?.close();
  }
}
