/** `npm run --silent readroom -- …`: the command line, set up and built when needed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { presentElectron } from './electron-runtime.mjs';
import { ensureBuild, ensureDependencies, root } from './ensure.mjs';

ensureDependencies();
ensureBuild();
// npm runs scripts in the package's folder; paths on the command line are relative to where the person stood.
const child = spawn(process.execPath, [join(root, 'out', 'main', 'cli.js'), ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: 'inherit',
  // Only for printing reports; the command line itself runs in Node.
  env: { READROOM_ELECTRON: presentElectron() ?? '', ...process.env },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
