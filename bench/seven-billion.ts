/**
 * A checkpoint of the 7B's exact shape through the whole path: written (random weights, four shards), converted to int4
 * with a kill half way, loaded by the engine host, asked about one image and about a study. What it takes in time,
 * memory and disk is what a person with the real 7B will see; the numbers that come out of random weights mean nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRequestInput } from '../src-contract/engine-protocol.ts';
import type { RunEvent } from '../src-contract/run-events.ts';
import { estimateConversion } from '../src-main/checkpoint/conversion-plan.ts';
import { sevenBillion, writeRandomCheckpoint } from '../src-main/checkpoint/random-checkpoint.ts';
import { verifyContainer } from '../src-main/checkpoint/verify.ts';
import { EngineHost } from '../src-main/engine/host/client.ts';
import { forkTransport } from '../src-main/engine/host/transport.ts';
import { loadChatTokenizer } from '../src-main/engine/tokenizer/chat-tokenizer.ts';
import { QwenImageProcessor } from '../src-main/engine/vision/image-processor.ts';
import { engineHostEntry, projectRoot } from '../src-main/storage/locations.ts';
import {
  type Log,
  machine,
  miniFolder,
  request2d,
  request3d,
  rounded,
  syntheticSlices,
  writeBoundsOf7B,
} from './bench.ts';

export interface SevenBillionOptions {
  /** Checkpoint and container go here: 16.6 GB and 5.5 GB. */
  readonly work: string;
  /** Slices of the study that is asked about; 0 for the image alone. */
  readonly slices: number;
  /** Leaves checkpoint and container where they are. */
  readonly keep: boolean;
}

/** As the real one's files are cut. */
const shardBytes = 4e9;
const forcedTokens = 48;

export async function sevenBillionTrial(options: SevenBillionOptions, log: Log): Promise<unknown> {
  const source = join(options.work, 'checkpoint');
  const container = join(options.work, 'container');
  try {
    const written = await writeCheckpoint(source, log);
    const conversion = await convert(source, container, log);
    // Said as soon as they are known: the rest may take long, or too much memory.
    log(JSON.stringify({ written, conversion }));
    const use = await ask(container, options.slices, log);
    return { machine: machine(), written, conversion, ...use };
  } finally {
    if (!options.keep) await rm(options.work, { recursive: true, force: true });
  }
}

async function writeCheckpoint(source: string, log: Log) {
  const whole = join(source, 'whole');
  if (existsSync(whole)) return 'was there';
  log('Writing a random checkpoint of the shape of the 7B …');
  await rm(source, { recursive: true, force: true });
  await mkdir(source, { recursive: true });
  const started = performance.now();
  await writeRandomCheckpoint({ ...sevenBillion, out: source, tokenizerFrom: miniFolder(), shardBytes });
  writeBoundsOf7B(source);
  await writeFile(whole, '');
  return { seconds: seconds(started), bytes: await folderBytes(source) };
}

/** Through the command line, killed when half of the container is there, and run again. */
async function convert(source: string, container: string, log: Log) {
  if (existsSync(join(container, 'manifest.json'))) return 'was there';
  const { bytes: estimated } = await estimateConversion(source, 'int4');
  await rm(container, { recursive: true, force: true });
  log('Converting to int4, to be killed half way …');
  const first = new Watched(startConversion(source, container, log));
  let started = performance.now();
  while (first.running && (await folderBytes(container)) < estimated / 2) await pause(500);
  first.kill();
  await first.ended;
  const killedAfter = seconds(started);
  const kept = (await readdir(container)).filter((name) => name.endsWith('.bin')).length;
  log(`Killed after ${killedAfter} s with ${kept} data files whole; going on …`);
  const second = new Watched(startConversion(source, container, log));
  started = performance.now();
  const code = await second.ended;
  if (code !== 0) throw new Error(`the conversion ended with code ${code}`);
  const resumed = seconds(started);
  log('Checking every hash …');
  started = performance.now();
  const manifest = await verifyContainer(container, { hashes: true });
  const sizeOf = (pattern: RegExp) =>
    gigabytes(
      manifest.files.filter(({ name }) => pattern.test(name)).reduce((sum, file) => sum + file.bytes, 0),
    );
  return {
    secondsUntilKilled: killedAfter,
    dataFilesKept: kept,
    secondsResumed: resumed,
    peakResidentMB: Math.max(first.peakMB, second.peakMB),
    secondsToVerifyHashes: seconds(started),
    parameters: manifest.parameters,
    gigabytes: {
      container: sizeOf(/./),
      decoder: sizeOf(/^decoder/),
      embeddingTable: sizeOf(/^embed/),
      visionTower: sizeOf(/^vision/),
      estimated: gigabytes(estimated),
    },
  };
}

