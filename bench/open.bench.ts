/**
 * `open`: 1,000 CT slices of 512 x 512. The figure is the time to the first picture on the screen (one slice of the
 * study, shown while its files are looked through) over the time to the last slice in hand; beside it the time to the first
 * slice in the viewer, and the peak of memory of all of the program's processes over the bytes of the pixels.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeLargeSeries } from '../e2e/harness/studies.ts';
import { type BenchResult, type Log, rounded } from './bench.ts';
import { startWatched, type Watched, writeWatcher } from './watched.ts';

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

/** What a process is for, from its command line: 'main', 'renderer', 'node.mojom.NodeService', … */
function roleOf(pid: number): string {
  const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  return /--utility-sub-type=(\S+)/.exec(line)?.[1] ?? /--type=(\S+)/.exec(line)?.[1] ?? 'main';
}

/** Memory of these processes in bytes by what they are for, shared pages counted once (proportional set size). */
function memoryOf(pids: readonly number[]): Record<string, number> {
  const byRole: Record<string, number> = {};
  for (const pid of pids) {
    try {
      const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
      const role = roleOf(pid);
      byRole[role] = (byRole[role] ?? 0) + Number(match?.[1] ?? 0) * 1024;
    } catch {
      // It ended in between.
    }
  }
  return byRole;
}

const sumOf = (byRole: Record<string, number>): number =>
  Object.values(byRole).reduce((sum, bytes) => sum + bytes, 0);

/** Milliseconds from the request to open. */
interface Times {
  readonly open: number;
  readonly picture: number;
  readonly slice: number;
  readonly all: number;
}

/** Runs in the page: notes when what was there. */
function watchPage(total: number): Promise<Times> {
  return new Promise((resolve) => {
    const begun = performance.now();
    const at = { open: Number.NaN, picture: Number.NaN, slice: Number.NaN, all: Number.NaN };
    window.readroom.on('study.opened', () => {
      at.open = performance.now() - begun;
    });
    window.readroom.on('series.progress', ({ done }) => {
      if (done === total) at.all = performance.now() - begun;
    });
    const look = () => {
      const now = performance.now() - begun;
      const slice = document.querySelector('[data-testid=viewport-0][data-slice]');
      const preview = document.querySelector<HTMLImageElement>('.empty-viewer img.preview');
      if (slice && Number.isNaN(at.slice)) at.slice = now;
      const drawn = slice ?? (preview?.complete && preview.naturalWidth > 0);
      if (drawn && Number.isNaN(at.picture)) at.picture = now;
      if (Object.values(at).some(Number.isNaN)) requestAnimationFrame(look);
      else resolve(at);
    };
    look();
  });
}

/** Tells 'ready', opens the folder two seconds later, tells the times. */
const watcher = (folder: string): string => `
    await contents.executeJavaScript(\`new Promise((resolve) => {
      const look = () =>
        document.querySelector('[data-testid=open-sample-centre]') ? resolve() : requestAnimationFrame(look);
      look();
    })\`);
    tell('ready');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const watched = contents.executeJavaScript(${JSON.stringify(`(${watchPage.toString()})(${slices})`)});
    app.emit('open-file', { preventDefault() {} }, ${JSON.stringify(folder)});
    tell(await watched);`;

export async function bench(log: Log): Promise<BenchResult> {
  if (process.platform !== 'linux') throw new Error('this bench reads memory from /proc, which Linux has');
  const scratch = await mkdtemp(join(tmpdir(), 'readroom-open-'));
  log(`Writing ${slices} slices …`);
  const folder = writeLargeSeries(join(scratch, 'series'), slices, side);
  const watch = writeWatcher(scratch, 'watch', watcher(folder));
  const program = await startWatched('.', watch, join(scratch, 'user-data'));
  try {
    return await measure(program, log);
  } finally {
    await program.end();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function measure(program: Watched, log: Log): Promise<BenchResult> {
  await program.next();
  const empty = sumOf(memoryOf(familyOf(program.pid)));
  let atPeak: Record<string, number> = {};
  const timer = setInterval(() => {
    const now = memoryOf(familyOf(program.pid));
    if (sumOf(now) > sumOf(atPeak)) atPeak = now;
  }, 200);
  const at = (await program.next()) as Times;
  // The page goes on taking slices over for a while: memory is at its peak when it has them.
  for (let [calm, last] = [0, 0]; calm < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    calm = sumOf(atPeak) > last * 1.005 ? 0 : calm + 1;
    last = Math.max(last, sumOf(atPeak));
  }
  clearInterval(timer);
  const peak = sumOf(atPeak);
  log(
    `  first picture ${at.picture.toFixed(0)} ms, all ${at.all.toFixed(0)} ms, peak ${(peak / 1e6).toFixed(0)} MB`,
  );
  return {
    ratio: rounded(at.picture / at.all, 3),
    detail: {
      bar: '<= 0.15; memory <= 2.5',
      firstPictureMs: rounded(at.picture, 0),
      studyOpenMs: rounded(at.open, 0),
      viewerSliceMs: rounded(at.slice, 0),
      viewerSliceShare: rounded(at.slice / at.all, 3),
      allSlicesMs: rounded(at.all, 0),
      pixelBytes,
      peakBytes: peak,
      peakOverPixels: rounded(peak / pixelBytes),
      atPeakMB: Object.fromEntries(
        Object.entries(atPeak).map(([role, bytes]) => [role, rounded(bytes / 1e6, 0)]),
      ),
      emptyWindowBytes: empty,
    },
  };
}
