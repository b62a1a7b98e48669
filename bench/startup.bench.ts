/**
 * `startup`: from the start of the process to a window that can be used (its buttons are drawn and answer, the list of
 * samples is there), over the same for a bare Electron window with one button. Alternated, settings folders kept, so that
 * both start as they do every day; both are watched by the same few lines, and by no debugger.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumSwitches, electronPath, launchEnvironment, root } from '../e2e/harness/readroom.ts';
import { type BenchResult, type Log, median, rounded } from './bench.ts';

const counted = 7;
const word = 'READROOM-BENCH-READY';

/** Tells when the page has its button on the screen, then ends the program. */
const watcher = `
const { app } = require('electron');
// The program takes what stands beside switches on its command line for files to open: this file is none.
process.argv.splice(process.argv.indexOf('-r'), 2);
app.on('web-contents-created', (_event, contents) => {
  contents.on('dom-ready', async () => {
    await contents.executeJavaScript(\`new Promise((resolve) => {
      const look = () => {
        const button = document.querySelector('[data-testid=open-sample-centre]');
        if (!button || button.getClientRects().length === 0) return requestAnimationFrame(look);
        requestAnimationFrame(() => requestAnimationFrame(resolve));
      };
      look();
    })\`);
    process.stdout.write('${word}\\n');
  });
});
`;

function writeBare(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bare', main: 'main.cjs' }));
  writeFileSync(
    join(folder, 'main.cjs'),
    `const { app, BrowserWindow } = require('electron');
app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 1440, height: 900, show: false, webPreferences: { sandbox: true } });
  window.once('ready-to-show', () => window.show());
  window.loadFile('index.html');
});`,
  );
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>Bare</title><button data-testid="open-sample-centre">Open</button>',
  );
}

async function start(program: string, watch: string, userData: string): Promise<number> {
  const [executable, env] = [await electronPath(), await launchEnvironment()];
  const begun = performance.now();
  const child = spawn(
    executable,
    ['-r', watch, program, `--user-data-dir=${userData}`, ...chromiumSwitches],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    return await new Promise<number>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(word)) resolve(performance.now() - begun);
      });
      child.once('exit', (code) => reject(new Error(`the program ended with exit code ${code}`)));
      setTimeout(() => reject(new Error('no usable window after two minutes')), 120_000).unref();
    });
  } finally {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
    await exited;
  }
}

export async function bench(log: Log): Promise<BenchResult> {
  const scratch = mkdtempSync(join(tmpdir(), 'readroom-startup-'));
  const watch = join(scratch, 'watch.cjs');
  const bareFolder = join(scratch, 'bare');
  writeFileSync(watch, watcher);
  writeBare(bareFolder);
  const [bare, readroom]: [number[], number[]] = [[], []];
  try {
    // The first start of each fills Chromium's caches; it is not counted.
    for (let n = 0; n <= counted; n++) {
      bare.push(await start(bareFolder, watch, join(scratch, 'bare-data')));
      readroom.push(await start('.', watch, join(scratch, 'readroom-data')));
      log(`  bare ${bare.at(-1)?.toFixed(0)} ms, Readroom ${readroom.at(-1)?.toFixed(0)} ms`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const [bareMs, readroomMs] = [median(bare.slice(1)), median(readroom.slice(1))];
  return {
    ratio: rounded(readroomMs / bareMs),
    detail: {
      bar: '<= 2.5',
      bareMs: rounded(bareMs, 0),
      readroomMs: rounded(readroomMs, 0),
      first: { bareMs: rounded(bare[0] ?? 0, 0), readroomMs: rounded(readroom[0] ?? 0, 0) },
    },
  };
}
