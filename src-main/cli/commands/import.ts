/** `import FILE… --project P`: traces, projects and archives into a project. A bad file is told and passed over. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type ErrorPayload, toReadroomError } from '../../../src-contract/errors.ts';
import { type MergeReport, projectSuffix } from '../../../src-contract/project.ts';
import { removeFile } from '../../storage/project/file/open-file.ts';
import { type ImportOptions as FileOptions, importFile } from '../../storage/project/import-file.ts';
import { describeMerge } from '../../storage/project/merge.ts';
import { Project } from '../../storage/project/project.ts';
import { interruptSignal } from '../engine-session.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { commandLineReader, printConflicts } from '../project-words.ts';
import { note, printError, progress } from '../terminal.ts';

interface ImportOptions {
  project: string;
  json: boolean;
  quiet: boolean;
}

type Imported =
  | { file: string; kind: 'trace'; runId: string; caseId: string; added: boolean }
  | { file: string; kind: 'project' | 'archive'; merge: MergeReport }
  | { file: string; kind: 'failed'; error: ErrorPayload };

export async function runImport(files: string[], options: ImportOptions): Promise<void> {
  const signal = interruptSignal();
  const path = resolve(options.project);
  const made = !existsSync(path);
  const title = basename(path).replace(new RegExp(`\\.${projectSuffix}$`), '');
  const project = made
    ? await Project.create(path, title || 'Project', commandLineReader)
    : Project.open(path, { reader: commandLineReader, trusted: true });

  const results: Imported[] = [];
  const bar = progress('Importing');
  try {
    for (const [index, file] of files.entries()) {
      if (signal.aborted) break;
      const onProgress = (done: number, total: number): void => {
        if (!options.quiet) bar.update(index + Math.min(1, done / total), files.length, basename(file));
      };
      results.push(await importOne(project, file, { signal, onProgress }));
      onProgress(1, 1);
    }
  } finally {
    bar.stop();
    project.close();
    if (made && !results.some(({ kind }) => kind !== 'failed')) removeFile(path);
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ project: path, results }, null, 2)}\n`);
  else {
    if (made && !options.quiet && existsSync(path)) note(`${options.project}: a new project`);
    for (const result of results) print(result, options.quiet);
  }
  const failed = results.find((one) => one.kind === 'failed');
  if (failed) process.exitCode = exitCodeOf(failed.error.code);
  if (signal.aborted) process.exitCode = exitCodeOf('cancelled');
}

async function importOne(project: Project, file: string, options: FileOptions): Promise<Imported> {
  try {
    const imported = await importFile(project, resolve(file), options);
    return imported.kind === 'trace'
      ? { file, kind: 'trace', ...imported.run }
      : { file, kind: imported.kind, merge: imported.report };
  } catch (thrown) {
    return { file, kind: 'failed', error: toReadroomError(thrown, 'internal', { file }).toPayload() };
  }
}

function print(result: Imported, quiet: boolean): void {
  switch (result.kind) {
    case 'failed':
      printError(result.error);
      return;
    case 'trace':
      process.stdout.write(
        `${result.file}: run ${result.runId}${result.added ? '' : ' (was there already)'}\n`,
      );
      return;
    case 'project':
    case 'archive':
      process.stdout.write(`${result.file}: ${describeMerge(result.merge)}\n`);
      if (!quiet) printConflicts(result.merge);
      return;
  }
}
