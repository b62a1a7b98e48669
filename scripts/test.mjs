/**
 * `npm test`: set-up, formatter and linter, types, import rules, build, unit and flow tests. Arguments go to vitest, so
 * `npm test -- src-main/slices` runs one folder. Ends with one line that counts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuild, ensureDependencies, runBin } from './ensure.mjs';

ensureDependencies();
const filters = process.argv.slice(2);
if (filters.length === 0) {
  runBin('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '--reporter=summary', '.']);
  runBin('typescript/bin/tsc', ['--noEmit']);
  const { status } = runBin('../scripts/check-imports.mjs', []);
  if (status !== 0) process.exit(1);
}
ensureBuild();

const scratch = mkdtempSync(join(tmpdir(), 'readroom-test-'));
const report = join(scratch, 'report.json');
const { status } = runBin(
  'vitest/vitest.mjs',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters],
  { tolerate: true },
);
try {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
  const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
  console.log(`tests: ${numPassedTests} passed, ${numFailedTests} failed${skipped}`);
} catch (error) {
  console.error(`No test report was written: ${error.message}`);
}
rmSync(scratch, { recursive: true, force: true });
process.exit(status ?? 1);
