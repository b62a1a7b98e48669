/**
 * `open`: 1,000 CT slices of 512 x 512. The figure is the time to the first picture on the screen over the time to the
 * last slice in hand; beside it the peak of memory of all of the program's processes over the bytes of the pixels.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchReadroom } from '../e2e/harness/readroom.ts';
import { writeLargeSeries } from '../e2e/harness/studies.ts';
import { giveToOpen, patience } from '../e2e/harness/window.ts';
import { type BenchResult, type Log, rounded } from './bench.ts';

const slices = 1_000;
const side = 512;
const pixelBytes = slices * side * side * 2;

/** Processes that descend from `ancestor`, itself included (Linux). */
function familyOf(ancestor: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended in between.
    }
  }
  const family = new Set([ancestor]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}

/** Memory of these processes in bytes, shared pages counted once (proportional set size). */
function memoryOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
      return sum + Number(match?.[1] ?? 0) * 1024;
    } catch {
      return sum;
    }
  }, 0);
}

export async function bench(log: Log): Promise<BenchResult> {
  if (process.platform !== 'linux') throw new Error('this bench reads memory from /proc, which Linux has');
  const folder = await mkdtemp(join(tmpdir(), 'readroom-open-'));
  log(`Writing ${slices} slices …`);
  writeLargeSeries(folder, slices, side);
  const readroom = await launchReadroom();
  const { app, page } = readroom;
  const ancestor = app.process().pid ?? 0;
  let peak = 0;
  const sample = () => {
    peak = Math.max(peak, memoryOf(familyOf(ancestor)));
  };
  try {
    await page.getByTestId('open-sample-centre').waitFor({ timeout: patience });
    await page.waitForTimeout(2_000);
    const empty = memoryOf(familyOf(ancestor));
    const timer = setInterval(sample, 250);
    const watched = page.evaluate(
      (total) =>
        new Promise<{ preview: number; open: number; picture: number; all: number }>((resolve) => {
          const begun = performance.now();
          const at = { preview: Number.NaN, open: Number.NaN, picture: Number.NaN, all: Number.NaN };
          window.readroom.on('study.preview', () => {
            at.preview = performance.now() - begun;
          });
          window.readroom.on('study.opened', () => {
            at.open = performance.now() - begun;
          });
          window.readroom.on('series.progress', ({ done }) => {
            if (done === total) at.all = performance.now() - begun;
          });
          const look = () => {
            const shown =
              document.querySelector('[data-testid=viewport-0][data-slice]') ??
              document.querySelector<HTMLImageElement>('.empty-viewer img.preview');
            const drawn =
              shown instanceof HTMLImageElement ? shown.complete && shown.naturalWidth > 0 : shown;
            if (drawn && Number.isNaN(at.picture)) at.picture = performance.now() - begun;
            if (Number.isNaN(at.all) || Number.isNaN(at.picture)) requestAnimationFrame(look);
            else resolve(at);
          };
          look();
        }),
      slices,
    );
    await giveToOpen(app, folder);
    const at = await watched;
    // The page goes on taking slices over for a while: memory is at its peak when it has them all.
    for (let [calm, last] = [0, 0]; calm < 4; ) {
      await page.waitForTimeout(1_000);
      calm = peak > last * 1.005 ? 0 : calm + 1;
      last = Math.max(last, peak);
    }
    clearInterval(timer);
    const share = at.picture / at.all;
    log(
      `  first picture ${at.picture.toFixed(0)} ms, all ${at.all.toFixed(0)} ms, peak ${(peak / 1e6).toFixed(0)} MB`,
    );
    return {
      ratio: rounded(share, 3),
      detail: {
        bar: '<= 0.15; memory <= 2.5',
        firstPictureMs: rounded(at.picture, 0),
        studyOpenMs: rounded(at.open, 0),
        allSlicesMs: rounded(at.all, 0),
        pixelBytes,
        peakBytes: peak,
        peakOverPixels: rounded(peak / pixelBytes),
        emptyWindowBytes: empty,
        growthOverPixels: rounded((peak - empty) / pixelBytes),
      },
    };
  } finally {
    await readroom.close();
    await rm(folder, { recursive: true, force: true });
  }
}
