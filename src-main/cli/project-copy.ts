/**
 * A project to read from on the command line: a copy that is checked as a file from elsewhere is, so that neither a
 * damaged file nor a hostile one can do harm, and the original is left as it is, open in the window or not.
 */
import { cp, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Project } from '../storage/project/project.ts';
import { fileError } from '../study/sources.ts';

const sqliteHeader = 'SQLite format 3\0';

export async function isProjectFile(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
      return bytesRead === 16 && buffer.toString('latin1') === sqliteHeader;
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw fileError(thrown, file);
  }
}

/** @throws ReadroomError as Project.open */
export async function withProjectCopy<T>(file: string, use: (project: Project) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'readroom-project-'));
  try {
    const copy = join(folder, basename(file));
    // The write-ahead log first: what moves from it into the file meanwhile is in the file's copy.
    for (const suffix of ['-wal', '']) {
      if (suffix === '' || (await stat(file + suffix).catch(() => null)))
        await cp(file + suffix, copy + suffix);
    }
    const reader = { readerId: 'command-line', name: 'Command line', role: 'reader' as const };
    const project = Project.open(copy, { reader, trusted: false });
    try {
      return await use(project);
    } finally {
      project.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
