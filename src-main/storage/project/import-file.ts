/** Takes a file into a project, whichever of the three kinds it is: a trace, another project, or an archive of one. */
import { open, readFile, stat } from 'node:fs/promises';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { MergeReport } from '../../../src-contract/project.ts';
import { traceLimits } from '../../../src-contract/trace.ts';
import { fileError } from '../../study/sources.ts';
import { mergeArchive } from './archive/read-archive.ts';
import { inTurns, type Progress } from './file/steps.ts';
import type { AddedRun, Change, Project } from './project.ts';

export interface ImportOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: Progress;
  /** Refuses traces. */
  readonly only?: 'projects';
}

export type Imported = { readonly report: MergeReport; readonly change: Change } & (
  | { readonly kind: 'trace'; readonly run: AddedRun }
  | { readonly kind: 'project' | 'archive' }
);

/**
 * Others get turns meanwhile. While entries are written into the project (`db.paused`), they have to leave it alone.
 * @param file absolute path
 * @throws ReadroomError 'cancelled', the project is as it was then; 'file-not-found', 'format-unsupported' for something else, and what is wrong with it
 */
export async function importFile(
  project: Project,
  file: string,
  options: ImportOptions = {},
): Promise<Imported> {
  const head = await headOf(file);
  if (head.startsWith('SQLite format 3\0')) {
    const merging = project.mergeFile(file, options.onProgress);
    return { kind: 'project', ...(await inTurns(merging, options.signal)) };
  }
  if (head.startsWith('PK')) return { kind: 'archive', ...(await mergeArchive(project, file, options)) };
  if (options.only !== 'projects' && /^\s*\{/.test(head)) return importTrace(project, file, options.signal);
  throw new ReadroomError('format-unsupported', `${file} is nothing that can be taken into a project.`, {
    file,
    remedy: `Choose a project (.readroom)${options.only ? '' : ', a trace (.json)'} or an archive (.readroom.zip).`,
  });
}

async function headOf(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
      return buffer
        .subarray(0, bytesRead)
        .toString('latin1')
        .replace(/^\u00ef\u00bb\u00bf/, '');
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw fileError(thrown, file);
  }
}

async function importTrace(project: Project, file: string, signal?: AbortSignal): Promise<Imported> {
  const { size } = await stat(file);
  if (size > traceLimits.bytes) {
    throw new ReadroomError(
      'file-too-large',
      `${file} is larger than a trace can be (${traceLimits.bytes} bytes).`,
      {
        file,
      },
    );
  }
  const text = (await readFile(file, 'utf8')).replace(/^\ufeff/, '');
  if (signal?.aborted) throw new ReadroomError('cancelled', 'Stopped; nothing was changed.');
  const counts = project.view(false).counts;
  const run = project.importTrace(text, file);
  const after = project.view(false).counts;
  const change = { runs: new Set([run.runId]), cases: new Set([run.caseId]) };
  const report = {
    entries: run.added ? 1 : 0,
    cases: after.cases - counts.cases,
    runs: run.added ? 1 : 0,
    readers: 0,
    conflicts: [],
  };
  return { kind: 'trace', run, report, change };
}
