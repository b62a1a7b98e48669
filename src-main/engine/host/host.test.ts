import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunRequestInput, runRequestSchema } from '../../../src-contract/engine-protocol.ts';
import type { RunEvent } from '../../../src-contract/run-events.ts';
import { testRequest } from '../grounding/test-request.ts';
import { buildEntry } from './build-entry.ts';
import { EngineHost } from './client.ts';
import { deathOf, oomKills } from './memory-failure.ts';
import type { TestModel } from './test-entry.ts';
import { type ChildConnection, forkTransport } from './transport.ts';

let entry: Awaited<ReturnType<typeof buildEntry>>;
const hosts: EngineHost[] = [];

beforeAll(async () => {
  entry = await buildEntry(resolve(import.meta.dirname, 'test-entry.ts'));
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.dispose()));
});
afterAll(() => entry.remove());

const box = '<|box_start|>[1,2,30,40]<|box_end|>';
const script = [`See ${box}`, 'B. Node<|im_end|>'];

async function hostWith(model: TestModel, cancelGraceMs?: number): Promise<EngineHost> {
  const host = new EngineHost({ transport: forkTransport(entry.file), cancelGraceMs });
  hosts.push(host);
  await host.call('load', { containerDir: JSON.stringify(model) });
  return host;
}

const request = (change: Partial<RunRequestInput> = {}): RunRequestInput => testRequest(change);

