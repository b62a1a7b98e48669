/** Damages fixture files and reads them in a child process under a time and memory limit. */
import { type ChildProcess, fork } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FuzzOutcome } from './child.ts';
import { mutate } from './mutations.ts';
import { Random } from './random.ts';

export interface FuzzOptions {
  count: number;
  seed: number;
  /** Folders with good files, searched recursively. */
  corpus: string[];
  /** The built child.ts. */
  childScript: string;
  limitMs: number;
  limitBytes: number;
  /** Damaged files that failed are kept here. */
  keep?: string;
  onProgress?: (done: number) => void;
}

export interface FuzzReport {
  count: number;
  seed: number;
  /** How often each outcome occurred; 'ok' where the damage did no harm. */
  outcomes: Record<string, number>;
  failures: { file: string; index: number; how: string; why: string }[];
  /** Errors that no reader foresaw (typed all the same), with how often. */
  unforeseen: Record<string, number>;
  slowestMs: number;
  largestRssBytes: number;
}

/** Damages `count` files, the corpus in turn, and reports what happened. Deterministic but for times. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const files = await listFiles(options.corpus);
  const folder = await mkdtemp(path.join(tmpdir(), 'readroom-fuzz-'));
  const report: FuzzReport = {
    count: options.count,
    seed: options.seed,
    outcomes: {},
    failures: [],
    unforeseen: {},
    slowestMs: 0,
    largestRssBytes: 0,
  };
  const reader = new Reader(options);
  try {
    for (let index = 0; index < options.count; index++) {
      const file = files[index % files.length];
      const random = new Random(options.seed * 100_003 + index);
      const { bytes, how } = mutate(await readFile(file), random);
      const target = await place(folder, file, bytes);
      const fail = (why: string) => report.failures.push({ file, index, how, why });
      const result = await reader.read(target);
      report.slowestMs = Math.max(report.slowestMs, result.ms);
      if (result.outcome) tally(report, result.outcome, fail, options.limitBytes);
      if (result.why) fail(result.why);
      if (result.outcome && result.outcome.maxRss > options.limitBytes) reader.stop();
      if (options.keep && report.failures.at(-1)?.index === index) {
        await mkdir(options.keep, { recursive: true });
        await writeFile(path.join(options.keep, `${index}-${path.basename(file)}`), bytes);
      }
      options.onProgress?.(index + 1);
    }
  } finally {
    reader.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return report;
}

function tally(
  report: FuzzReport,
  outcome: FuzzOutcome,
  fail: (why: string) => void,
  limitBytes: number,
): void {
  for (const name of outcome.outcomes) report.outcomes[name] = (report.outcomes[name] ?? 0) + 1;
  for (const message of outcome.unforeseen)
    report.unforeseen[message] = (report.unforeseen[message] ?? 0) + 1;
  for (const fault of outcome.faults) fail(fault);
  report.largestRssBytes = Math.max(report.largestRssBytes, outcome.maxRss);
  if (outcome.maxRss > limitBytes) fail(`memory grew to ${Math.round(outcome.maxRss / 2 ** 20)} MiB`);
}

async function listFiles(folders: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true });
    for (const entry of entries) {
      // Node 20 names it `path`; later ones `parentPath`.
      if (entry.isFile() && !/\.(json|md|txt|py)$/.test(entry.name))
        files.push(path.join(entry.parentPath ?? entry.path, entry.name));
    }
  }
  if (files.length === 0) throw new Error(`no files in ${folders.join(', ')}`);
  return files.sort();
}

/** The damaged file under its own name, with the unharmed files of the same stem beside it (.raw, .img). */
async function place(folder: string, file: string, bytes: Uint8Array): Promise<string> {
  await rm(path.join(folder, 'case'), { recursive: true, force: true });
  await mkdir(path.join(folder, 'case'));
  const name = path.basename(file);
  const stem = name.split('.')[0];
  if (/\.(hdr|mhd|nhdr|img|raw|zraw)$/.test(name)) {
    for (const other of await readdir(path.dirname(file))) {
      if (other.split('.')[0] === stem)
        await cp(path.join(path.dirname(file), other), path.join(folder, 'case', other));
    }
  }
  const target = path.join(folder, 'case', name);
  await writeFile(target, bytes);
  return target;
}

/** A child process that is started when needed and killed when it hangs. */
class Reader {
  readonly #options: FuzzOptions;
  #child: ChildProcess | undefined;

  constructor(options: FuzzOptions) {
    this.#options = options;
  }

  async read(file: string): Promise<{ ms: number; outcome?: FuzzOutcome; why?: string }> {
    this.#child ??= await this.#start();
    const child = this.#child;
    const start = performance.now();
    return new Promise((resolve) => {
      const finish = (result: { outcome?: FuzzOutcome; why?: string }) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve({ ms: performance.now() - start, ...result });
      };
      const timer = setTimeout(() => {
        this.stop();
        finish({ why: `took longer than ${this.#options.limitMs} ms` });
      }, this.#options.limitMs);
      child.once('message', (outcome) => finish({ outcome: outcome as FuzzOutcome }));
      child.once('exit', (code, signal) => {
        this.#child = undefined;
        finish({ why: `the process died (${signal ?? code})` });
      });
      child.send(file);
    });
  }

  #start(): Promise<ChildProcess> {
    const child = fork(this.#options.childScript, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    return new Promise((resolve, reject) => {
      child.once('message', () => {
        child.removeAllListeners();
        resolve(child);
      });
      child.once('exit', (code) => reject(new Error(`the reading process ended at once (${code})`)));
    });
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}
