/**
 * The program with no debugger attached, for what a debugger would change: how long a start takes, how much memory is used
 * (Playwright's keeps a copy of what the page fetched). A few lines run in the main process before the program's own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromiumSwitches, electronPath, launchEnvironment, root } from '../e2e/harness/readroom.ts';

const mark = 'READROOM-BENCH ';

export interface Watched {
  readonly pid: number;
  /** The next message of the watcher. @throws Error when the program ended before, or after two minutes */
  next(): Promise<unknown>;
  end(): Promise<void>;
}

/**
 * Writes a watcher. Its body gets `app`, `contents` (of each page whose document is ready) and `tell(message)`; it may
 * await.
 * @returns its file, for `startWatched`
 */
export function writeWatcher(folder: string, name: string, body: string): string {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(
    file,
    `const { app } = require('electron');
// The program takes what stands beside switches on its command line for files to open: this file is none.
process.argv.splice(process.argv.indexOf('-r'), 2);
const tell = (message) => process.stdout.write('${mark}' + JSON.stringify(message) + '\\n');
app.on('web-contents-created', (_event, contents) => {
  contents.on('dom-ready', async () => {
${body}
  });
});
`,
  );
  return file;
}

/** @param program folder with a package.json, relative to the project's */
export async function startWatched(program: string, watcher: string, userData: string): Promise<Watched> {
  const child = spawn(
    await electronPath(),
    ['-r', watcher, program, `--user-data-dir=${userData}`, ...chromiumSwitches],
    { cwd: root, env: await launchEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const messages: unknown[] = [];
  let wake: (() => void) | null = null;
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (said + chunk.toString()).split('\n');
    said = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith(mark)) messages.push(JSON.parse(line.slice(mark.length)));
    }
    wake?.();
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void exited.then(() => wake?.());
  return {
    pid: child.pid ?? 0,
    async next() {
      const deadline = performance.now() + 120_000;
      while (messages.length === 0) {
        if (hasEnded(child)) throw new Error(`the program ended with exit code ${child.exitCode}`);
        if (performance.now() > deadline) throw new Error('no word of the program after two minutes');
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 1_000).unref();
        });
      }
      return messages.shift();
    },
    async end() {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
      await exited;
    },
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;
