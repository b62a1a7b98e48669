/** Projects of any size: what is kept in memory does not grow with the number of runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { ExportRun } from './export-run.ts';
import { exportRuns } from './export-runs.ts';
import { makeRun } from './testing/cases.ts';

it('600 runs take no more heap than 100', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const folder = mkdtempSync(join(tmpdir(), 'readroom-export-memory-'));
  try {
    const run = await makeRun('picture', join(folder, 'source'));
    function* runs(): Generator<ExportRun> {
      for (let n = 0; n < 600; n++) {
        yield {
          ...run,
          trace: structuredClone(run.trace),
          runId: `run-${n}`,
          caseId: `case-${Math.floor(n / 5)}`,
        };
      }
    }
    const heap = new Map<number, number>();
    await exportRuns({
      runs: runs(),
      total: 600,
      formats: ['csv', 'trace', 'coco', 'html', 'unimed-cot', 'verl', 'llama-factory', 'nrrd'],
      folder: join(folder, 'out'),
      identifiers: false,
      onProgress: ({ done }) => {
        if (done !== 100 && done !== 600) return;
        collect();
        heap.set(done, process.memoryUsage().heapUsed);
      },
    });
    // 500 traces of this case that were kept would be 14 MB.
    const grown = (heap.get(600) ?? Number.POSITIVE_INFINITY) - (heap.get(100) ?? 0);
    expect(grown).toBeLessThan(8e6);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
