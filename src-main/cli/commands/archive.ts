/** `archive PROJECT OUT [--pixels]`: a whole project as one file. */
import { resolve } from 'node:path';
import { writeArchive } from '../../storage/project/archive/write-archive.ts';
import { Project } from '../../storage/project/project.ts';
import { interruptSignal } from '../engine-session.ts';
import { commandLineReader } from '../project-words.ts';
import { note, progress } from '../terminal.ts';

interface ArchiveOptions {
  pixels: boolean;
  json: boolean;
  quiet: boolean;
}

export async function runArchive(file: string, out: string, options: ArchiveOptions): Promise<void> {
  const signal = interruptSignal();
  const project = Project.open(resolve(file), { reader: commandLineReader, trusted: true });
  const bar = progress('Writing');
  try {
    const report = await writeArchive(project, resolve(out), {
      pixels: options.pixels,
      signal,
      onProgress: (done, total) => {
        if (!options.quiet) bar.update(done, total);
      },
    });
    bar.stop();
    if (options.json)
      process.stdout.write(`${JSON.stringify({ archive: resolve(out), ...report }, null, 2)}\n`);
    else {
      process.stdout.write(`${out}: ${report.runs} runs, ${report.files} image files\n`);
      if (!options.quiet)
        for (const { name, reason } of report.leftOut) note(`  left out: ${name}: ${reason}`);
    }
  } finally {
    bar.stop();
    project.close();
  }
}
