/**
 * Set-up shared by the commands of the README: dependencies from the lock file, then the build. Plain Node, no
 * dependencies of its own, so that it runs on a fresh clone. Says what it does; is silent when there is nothing to do.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stampFolder = join(root, 'node_modules', '.readroom');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Readroom needs Node 20.19 or newer; this is ${process.version}. Install a newer Node and try again.`,
  );
  process.exit(1);
}

/** Runs a program of node_modules (or npm) with inherited output; exits with its status when it fails. */
export function run(command, args, options = {}) {
  // npm is a .cmd file on Windows, which Node only starts through a shell; the arguments are our own constants.
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (result.error) {
    console.error(`Could not start ${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs a package's own command with this Node: no shell, no PATH look-up. */
export function runBin(relativePath, args, options = {}) {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', relativePath), ...args], {
    cwd: root,
    stdio: 'inherit',
    ...options,
  });
  if (result.status !== 0 && !options.tolerate) process.exit(result.status ?? 1);
  return result;
}

function stampPath(name) {
  return join(stampFolder, name);
}

function stampMatches(name, value) {
  return existsSync(stampPath(name)) && readFileSync(stampPath(name), 'utf8') === value;
}

function writeStamp(name, value) {
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(stampPath(name), value);
}

/** `npm ci` when the lock file changed since the last one (or on a fresh clone). */
export function ensureDependencies(log = console.error) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (stampMatches('dependencies', lock)) return;
  log('Readroom: installing dependencies (npm ci) …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    // onnxruntime-node's install step would fetch CUDA libraries from a host that may be out of reach; the CPU and
    // WebGPU libraries are in the package itself.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', npm_config_onnxruntime_node_install: 'skip' },
    stdio: ['ignore', 2, 2],
  });
  writeStamp('dependencies', lock);
}

function sourceFingerprint() {
  const hash = createHash('sha256');
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else {
        const { size, mtimeMs } = statSync(path);
        hash.update(`${path}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  for (const name of ['src-contract', 'src-main', 'src-preload', 'src-renderer']) {
    if (existsSync(join(root, name))) visit(join(root, name));
  }
  for (const name of ['electron.vite.config.ts', 'package-lock.json', 'tsconfig.json']) {
    hash.update(readFileSync(join(root, name)));
  }
  return hash.digest('hex');
}

/** Builds into out/ when a source file changed since the last build. */
export function ensureBuild(log = console.error) {
  const fingerprint = sourceFingerprint();
  if (existsSync(join(root, 'out', 'main', 'cli.js')) && stampMatches('build', fingerprint)) return;
  log('Readroom: building …');
  const result = runBin('electron-vite/bin/electron-vite.js', ['build', '--logLevel', 'error'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    tolerate: true,
  });
  if (result.status !== 0) {
    console.error(result.stdout, result.stderr);
    console.error('Readroom: the build failed.');
    process.exit(1);
  }
  writeStamp('build', fingerprint);
}
