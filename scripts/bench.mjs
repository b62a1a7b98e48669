/**
 * `npm run --silent bench -- NAME [--json]`: benchmarks, each a ratio against a peer or a limit measured in the same run.
 * The last line is one JSON object {name, ratio, detail}; without --json it is preceded by the detail in words.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, root } from './ensure.mjs';

ensureDependencies();
ensureBuild();

const names = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));
const [name, ...flags] = process.argv.slice(2);
const quiet = flags.includes('--json');
if (!names.includes(name)) {
  console.error(`Usage: npm run --silent bench -- NAME [--json]\nNAME: ${names.join(', ')}`);
  process.exit(2);
}

const { build } = await import('vite');
const outDir = join(root, 'out', 'bench');
await build({
  root,
  configFile: false,
  logLevel: 'error',
  build: {
    ssr: true,
    outDir,
    emptyOutDir: false,
    target: 'node20',
    rollupOptions: {
      input: { [name]: join(root, 'bench', `${name}.bench.ts`) },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
});
const { bench } = await import(pathToFileURL(join(outDir, `${name}.js`)).href);
const log = quiet ? () => {} : (text) => console.error(text);
const { ratio, detail } = await bench(log);
console.log(JSON.stringify({ name, ratio, detail }));
process.exit(0);
