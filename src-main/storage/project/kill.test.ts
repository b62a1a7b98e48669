/** The short form of `node scripts/kill-projects.mjs`, which kills 300 times. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildEntry } from '../../engine/host/build-entry.ts';
import { killReviews } from './testing/kill-test.ts';

it('no change that was acknowledged is lost by 20 kills at random moments', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'readroom-kill-'));
  const review = await buildEntry(join(import.meta.dirname, 'testing/scripted-review.ts'));
  const host = await buildEntry(join(import.meta.dirname, 'host/entry.ts'));
  try {
    const report = await killReviews({
      file: join(folder, 'project.readroom'),
      count: 20,
      seed: 1,
      review: review.file,
      host: host.file,
    });
    expect(report.kills).toBe(20);
    expect(report.acknowledged).toBeGreaterThan(20);
  } finally {
    review.remove();
    host.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
