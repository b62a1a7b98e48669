/** `export TRACE…|PROJECT`: runs in the formats of other tools. What each holds and loses: docs/exports.md. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import {
  caseFilterSchema,
  type ExportFormat,
  exportFormats,
  type Reader,
} from '../../../src-contract/project.ts';
import type { SourceFile } from '../../../src-contract/study.ts';
import type { ExportRun } from '../../exports/export-run.ts';
import { exportRuns } from '../../exports/export-runs.ts';
import { type ProjectRuns, projectRuns } from '../../exports/host/project-runs.ts';
import { filesByHash, runsOfTraces } from '../../exports/trace-runs.ts';
import type { Project } from '../../storage/project/project.ts';
import { listCases } from '../../storage/project/queries.ts';
import { interruptSignal } from '../engine-session.ts';
import { openPagePrinter } from '../page-printer.ts';
import { isProjectFile, withProjectCopy } from '../project-copy.ts';
import { note, progress } from '../terminal.ts';

export interface ExportCommandOptions {
  format: ExportFormat[];
  out: string;
  review?: string;
  reader?: string;
  case?: string;
  source?: string[];
  identifiers: boolean;
  replace: boolean;
  json: boolean;
  quiet: boolean;
}

interface Input {
  readonly total: number;
  readonly runs: AsyncIterable<ExportRun> | Iterable<ExportRun>;
}

export async function runExport(inputs: string[], options: ExportCommandOptions): Promise<void> {
  const signal = interruptSignal();
  const found = options.source ? await filesByHash(options.source, signal) : new Map<string, SourceFile>();
  const [file] = inputs;
  if (await isProjectFile(file)) {
    refuseForProject(inputs, options);
    await withProjectCopy(file, (project) => {
      const { total, runs } = selectRuns(project, options);
      return write({ total, runs: withSources(runs, found) }, options, signal);
    });
    return;
  }
  for (const name of ['reader', 'case'] as const) {
    if (options[name] !== undefined) {
      throw new ReadroomError('input-invalid', `--${name} is for projects; ${file} is none.`, {
        field: name,
        remedy: name === 'reader' ? 'Give the corrections of a trace with --review.' : 'Leave it out.',
      });
    }
  }
  if (options.review !== undefined && inputs.length > 1) {
    throw new ReadroomError('input-invalid', '--review belongs to one trace.', {
      field: 'review',
      remedy: 'Give one trace at a time.',
    });
  }
  const traces = inputs.map((trace) => ({ file: trace, reviewFile: options.review }));
  await write({ total: traces.length, runs: runsOfTraces(traces, found) }, options, signal);
}

function refuseForProject(inputs: readonly string[], options: ExportCommandOptions): void {
  if (inputs.length > 1) {
    throw new ReadroomError('input-invalid', 'One project is exported at a time.', {
      remedy: 'Give the project alone, or traces.',
    });
  }
  if (options.review !== undefined) {
    throw new ReadroomError('input-invalid', '--review is for traces; a project has its readers.', {
      field: 'review',
      remedy: 'Choose one with --reader.',
    });
  }
}

function selectRuns(project: Project, options: ExportCommandOptions): ProjectRuns {
  const readerId = options.reader === undefined ? null : readerNamed(project, options.reader).readerId;
  const scope =
    options.case === undefined
      ? ({ kind: 'project', filter: caseFilterSchema.parse({}) } as const)
      : ({ kind: 'case', caseId: caseNamed(project, options.case) } as const);
  // Whoever has the file may read all of it: blinding is a promise of the window.
  return projectRuns(project, { scope, readerId }, false);
}

function readerNamed(project: Project, wish: string): Reader {
  const readers = project.readers();
  const found = readers.find(({ readerId, name }) => name === wish || readerId === wish);
  if (found) return found;
  throw new ReadroomError('input-invalid', `There is no reader '${wish}' in this project.`, {
    field: 'reader',
    remedy: readers.length > 0 ? `Readers: ${readers.map(({ name }) => name).join(', ')}.` : 'It has none.',
  });
}

/** By id, the beginning of one, or title. */
function caseNamed(project: Project, wish: string): string {
  const filter = caseFilterSchema.parse({});
  const { rows } = listCases(project.db, project.reader, {
    filter,
    sort: 'title',
    offset: 0,
    limit: 1_000_000,
  });
  const exact = rows.filter(({ caseId, title }) => caseId === wish || title === wish);
  const found = exact.length > 0 ? exact : rows.filter(({ caseId }) => caseId.startsWith(wish));
  if (found.length === 1) return found[0].caseId;
  throw new ReadroomError(
    'input-invalid',
    found.length === 0
      ? `There is no case '${wish}' in this project.`
      : `Several cases are called '${wish}'.`,
    {
      field: 'case',
      remedy: `Give the id of one: ${(found.length > 0 ? found : rows)
        .slice(0, 10)
        .map(({ caseId, title }) => `${caseId} (${title})`)
        .join(', ')}.`,
    },
  );
}

function* withSources(
  runs: Iterable<ExportRun>,
  found: ReadonlyMap<string, SourceFile>,
): Generator<ExportRun> {
  for (const run of runs) {
    yield { ...run, sources: run.sources.map((source) => found.get(source.sha256) ?? source) };
  }
}

async function write(input: Input, options: ExportCommandOptions, signal: AbortSignal): Promise<void> {
  const bar = progress('Exporting');
  const found = options.format.includes('pdf') ? openPagePrinter() : null;
  const printer = typeof found === 'string' ? null : found;
  try {
    const result = await exportRuns({
      ...input,
      formats: options.format,
      folder: options.out,
      identifiers: options.identifiers,
      replace: options.replace,
      signal,
      renderPdf: printer ? (html) => printer.print(html) : undefined,
      whyNoPdf: typeof found === 'string' ? found : undefined,
      onProgress: ({ done, total, name }) => {
        if (!options.quiet) bar.update(done, total, name);
      },
    });
    bar.stop();
    const [first] = result.skipped;
    if (result.files === 0 && first) {
      throw new ReadroomError('input-invalid', `Nothing was exported: ${first.reason}`, {
        remedy: 'Choose other formats, or say with --source where the pixels are.',
      });
    }
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
