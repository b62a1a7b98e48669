#!/usr/bin/env node
/**
 * Reads a whole corpus of DICOM files and compares the pixels with pydicom's:
 *
 *   node scripts/corpus-dicom.mjs [FOLDER] [--expected FILE] [--json] [--verbose]
 *
 * FOLDER is pydicom's own test files where they are installed (Debian: apt-get install python3-pydicom; or the
 * pydicom of `python3 -m pip`), else fixtures/dicom/files. Expectations come from fixtures/dicom/expected.json, found
 * by the SHA-256 of each file; for other folders they are made by
 * `training/fixtures/dicom_expected.py --root FOLDER --out FILE`. Exit code 1 where pixels differ or an error is not
 * typed.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { withBundle } from './bundle.mjs';
import { root } from './ensure.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    expected: { type: 'string', default: path.join(root, 'fixtures/dicom/expected.json') },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const installed = '/usr/lib/python3/dist-packages/pydicom/data/test_files';
const folder = positionals[0] ?? [installed, path.join(root, 'fixtures/dicom/files')].find(existsSync);

await withBundle({ check: 'src-main/study/readers/dicom/corpus-check.ts' }, async ({ load }) => {
  const { checkCorpus } = await load('check');
  const results = await checkCorpus(folder, JSON.parse(readFileSync(values.expected, 'utf8')).files);
  const counts = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  const slowest = results.reduce((a, b) => (b.milliseconds > a.milliseconds ? b : a), results[0]);
  if (values.json) console.log(JSON.stringify({ folder, files: results.length, counts, slowest, results }));
  else {
    for (const { file, outcome, detail } of results) {
      if (values.verbose || outcome === 'different' || outcome === 'fault') {
        console.log(`${outcome.padEnd(10)} ${file}${detail ? `  (${detail})` : ''}`);
      }
    }
    console.log(`${results.length} files in ${folder}`);
    console.log(
      Object.entries(counts)
        .map(([outcome, count]) => `${outcome} ${count}`)
        .join(', '),
    );
    console.log(`slowest: ${slowest.file}, ${slowest.milliseconds.toFixed(0)} ms`);
  }
  process.exitCode = counts.different || counts.fault ? 1 : 0;
});
