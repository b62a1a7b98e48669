/** `doctor`: what this machine offers and what is missing, in one place for a bug report. */
import { mkdirSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { toReadroomError } from '../../../src-contract/errors.ts';
import { type Provider, providers } from '../../../src-contract/run-events.ts';
import { EngineHost } from '../../engine/host/client.ts';
import { forkTransport } from '../../engine/host/transport.ts';
import { choosePrecision, findModel } from '../../runs/model-folders.ts';
import { loadModel } from '../../runs/models.ts';
import { appVersion } from '../../runs/version.ts';
import { cacheFolder, engineHostEntry } from '../../storage/locations.ts';
import { formatBytes } from '../terminal.ts';

interface ProviderReport {
  provider: Provider;
  works: boolean;
  reason?: string;
}

/** Loads the bundled model on every provider in turn: what creates a session and what does not, with its own words. */
async function tryProviders(): Promise<ProviderReport[]> {
  const model = findModel('readroom-mini');
  const reports: ProviderReport[] = [];
  for (const provider of providers) {
    // One process a provider: a broken driver can take its process down, and must not take the report with it.
    const engine = new EngineHost({ transport: forkTransport(engineHostEntry()) });
    try {
      await loadModel(engine, model, { precision: choosePrecision(model, 'auto'), provider });
      reports.push({ provider, works: true });
    } catch (thrown) {
      const { message, detail } = toReadroomError(thrown);
      const [reason] = (detail ?? message).split('\n');
      // The ladder's list begins each line with the provider; here that is said already.
      reports.push({ provider, works: false, reason: reason.replace(`${provider}: `, '') });
    } finally {
      await engine.dispose();
    }
  }
  return reports;
}

export async function runDoctor(options: { json: boolean }): Promise<void> {
  const requireFromHere = createRequire(import.meta.url);
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  const disk = statfsSync(cache);
  const report = {
    readroom: appVersion(),
    node: process.version,
    onnxruntime: String(requireFromHere('onnxruntime-node/package.json').version),
    platform: `${process.platform} ${process.arch} ${os.release()}`,
    cpu: `${os.cpus()[0]?.model ?? 'unknown'} x ${os.availableParallelism()}`,
    memory: { total: os.totalmem(), free: os.freemem() },
    cache: { folder: cache, free: disk.bavail * disk.bsize },
    providers: await tryProviders(),
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const print = (name: string, text: string) => process.stdout.write(`${name.padEnd(14)}${text}\n`);
  print('Readroom', report.readroom);
  print('Node', report.node);
  print('ONNX Runtime', report.onnxruntime);
  print('System', report.platform);
  print('Processor', report.cpu);
  print('Memory', `${formatBytes(report.memory.free)} free of ${formatBytes(report.memory.total)}`);
  print('Cache', `${report.cache.folder}, ${formatBytes(report.cache.free)} free`);
  for (const { provider, works, reason } of report.providers) {
    print(provider, works ? 'works' : `not available: ${reason}`);
  }
  // The 7B checkpoint's int4 container takes 7.1 GB when loaded, and a study's KV cache comes on top (docs/benchmarks.md).
  const sevenB = 7.5e9;
  if (report.memory.total < sevenB) {
    print('Note', `a 7B model in int4 needs about ${formatBytes(sevenB)} of memory; this machine has less.`);
  }
}
