/**
 * `node scripts/kill-projects.mjs [--count 300] [--seed 1]`: kills a scripted review with SIGKILL at random moments, the
 * process that writes and the project's process in turn, and looks after each kill whether everything that was
 * acknowledged is there and the project is whole. Prints one JSON line; ends with 1 at the first loss.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withBundle } from './bundle.mjs';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '300' }, seed: { type: 'string', default: '1' } },
});
const testing = 'src-main/storage/project/testing';
const entries = {
  'kill-test': `${testing}/kill-test.ts`,
  review: `${testing}/scripted-review.ts`,
  host: 'src-main/storage/project/host/entry.ts',
};
const folder = mkdtempSync(join(tmpdir(), 'readroom-kill-'));
const begun = performance.now();
try {
  await withBundle(entries, async ({ load, path }) => {
    const { killReviews } = await load('kill-test');
    const report = await killReviews({
      file: join(folder, 'project.readroom'),
      count: Number(values.count),
      seed: Number(values.seed),
      review: path('review'),
      host: path('host'),
      onKill: (done) => {
        if (done % 25 === 0) console.error(`${done} kills`);
      },
    });
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(JSON.stringify({ name: 'kill-projects', ...report, lost: 0, damaged: 0, seconds }));
  });
} catch (thrown) {
  console.error(thrown);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
