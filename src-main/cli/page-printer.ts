/**
 * Prints HTML to PDF for the command line: the window's own way, by an Electron of one hidden page. It has to be there
 * already, and on Linux there has to be a display; else reports are HTML only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReadroomError } from '../../src-contract/errors.ts';
import { projectRoot } from '../storage/locations.ts';

export interface PagePrinter {
  print(html: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

const patience = 60_000;

/** @returns why not, where no page can be printed */
export function openPagePrinter(): PagePrinter | string {
  const electron = process.versions.electron ? process.execPath : process.env.READROOM_ELECTRON;
  const script = join(projectRoot(), 'out', 'main', 'print-process.js');
  if (!electron || !existsSync(electron) || !existsSync(script)) {
    return 'PDF is printed by Electron, which is not here: npm start sets it up; or export HTML.';
  }
  const isLinux = process.platform === 'linux';
  if (isLinux && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return 'PDF is printed by Electron, which needs a display (xvfb-run gives one); or export HTML.';
  }
  const flags = isLinux && process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  let child: ChildProcess | undefined;
  /** Settled when that child has ended. */
  let gone: Promise<null> | undefined;
  let scratch: string | undefined;
  return {
    async print(html) {
      scratch ??= await mkdtemp(join(tmpdir(), 'readroom-print-'));
      const [page, pdf] = [join(scratch, 'page.html'), join(scratch, 'page.pdf')];
      await writeFile(page, html);
      if (!child || child.exitCode !== null) {
        const { ELECTRON_RUN_AS_NODE: _asNode, ...env } = process.env;
        child = spawn(electron, [...flags, script], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env });
        const started = child;
        gone = new Promise((resolve) => {
          started.once('exit', () => resolve(null));
          // It could not be started at all.
          started.on('error', () => resolve(null));
        });
      }
      child.send({ page, pdf }, () => undefined);
      const answered = once(child, 'message', { signal: AbortSignal.timeout(patience) });
      const answer = await Promise.race([answered, gone]).catch(() => null);
      if (answer?.[0] !== 'printed') {
        throw new ReadroomError('internal', 'The page could not be printed to PDF.', {
          remedy: 'Export HTML, and print it from a browser.',
        });
      }
      return new Uint8Array(await readFile(pdf));
    },
    async close() {
      child?.kill();
      if (scratch) await rm(scratch, { recursive: true, force: true });
    },
  };
}
