/**
 * `startup`: from the start of the process to a window that can be used (its buttons are drawn and answer, the list of
 * samples is there), over the same for a bare Electron window with one button. Alternated, settings folders kept, so that
 * both start as they do every day; both are watched by the same few lines, and by no debugger.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchResult, type Log, median, rounded } from './bench.ts';
import { startWatched, writeWatcher } from './watched.ts';

const counted = 7;
/** Says when the page has its button on the screen. */
const watcher = `
    await contents.executeJavaScript(\`new Promise((resolve) => {
      const look = () => {
        const button = document.querySelector('[data-testid=open-sample-centre]');
        if (!button || button.getClientRects().length === 0) return requestAnimationFrame(look);
        requestAnimationFrame(() => requestAnimationFrame(resolve));
      };
      look();
    })\`);
    tell('ready');`;

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
  const begun = performance.now();
  const started = await startWatched(program, watch, userData);
  try {
    await started.next();
    return performance.now() - begun;
  } finally {
    await started.end();
  }
}

export async function bench(log: Log): Promise<BenchResult> {
  const scratch = mkdtempSync(join(tmpdir(), 'readroom-startup-'));
  const watch = writeWatcher(scratch, 'watch', watcher);
  const bareFolder = join(scratch, 'bare');
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
