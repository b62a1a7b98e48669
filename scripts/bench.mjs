/**
 * `npm run --silent bench -- NAME [--json]`: benchmarks, each a ratio against a peer or a limit measured in the same run.
 * The last line is one JSON object {name, ratio, detail}; without --json it is preceded by the detail in words.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withBundle } from './bundle.mjs';
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

const log = quiet ? () => {} : (text) => console.error(text);
const { ratio, detail } = await withBundle({ [name]: `bench/${name}.bench.ts` }, async ({ load }) =>
  (await load(name)).bench(log),
);
console.log(JSON.stringify({ name, ratio, detail }));
process.exit(0);