/** Whether a process is there. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 5));
}

describe('calls', () => {
  test('load, info, run, unload', async () => {
    const host = new EngineHost({ transport: forkTransport(entry.file) });
    hosts.push(host);
    expect(host.pid).toBeUndefined();
    const loading: RunEvent[] = [];
    const containerDir = JSON.stringify({ script });
    const facts = await host.call('load', { containerDir }, { onEvent: (event) => loading.push(event) });
    expect(facts).toMatchObject({ name: 'fake', provider: 'cpu', imageProcessor: 'FakeImageProcessor' });
    expect(loading).toMatchObject([{ type: 'progress', phase: 'load', done: 1, total: 1 }]);
    expect(await host.call('info', {})).toMatchObject({ pid: host.pid, model: { name: 'fake' } });
    expect(await host.call('processedSize', { width: 50, height: 20 })).toEqual({ width: 56, height: 28 });
    const events: RunEvent[] = [];
    const outcome = await host.call('run', request(), { onEvent: (event) => events.push(event) });
    expect(outcome).toMatchObject({ stopReason: 'end-of-turn', rounds: 2 });
    expect(events[0].type).toBe('run-started');
    expect(events.at(-1)?.type).toBe('run-finished');
    expect(events.filter(({ type }) => type === 'crop')).toHaveLength(1);
    await host.call('unload', {});
    await expect(host.call('run', request())).rejects.toMatchObject({ code: 'input-invalid' });
  });

  test('prepare leaves less to do for the question', async () => {
    const host = await hostWith({ script: ['', '<|im_end|>'] });
    const { images } = request();
    expect(await host.call('prepare', { mode: '2d', images })).toMatchObject({ reused: 0 });
    const events: RunEvent[] = [];
    await host.call('run', request(), { onEvent: (event) => events.push(event) });
    const prefill = events.find((event) => event.type === 'progress' && event.phase === 'prefill');
    expect(prefill).toMatchObject({ cached: true });
  });

  test('parallel runs wait for each other', async () => {
    const host = await hostWith({ script: ['A<|im_end|>', 'B<|im_end|>', 'C<|im_end|>'], stepMs: 5 });
    const order: string[] = [];
    const run = async (runId: string) => {
      const onEvent = ({ type }: RunEvent) => {
        if (type === 'run-started' || type === 'run-finished') order.push(`${runId} ${type}`);
      };
      return (await host.call('run', request({ runId }), { onEvent })).response;
    };
    expect(await Promise.all([run('1'), run('2'), run('3')])).toEqual(['A', 'B', 'C']);
    expect(order).toEqual(['1', '2', '3'].flatMap((id) => [`${id} run-started`, `${id} run-finished`]));
  });

  test('wrong params are answered, with the field', async () => {
    const host = await hostWith({ script: [] });
    const bad = request();
    const [image] = bad.images;
    await expect(host.call('run', { ...bad, images: [{ ...image, width: 49 }] })).rejects.toMatchObject({
      code: 'input-invalid',
      field: 'images.0',
    });
    await expect(host.call('explode' as 'info', {})).rejects.toMatchObject({ field: 'method' });
    expect(await host.call('info', {})).toMatchObject({ pid: host.pid });
  });

  test('noise on the channel hurts nobody, on either side', async () => {
    const transport = forkTransport(entry.file);
    const connections: ChildConnection[] = [];
    const start = () => {
      connections.push(transport.start());
      return connections[connections.length - 1];
    };
    const host = new EngineHost({ transport: { start } });
    hosts.push(host);
    const model: TestModel = { script, atStep: 1, disaster: 'babble' };
    await host.call('load', { containerDir: JSON.stringify(model) });
    for (const noise of [
      'x',
      7,
      null,
      { kind: 'call' },
      { kind: 'call', id: -1, method: 'info', params: {} },
      [],
    ]) {
      connections[0].send(noise);
    }
    expect(await host.call('run', request())).toMatchObject({ stopReason: 'end-of-turn' });
  });

  test('a listener that throws fails its own call only', async () => {
    const host = await hostWith({ script: ['', 'B<|im_end|>'] });
    const onEvent = () => {
      throw new Error('no room on the screen');
    };
    await expect(host.call('run', request(), { onEvent })).rejects.toThrow('no room on the screen');
    expect(await host.call('run', request())).toMatchObject({ response: 'B' });
  });
});

describe('cancel', () => {
  test('ends a run within one token', async () => {
    const host = await hostWith({ script: [], stepMs: 30 });
    const controller = new AbortController();
    let tokens = 0;
    const outcome = await host.call('run', request(), {
      signal: controller.signal,
      onEvent: ({ type }) => {
        if (type === 'token' && ++tokens === 3) controller.abort();
      },
    });
    expect(outcome.stopReason).toBe('cancelled');
    // The step under way when the cancel came may still yield its token.
    expect(outcome.newTokens).toBeLessThanOrEqual(4);
    expect(tokens).toBe(outcome.newTokens);
  });

  test('Ctrl+C in the terminal is for the parent to handle', async () => {
    const host = await hostWith({ script: ['abc<|im_end|>'], stepMs: 30 });
    const onEvent = ({ type }: RunEvent) => {
      if (type === 'round-started') process.kill(host.pid!, 'SIGINT');
    };
    expect(await host.call('run', request(), { onEvent })).toMatchObject({ response: 'abc' });
  });

  test('a run that waits is answered at once', async () => {
    const host = await hostWith({ script: [], stepMs: 10 });
    const first = new AbortController();
    let began = false;
    const onEvent = () => {
      began = true;
    };
    const running = host.call('run', request(), { signal: first.signal, onEvent });
    await until(() => began);
    const second = new AbortController();
    const waiting = host.call('run', request(), { signal: second.signal });
    second.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    first.abort();
    expect((await running).stopReason).toBe('cancelled');
    await expect(host.call('run', request(), { signal: second.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  test('a run that will not stop loses its process, and the next run works', async () => {
    const host = await hostWith({ script: [], atStep: 2, disaster: 'hang' }, 300);
    const controller = new AbortController();
    const running = host.call('run', request(), {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'token' && event.index === 2) setTimeout(() => controller.abort(), 100);
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    const limits = { maxNewTokens: 2, maxRounds: 1, tokensPerRound: 2 };
    expect(await host.call('run', request({ limits }))).toMatchObject({ response: 'xx' });
  });
});

describe('the end of the process', () => {
  test('kill -9 in mid-run is a typed error for every call, and the next run works', async () => {
    const host = await hostWith({ script: ['', '', 'fine<|im_end|>'], stepMs: 20 });
    const killed = host.pid!;
    let tokens = 0;
    const running = host.call('run', request(), {
      onEvent: ({ type }) => {
        if (type === 'token' && ++tokens === 2) process.kill(killed, 'SIGKILL');
      },
    });
    const waiting = host.call('run', request());
    for (const call of [running, waiting]) {
      await expect(call).rejects.toMatchObject({
        code: 'engine-died',
        message: 'The engine process ended by signal SIGKILL.',
        remedy: expect.stringContaining('starts anew'),
      });
    }
    const limits = { maxNewTokens: 3, maxRounds: 1, tokensPerRound: 3 };
    expect(await host.call('run', request({ limits }))).toMatchObject({ stopReason: 'token-limit' });
    expect(host.pid).not.toBe(killed);
  });

  test('an exit code and last words', async () => {
    const host = await hostWith({ script: [], atStep: 0, disaster: 'exit' });
    await expect(host.call('run', request())).rejects.toMatchObject({
      code: 'engine-died',
      message: 'The engine process ended with exit code 3.',
    });
  });

  test('an allocation that failed, in the process and in the run', async () => {
    const aborted = await hostWith({ script: [], atStep: 0, disaster: 'bad-alloc' });
    await expect(aborted.call('run', request())).rejects.toMatchObject({
      code: 'engine-out-of-memory',
      detail: expect.stringContaining('std::bad_alloc'),
    });
    const threw = await hostWith({ script: [], atStep: 0, disaster: 'throw' });
    expect(await threw.call('run', request())).toMatchObject({
      stopReason: 'failed',
      error: { code: 'engine-out-of-memory' },
    });
  });

  test('an entry that is not there', async () => {
    const host = new EngineHost({ transport: forkTransport('/nowhere/engine-host.js') });
    hosts.push(host);
    await expect(host.call('info', {})).rejects.toMatchObject({
      code: 'engine-died',
      detail: expect.stringContaining('Cannot find module'),
    });
  });

  test('the process goes when its parent goes', async () => {
    let connection: ChildConnection | undefined;
    const transport = forkTransport(entry.file);
    const host = new EngineHost({ transport: { start: () => (connection = transport.start()) } });
    hosts.push(host);
    const { pid } = await host.call('info', {});
    connection!.close();
    await until(() => !lives(pid));
  });

  test('dispose ends it, calls under way included', async () => {
    const host = await hostWith({ script: [], stepMs: 20 });
    const running = host.call('run', request()).catch((error: unknown) => error);
    const { pid } = await host.call('info', {});
    await host.dispose();
    expect(lives(pid)).toBe(false);
    expect(await running).toMatchObject({ code: 'cancelled' });
    await expect(host.call('info', {})).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test.skipIf(oomKills() === null)("the kernel's own verdict tells a kill for memory from any other", () => {
  const kills = oomKills()!;
  const exit = { code: null, signal: 'SIGKILL' };
  expect(deathOf(exit, '', kills - 1).code).toBe('engine-out-of-memory');
  expect(deathOf(exit, '', kills).code).toBe('engine-died');
  expect(deathOf({ code: null, signal: 'SIGSEGV' }, '', kills - 1).code).toBe('engine-died');
});

test('requests keep their pixels across the channel', () => {
  const checked = runRequestSchema.parse(structuredClone(request()));
  expect(checked.images[0].data).toBeInstanceOf(Uint8Array);
});
