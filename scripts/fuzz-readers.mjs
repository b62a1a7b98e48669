#!/usr/bin/env node
/**
 * Damages image files of every format and checks that each one is read, or refused with a typed error, within 2 s and
 * 1 GB:
 *
 *   node scripts/fuzz-readers.mjs [--count 1000] [--seed 1] [--keep DIR] [--corpus DIR]… [--json]
 *
 * The corpus is fixtures/volumes and fixtures/dicom. Each file is read in a child process that is killed when it takes
 * too long. Mutation number N of a seed is always the same; files that fail are kept in DIR. Exit code 1 on a failure.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { withBundle } from './bundle.mjs';
import { root } from './ensure.mjs';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'string' },
    corpus: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
});

const entries = { run: 'src-main/study/fuzz/run.ts', child: 'src-main/study/fuzz/child.ts' };
await withBundle(entries, async (modules) => {
  const { fuzz } = await modules.load('run');
  const folders = values.corpus ?? ['fixtures/volumes', 'fixtures/dicom'].map((one) => path.join(root, one));
  const showProgress = !values.json && process.stdout.isTTY;
  const report = await fuzz({
    count: Number(values.count),
    seed: Number(values.seed),
    corpus: folders.filter((folder) => existsSync(folder)),
    childScript: modules.path('child'),
    limitMs: 2000,
    limitBytes: 1e9,
    keep: values.keep,
    onProgress: (done) => showProgress && process.stdout.write(`\r${done} of ${values.count}`),
  });
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    console.log(`\n${report.count} damaged files (seed ${report.seed}):`, report.outcomes);
    console.log(
      `slowest ${Math.round(report.slowestMs)} ms, most memory ${Math.round(report.largestRssBytes / 1e6)} MB`,
    );
    if (Object.keys(report.unforeseen).length > 0)
      console.log('refused by the border only:', report.unforeseen);
    for (const { file, index, how, why } of report.failures)
      console.log(`FAILED ${index} ${file} (${how}): ${why}`);
    console.log(
      report.failures.length === 0
        ? 'All ended in pixels or a typed error.'
        : `${report.failures.length} failed.`,
    );
  }
  process.exitCode = report.failures.length === 0 ? 0 : 1;
});
