/** Starts the engine for a command, loads the model with progress on the terminal, and always takes the engine down. */
import type { ModelFacts } from '../../src-contract/run-events.ts';
import { EngineHost } from '../engine/host/client.ts';
import { forkTransport } from '../engine/host/transport.ts';
import { findModel } from '../runs/model-folders.ts';
import { loadModel } from '../runs/models.ts';
import { engineHostEntry } from '../storage/locations.ts';
import { type ModelOptions, precisionWish, providerWish } from './options.ts';
import { formatBytes, note, progress } from './terminal.ts';

/** What is said once of a model that is not the real one, so that nobody takes its words for UniReason-Med's. */
const demonstrationNotice =
  'readroom-mini is a small demonstration model trained on synthetic lesions; it knows no real disease.';

export interface EngineSession {
  readonly engine: EngineHost;
  readonly facts: ModelFacts;
}

let interrupt: AbortSignal | undefined;

/** Aborts on the first Ctrl+C; a second one ends the process at once. One signal for the whole command. */
export function interruptSignal(): AbortSignal {
  if (interrupt) return interrupt;
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    note('\nStopping … (Ctrl+C again to end at once)');
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  interrupt = controller.signal;
  return interrupt;
}

export async function withEngine<T>(
  options: ModelOptions,
  signal: AbortSignal,
  use: (session: EngineSession) => Promise<T>,
): Promise<T> {
  const model = findModel(options.modelPath);
  const engine = new EngineHost({ transport: forkTransport(engineHostEntry()) });
  const bars = { convert: progress('Converting'), load: progress('Loading') };
  try {
    if (model.bundled && !options.quiet) note(demonstrationNotice);
    const facts = await loadModel(
      engine,
      model,
      { precision: precisionWish(options), provider: providerWish(options), threads: options.threads },
      {
        signal,
        onConvert: ({ doneBytes, totalBytes }) => {
          if (!options.quiet) bars.convert.update(doneBytes, totalBytes, formatBytes(totalBytes));
        },
        onLoad: (done, total) => {
          if (!options.quiet) bars.load.update(done, total);
        },
      },
    );
    bars.convert.stop();
    bars.load.stop();
    if (!options.quiet) {
      note(`${facts.name} · ${facts.precision} on ${facts.provider}`);
      for (const { provider, reason } of facts.refused) note(`  not ${provider}: ${reason.split('\n')[0]}`);
    }
    return await use({ engine, facts });
  } finally {
    bars.convert.stop();
    bars.load.stop();
    await engine.dispose();
  }
}
