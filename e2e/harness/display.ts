/** A display for the window: the machine's own, or on Linux without one an Xvfb that lives as long as the test file. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

const needsXvfb = process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY;

let reason: string | null | undefined;

/** Why no window can be shown on this machine; null when one can. */
export function noWindowReason(): string | null {
  reason ??=
    needsXvfb && spawnSync('Xvfb', ['-help'], { stdio: 'ignore' }).error
      ? 'no display, and Xvfb is not installed (apt-get install xvfb)'
      : null;
  return reason;
}

let server: Promise<string> | null = null;
let child: ChildProcess | null = null;

async function startXvfb(): Promise<string> {
  // -displayfd: the server picks a free number and says so once it takes connections.
  // -noreset: otherwise it starts anew when its last client leaves, and the next one meets it halfway.
  const options = ['-displayfd', '3', '-screen', '0', '1920x1200x24', '-noreset', '-nolisten', 'tcp'];
  const started = spawn('Xvfb', options, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  child = started;
  process.once('exit', stopDisplay);
  return new Promise((resolve, reject) => {
    let said = '';
    started.stdio[3]?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('\n')) resolve(`:${said.trim()}`);
    });
    started.once('error', reject);
    started.once('exit', (code) => reject(new Error(`Xvfb ended with exit code ${code}`)));
  });
}

/** Environment that shows windows: `{ DISPLAY }`, or nothing where the machine has a display. */
export async function displayEnvironment(): Promise<Record<string, string>> {
  if (!needsXvfb) return {};
  server ??= startXvfb();
  return { DISPLAY: await server };
}

export function stopDisplay(): void {
  child?.kill();
  child = null;
  server = null;
}
