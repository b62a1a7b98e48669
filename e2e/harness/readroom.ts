/**
 * Starts the real program: built files, real Electron, real engine. Each start has settings of its own in a temporary
 * folder; converted models are kept for the test file, since converting is not what these tests are about.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { displayEnvironment } from './display.ts';

/** The project's folder, found from here or from where benches are bundled to. */
function findRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
export const root = findRoot();

export interface LaunchOptions {
  /** Files and folders to open, as by 'Open with'. */
  readonly open?: readonly string[];
  /** A folder of settings to start with; a fresh one unless given. It is then the caller's to remove. */
  readonly userData?: string;
  readonly switches?: readonly string[];
}

export interface Readroom {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly userData: string;
  /** What the page and the main process complained of so far. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

let cache: string | null = null;
/** Converted models and other things that can be made again, for this test file. */
export function cacheFolder(): string {
  if (!cache) {
    const folder = mkdtempSync(join(tmpdir(), 'readroom-e2e-cache-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    cache = folder;
  }
  return cache;
}

/** Chromium's sandbox can't be set up by root; everyone else keeps it. */
const isRoot = process.getuid?.() === 0;

/** Switches for a machine without a graphics card, the same for the program and for what it is compared with. */
export const chromiumSwitches = [
  '--enable-unsafe-swiftshader',
  '--force-device-scale-factor=1',
  ...(isRoot ? ['--no-sandbox'] : []),
];

export async function electronPath(): Promise<string> {
  // By path at run time: the script finds its own things from where it lies, which bundling would change.
  const script = pathToFileURL(join(root, 'scripts', 'electron-runtime.mjs')).href;
  const { resolveElectron } = (await import(/* @vite-ignore */ script)) as {
    resolveElectron(): Promise<string | null>;
  };
  const executable = await resolveElectron();
  if (executable) return executable;
  throw new Error('There is no Electron runtime to test with; the lines above say why.');
}

export async function launchEnvironment(): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value;
  // vitest's own switches are for Node, not for Electron's main process.
  for (const name of ['NODE_OPTIONS', 'NODE_ENV', 'ELECTRON_RUN_AS_NODE', 'VITEST']) delete env[name];
  return { ...env, ...(await displayEnvironment()), READROOM_CACHE: cacheFolder() };
}

export async function launchReadroom({
  open = [],
  userData: given,
  switches = [],
}: LaunchOptions = {}): Promise<Readroom> {
  const userData = given ?? mkdtempSync(join(tmpdir(), 'readroom-e2e-'));
  const complaints: string[] = [];
  const app = await _electron.launch({
    executablePath: await electronPath(),
    args: ['.', `--user-data-dir=${userData}`, ...chromiumSwitches, ...switches, ...open],
    cwd: root,
    env: await launchEnvironment(),
    chromiumSandbox: true,
    timeout: 60_000,
  });
  app.process().stderr?.on('data', (chunk: Buffer) => {
    const text = chunk.toString();
    if (/uncaught|unhandled|TypeError|ReferenceError/i.test(text)) complaints.push(`main: ${text.trim()}`);
  });
  const page = await app.firstWindow({ timeout: 60_000 });
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  await page.waitForLoadState('domcontentloaded');
  const close = async (): Promise<void> => {
    await app.close();
    if (!given) rmSync(userData, { recursive: true, force: true });
  };
  return { app, page, userData, complaints, close };
}