function startConversion(source: string, container: string, log: Log): ChildProcess {
  const cli = join(projectRoot(), 'out', 'main', 'cli.js');
  const child = spawn(process.execPath, [cli, 'convert', source, container, '--precision', 'int4'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => log(`  ${text.trim()}`));
  return child;
}

async function ask(container: string, slices: number, log: Log) {
  const tokenizer = await loadChatTokenizer(container);
  const imageProcessor = await QwenImageProcessor.load(container);
  const forced = tokenizer.encode('There is a lesion here. '.repeat(20)).slice(0, forcedTokens);
  const change = { forcedTokens: forced, maxNewTokens: forced.length };
  const host = new EngineHost({ transport: forkTransport(engineHostEntry()) });
  try {
    log('Loading …');
    const started = performance.now();
    const facts = await host.call('load', { containerDir: container, provider: 'cpu' });
    const load = { seconds: seconds(started), contextLimit: facts.contextLimit, ...residentMB(host.pid) };
    log(`  ${JSON.stringify(load)}`);
    const measure = async (what: string, request: RunRequestInput) => {
      log(`Asking about ${what} …`);
      const figures = { ...(await askOnce(host, request)), ...residentMB(host.pid) };
      log(`  ${JSON.stringify(figures)}`);
      return figures;
    };
    const [image] = syntheticSlices(1, 3, 512);
    const image2d = await measure(
      'an image of 512 x 512',
      request2d({ imageProcessor }, image, 'Is there a lesion?', change),
    );
    // What random weights say goes through every token of the vocabulary, most of which this tokenizer lacks.
    const free = await measure(
      'the same, in its own words',
      request2d({ imageProcessor }, image, 'Is there a lesion?', { maxNewTokens: 12 }),
    );
    if (slices === 0) return { load, image2d, free };
    const study = syntheticSlices(slices, 4);
    const study3d = await measure(
      `a study of ${slices} slices`,
      request3d({ imageProcessor }, study, 'Is there a lesion?', change),
    );
    const followUp = await measure(
      'it again',
      request3d({ imageProcessor }, study, 'On which side?', change),
    );
    return { load, image2d, free, study3d, followUp };
  } finally {
    await host.dispose();
  }
}

async function askOnce(host: EngineHost, request: RunRequestInput) {
  const events: RunEvent[] = [];
  await host.call('run', request, { onEvent: (event) => events.push(event) });
  const finished = events.find((event) => event.type === 'run-finished');
  if (!finished || finished.error) throw new Error(finished?.error?.message ?? 'the run did not finish');
  const prefill = events.find(
    (event) => event.type === 'progress' && event.phase === 'prefill' && event.done === event.total,
  );
  const positions = prefill?.type === 'progress' ? prefill.total : 0;
  const { visionMs, prefillMs, decodeMs, firstTokenMs } = finished.timings;
  return {
    stopReason: finished.stopReason,
    newPositions: positions,
    newTokens: finished.newTokens,
    visionSeconds: rounded(visionMs / 1000),
    prefillTokensPerSecond: rounded((1000 * positions) / prefillMs, 1),
    decodeTokensPerSecond: rounded((1000 * (finished.newTokens - 1)) / decodeMs),
    firstTokenSeconds: rounded((firstTokenMs ?? Number.NaN) / 1000),
  };
}

/** A child process and the most memory that it held, where the system tells (Linux). */
class Watched {
  peakMB = 0;
  running = true;
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    const timer = setInterval(() => {
      this.peakMB = Math.max(this.peakMB, residentMB(child.pid).peakResidentMB ?? 0);
    }, 200);
    this.ended = new Promise((resolve) => {
      child.on('exit', (code) => {
        clearInterval(timer);
        this.running = false;
        resolve(code);
      });
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

interface Resident {
  /** Of the process's own; what is mapped from files comes on top, and can be dropped and read again. */
  readonly anonymousMB?: number;
  readonly mappedMB?: number;
  readonly peakResidentMB?: number;
}

function residentMB(pid: number | undefined): Resident {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return {};
  }
  const field = (name: string) => {
    // A process that just ended has no memory left to tell of.
    const kilobytes = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1];
    return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1000);
  };
  return { anonymousMB: field('RssAnon'), mappedMB: field('RssFile'), peakResidentMB: field('VmHWM') };
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const seconds = (since: number): number => rounded((performance.now() - since) / 1000, 1);
const gigabytes = (bytes: number): number => rounded(bytes / 1e9);
