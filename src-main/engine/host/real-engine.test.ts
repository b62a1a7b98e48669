/** The engine process as it ships, ONNX Runtime included, on a fixture checkpoint. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunRequestInput } from '../../../src-contract/engine-protocol.ts';
import type { RunEvent } from '../../../src-contract/run-events.ts';
import { ensureContainer } from '../../checkpoint/container-cache.ts';
import { recordedInput, recordedRuns, referenceFixtures } from '../grounding/recorded-runs.ts';
import { buildEntry } from './build-entry.ts';
import { EngineHost } from './client.ts';
import { forkTransport } from './transport.ts';

const recorded = recordedRuns('memo').find(({ name }) => name === 'two-cuboids')!;

let entry: Awaited<ReturnType<typeof buildEntry>>;
let host: EngineHost;
let request: RunRequestInput;
const cache = mkdtempSync(join(tmpdir(), 'readroom-host-'));

beforeAll(async () => {
  entry = await buildEntry(resolve(import.meta.dirname, 'entry.ts'));
  const model = join(referenceFixtures, 'models', 'memo');
  const containerDir = await ensureContainer({ model, precision: 'fp32', cacheRoot: cache });
  host = new EngineHost({ transport: forkTransport(entry.file) });
  await host.call('load', { containerDir, provider: 'cpu', threads: 1 });
  const { images, chain } = await recordedInput(recorded, (width, height) =>
    host.call('processedSize', { width, height }),
  );
  request = {
    runId: 'real',
    mode: '3d',
    images: images.map((image) => ({ ...image, data: Uint8Array.from(image.data) })),
    promptText: recorded.text,
    limits: { maxNewTokens: 512, maxRounds: 10, tokensPerRound: 128 },
    chain,
  };
}, 120_000);
afterAll(async () => {
  await host?.dispose();
  entry?.remove();
  rmSync(cache, { recursive: true, force: true });
});

describe('across the process border', () => {
  test('a recorded run, and a second question that finds its images', async () => {
    expect(await host.call('run', request)).toMatchObject({ response: recorded.response });
    const events: RunEvent[] = [];
    await host.call('run', request, { onEvent: (event) => events.push(event) });
    const phases = events.filter((event) => event.type === 'progress').slice(0, 2);
    expect(phases).toMatchObject([
      { phase: 'vision', cached: true },
      { phase: 'prefill', cached: true },
    ]);
  });

  test('cancel ends a long answer', async () => {
    const controller = new AbortController();
    const long = 1500;
    const onEvent = (event: RunEvent) => {
      if (event.type === 'token' && event.index === 5) controller.abort();
    };
    const outcome = await host.call(
      'run',
      {
        ...request,
        forcedTokens: Array<number>(long).fill(20),
        limits: { maxNewTokens: long, maxRounds: 1, tokensPerRound: long },
      },
      { signal: controller.signal, onEvent },
    );
    expect(outcome.stopReason).toBe('cancelled');
    expect(outcome.newTokens).toBeLessThan(long / 2);
  });

  test('kill -9 in mid-run, and the same answer afterwards', async () => {
    const onEvent = (event: RunEvent) => {
      if (event.type === 'token' && event.index === 5) process.kill(host.pid!, 'SIGKILL');
    };
    await expect(host.call('run', request, { onEvent })).rejects.toMatchObject({ code: 'engine-died' });
    expect(await host.call('run', request)).toMatchObject({ response: recorded.response });
  });

  test('a folder that is no container', async () => {
    await expect(host.call('load', { containerDir: cache })).rejects.toMatchObject({
      code: 'container-incomplete',
    });
  });
});
