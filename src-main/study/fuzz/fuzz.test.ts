import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { FuzzReport } from './run.ts';

const root = path.resolve(import.meta.dirname, '../../..');

test('150 damaged files end in pixels or a typed error, within 2 s and 1 GB each', async () => {
  const script = path.join(root, 'scripts/fuzz-readers.mjs');
  const args = [script, '--count', '150', '--seed', '7', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch(
    (failed: { stdout: string }) => failed,
  );
  const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as FuzzReport;
  expect(report.failures).toEqual([]);
  expect(report.count).toBe(150);
});
