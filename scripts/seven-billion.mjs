#!/usr/bin/env node
/**
 * A random checkpoint of the 7B's shape, converted, killed, resumed, loaded and asked, with figures as JSON:
 *
 *   node scripts/seven-billion.mjs --work DIR [--slices 8] [--keep]
 *
 * DIR needs 23 GB of disk and is deleted afterwards, unless --keep: then the next run begins with what is there. The
 * computer needs about 8 GB of free memory. Takes the better part of an hour on two cores.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { withBundle } from './bundle.mjs';
import { ensureBuild, ensureDependencies } from './ensure.mjs';

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    slices: { type: 'string', default: '8' },
    keep: { type: 'boolean', default: false },
  },
});
if (!values.work) {
  console.error('Usage: node scripts/seven-billion.mjs --work DIR [--slices 8] [--keep]');
  process.exit(2);
}
ensureDependencies();
ensureBuild();
const options = { work: resolve(values.work), slices: Number(values.slices), keep: values.keep };
await withBundle({ trial: 'bench/seven-billion.ts' }, async ({ load }) => {
  const { sevenBillionTrial } = await load('trial');
  console.log(JSON.stringify(await sevenBillionTrial(options, (text) => console.error(text)), null, 1));
});
