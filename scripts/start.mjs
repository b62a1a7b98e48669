/**
 * `npm start`: the window with the bundled case ready to ask. Where no window can be shown, the bundled case in the
 * terminal instead. Arguments are files or folders to open.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveElectron } from './electron-runtime.mjs';
import { ensureBuild, ensureDependencies, root } from './ensure.mjs';

ensureDependencies();
ensureBuild();

const isLinux = process.platform === 'linux';
const hasDisplay = !isLinux || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);

function run(command, args, environment = process.env) {
  // npm runs scripts in the package's folder; paths on the command line are relative to where the person stood.
  const child = spawn(command, args, {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    stdio: 'inherit',
    env: environment,
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`Readroom: ${command} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

function openWindow(electron) {
  const flags = [];
  // Chromium's sandbox refuses to run as root; nobody else gets this flag.
  if (isLinux && process.getuid?.() === 0) flags.push('--no-sandbox');
  // The views need WebGL: without a graphics device, Chromium draws it on the CPU only when told so.
  if (isLinux && !existsSync('/dev/dri')) flags.push('--enable-unsafe-swiftshader');
  const { ELECTRON_RUN_AS_NODE: _asNode, ...environment } = process.env;
  run(electron, [...flags, root, ...process.argv.slice(2)], environment);
}

function askInTerminal(why) {
  const folder = join(root, 'resources', 'samples');
  const sample = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
  const [{ question, options }] = sample.questions;
  const choices = options.flatMap((text, i) => [`--option-${'abcd'[i]}`, text]);
  console.error(`Readroom: ${why}, so here is the bundled case in the terminal. Question: ${question}`);
  run(process.execPath, [
    join(root, 'out', 'main', 'cli.js'),
    'ask',
    join(folder, sample.file),
    '--question',
    question,
    ...choices,
  ]);
}

if (!hasDisplay) askInTerminal('there is no display');
else {
  const electron = await resolveElectron();
  if (electron) openWindow(electron);
  else askInTerminal('there is no Electron to open a window with');
}
