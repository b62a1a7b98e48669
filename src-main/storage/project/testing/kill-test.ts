/**
 * Kills a review in the middle, again and again, and looks each time: is every change there that was said to be saved,
 * is the file whole, does its log add up, and do lists and registers follow from it? Two kinds in turn: the process that
 * writes to the file itself is killed (`storage`), and the project's process under a parent that lives on (`process`).
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Reader } from '../../../../src-contract/project.ts';
import { seededRandom } from '../../../engine/decode/random.ts';
import { forkTransport } from '../../../engine/host/transport.ts';
import { rebuild } from '../file/rebuild.ts';
import { allAtOnce } from '../file/steps.ts';
import { ProjectProcess } from '../host/client.ts';
import { findBreakIn } from '../log/log.ts';
import { Project } from '../project.ts';
import { scriptedRun, scriptedSteps } from './changes.ts';
import { makeTrace } from './make-trace.ts';

export interface KillOptions {
  /** A project file that is not there yet. */
  readonly file: string;
  readonly count: number;
  readonly seed: number;
  /** Built entries: testing/scripted-review.ts and host/entry.ts. */
  readonly review: string;
  readonly host: string;
  readonly onKill?: (done: number) => void;
}

export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  /** Entries of which nobody had heard yet when the process died: written, or not at all. */
  readonly unheard: number;
}

const reader: Reader = { readerId: 'anna', name: 'anna', role: 'reader' };
/** A process lives this long at most after its first change. */
const longestMs = 200;

/** @throws Error naming what was lost or damaged */
export async function killReviews(options: KillOptions): Promise<KillReport> {
  const { file, count, seed, onKill } = options;
  const random = seededRandom(seed);
  const first = await Project.create(file, 'Killed', reader);
  first.addRun(makeTrace({ runId: scriptedRun, steps: scriptedSteps }), 'Case');
  first.close();
  const acknowledged = new Set<string>();
  for (let n = 0; n < count; n++) {
    const lifetime = random() * longestMs;
    const heard =
      n % 2 === 0 ? await killWriter(options, n, lifetime) : await killProcess(options, n, lifetime);
    for (const hash of heard) acknowledged.add(hash);
    check(file, acknowledged, `kill ${n + 1}`);
    onKill?.(n + 1);
  }
  const project = Project.open(file, { reader, trusted: true });
  try {
    const entries =
      project.db.get<{ n: number }>("SELECT count(*) AS n FROM log WHERE type = 'edited'")?.n ?? 0;
    return {
      kills: count,
      acknowledged: acknowledged.size,
      unheard: Math.max(0, entries - acknowledged.size),
    };
  } finally {
    project.close();
  }
}

/** The process that writes to the file says each change when it is saved, and is killed. */
async function killWriter(
  { file, seed, review }: KillOptions,
  n: number,
  lifetime: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [review, file, String(seed * 1_000 + n), reader.readerId], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let complaint = '';
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const started = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      resolve();
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  // Now and then before its first change: in the middle of opening the file.
  await Promise.race([started, closed, ...(n % 10 === 0 ? [delay(lifetime * 4)] : [])]);
  await delay(lifetime);
  child.kill('SIGKILL');
  await closed;
  if (complaint !== '') throw new Error(`the review complained: ${complaint}`);
  // A line that was cut was not heard.
  return said.split('\n').slice(0, -1);
}

/** Changes through the project's process, several on the way at a time; what was answered was saved. */
async function killProcess({ file, host }: KillOptions, n: number, lifetime: number): Promise<string[]> {
  const process = new ProjectProcess(forkTransport(host), {
    onEvent: () => undefined,
    onDeath: () => undefined,
  });
  await process.call('open', { path: file, library: false, trusted: true, reader });
  const { own } = await process.call('reviews', { runId: scriptedRun });
  const answered: string[] = [];
  let comment = own.comment || null;
  let over = false;
  const working = (async () => {
    for (let k = 0; !over; k++) {
      const edits = [0, 1, 2].map((m) => {
        const after = `${n} ${k} ${m}`;
        const edit = {
          kind: 'comment' as const,
          runId: scriptedRun,
          readerId: reader.readerId,
          before: comment,
          after,
        };
        comment = after;
        return process.call('edit', { edits: [edit] }).then(() => answered.push(after));
      });
      await Promise.all(edits);
    }
  })().catch(() => undefined);
  await delay(lifetime);
  if (process.pid !== undefined) globalThis.process.kill(process.pid, 'SIGKILL');
  await working;
  over = true;
  await process.dispose();
  return answered.map((text) => `comment ${text}`);
}

function check(file: string, acknowledged: ReadonlySet<string>, when: string): void {
  const project = Project.open(file, { reader, trusted: true });
  try {
    const { db } = project;
    const whole = db.pragma('integrity_check');
    if (whole !== 'ok') throw new Error(`${when}: the file is damaged: ${whole}`);
    const broken = findBreakIn(db);
    if (broken) throw new Error(`${when}: ${broken}`);
    const rows = db.all<{ hash: string; body: string }>('SELECT hash, body FROM log');
    const there = new Set(
      rows.flatMap(({ hash, body }) => [hash, `comment ${/"after":"([^"]*)"/.exec(body)?.[1]}`]),
    );
    const lost = [...acknowledged].filter((one) => !there.has(one));
    if (lost.length > 0) throw new Error(`${when}: ${lost.length} acknowledged changes are lost: ${lost[0]}`);
    const state = () =>
      JSON.stringify(db.all('SELECT key, value, at, replica, seq FROM registers ORDER BY key').map(plain));
    const before = state();
    allAtOnce(db.transactionSteps(() => rebuild(db)));
    if (state() !== before) throw new Error(`${when}: the registers don't follow from the log`);
  } finally {
    project.close();
  }
}

/** Rows carry the time that the driver took. */
function plain(row: unknown): unknown {
  const { _metadata, ...rest } = row as Record<string, unknown>;
  return rest;
}
