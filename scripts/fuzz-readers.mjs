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
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'string' },
    corpus: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
});

/** Bundles the TypeScript for plain Node 20. In the repository, so that imports find node_modules. */
async function bundle(outDir) {
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      minify: false,
      target: 'node20',
      rollupOptions: {
        input: {
          run: path.join(root, 'src-main/study/fuzz/run.ts'),
          child: path.join(root, 'src-main/study/fuzz/child.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  });
}

const outDir = await mkdtemp(path.join(root, 'node_modules/.readroom-fuzz-'));
try {
  await bundle(outDir);
  const { fuzz } = await import(pathToFileURL(path.join(outDir, 'run.mjs')).href);
  const folders = values.corpus ?? ['fixtures/volumes', 'fixtures/dicom'].map((one) => path.join(root, one));
  const showProgress = !values.json && process.stdout.isTTY;
  const report = await fuzz({
    count: Number(values.count),
    seed: Number(values.seed),
    corpus: folders.filter((folder) => existsSync(folder)),
    childScript: path.join(outDir, 'child.mjs'),
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
} finally {
  await rm(outDir, { recursive: true, force: true });
}
