/** `merge A B… [--out P]`: projects of several machines into one; without --out into the first. */
import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { MergeReport } from '../../../src-contract/project.ts';
import { pixelsFolder } from '../../storage/project/archive/read-archive.ts';
import { removeFile } from '../../storage/project/file/open-file.ts';
import { importFile } from '../../storage/project/import-file.ts';
import { describeMerge } from '../../storage/project/merge.ts';
import { Project } from '../../storage/project/project.ts';
import { interruptSignal } from '../engine-session.ts';
import { commandLineReader, printConflicts } from '../project-words.ts';
import { progress } from '../terminal.ts';

interface MergeOptions {
  out?: string;
  json: boolean;
  quiet: boolean;
}

export async function runMerge(files: string[], options: MergeOptions): Promise<void> {
  const signal = interruptSignal();
  if (files.length < (options.out === undefined ? 2 : 1)) {
    throw new ReadroomError('input-invalid', 'There is nothing to merge.', {
      remedy: 'Name two projects, or one and --out.',
    });
  }
  const target = resolve(options.out ?? files[0] ?? '');
  const project =
    options.out === undefined
      ? Project.open(target, { reader: commandLineReader, trusted: true })
      : await Project.createEmpty(target, commandLineReader);
  const images = pixelsFolder(target);
  const hadImages = existsSync(images);
  const merged: { file: string; report: MergeReport }[] = [];
  let whole = false;
  try {
    for (const file of options.out === undefined ? files.slice(1) : files) {
      const bar = progress(`Merging ${file}`);
      const onProgress = options.quiet ? undefined : bar.update.bind(bar);
      try {
        const { report } = await importFile(project, resolve(file), { signal, onProgress, only: 'projects' });
        merged.push({ file, report });
      } finally {
        bar.stop();
      }
    }
    whole = true;
  } finally {
    project.close();
    // What was begun here and is not whole is nothing that a person would look for.
    if (!whole && options.out !== undefined) {
      removeFile(target);
      if (!hadImages) rmSync(images, { recursive: true, force: true });
    }
    // Files that went into the first project whole are in it, whatever became of the next one.
    if (whole || (options.out === undefined && merged.length > 0)) tell(target, merged, options);
  }
}

function tell(
  project: string,
  merged: readonly { file: string; report: MergeReport }[],
  options: MergeOptions,
): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ project, merged }, null, 2)}\n`);
    return;
  }
  for (const { file, report } of merged) {
    process.stdout.write(`${file}: ${describeMerge(report)}\n`);
    if (!options.quiet) printConflicts(report);
  }
}
