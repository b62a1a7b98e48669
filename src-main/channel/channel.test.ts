import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ReadroomError } from '../../src-contract/errors.ts';
import type { ChildExit, ParentPort, Transport } from '../engine/host/transport.ts';
import { MethodProcess } from './client.ts';
import { serveMethods } from './server.ts';

const methods = {
  add: { params: z.strictObject({ a: z.number(), b: z.number() }), result: z.number() },
  wait: { params: z.strictObject({}), result: z.string() },
  wrong: { params: z.strictObject({}), result: z.number() },
  fail: { params: z.strictObject({}), result: z.number() },
} as const;
const event = z.object({ n: z.number() });

const definition = {
  methods,
  event,
  closed: 'It was closed.',
  death: (how: string, detail: string | undefined) =>
    new ReadroomError('project-died', `It ended ${how}.`, { detail }),
};

/** Both sides in one process; messages are cloned, as a channel does. */
function start() {
  let toChild: (message: unknown) => void = () => undefined;
  let toParent: (message: unknown) => void = () => undefined;
  let closeChild = (): void => undefined;
  let exit: (how: ChildExit) => void = () => undefined;
  const sent: unknown[] = [];
  const port: ParentPort = {
    send: (message) => queueMicrotask(() => toParent(structuredClone(message))),
    onMessage: (listener) => {
      toChild = listener;
    },
    onClose: (listener) => {
      closeChild = listener;
    },
  };
  const transport: Transport = {
    start: () => ({
      pid: 1,
      send: (message) => {
        sent.push(message);
        queueMicrotask(() => toChild(structuredClone(message)));
      },
      onMessage: (listener) => {
        toParent = listener;
      },
      onStderr: (listener) => listener('last words'),
      onExit: (listener) => {
        exit = listener;
      },
      close: () => closeChild(),
      kill: () => exit({ code: null, signal: 'SIGKILL' }),
    }),
  };
  const events: number[] = [];
  const deaths: ReadroomError[] = [];
  const process = new MethodProcess(definition, transport, {
    onEvent: ({ n }) => events.push(n),
    onDeath: (error) => deaths.push(error),
  });
  const serve = (): void =>
    serveMethods<typeof methods, unknown>(port, {
      methods,
      handlers: (emit) => ({
        add: ({ a, b }) => {
          emit({ n: a });
          emit('no event of ours');
          return a + b;
        },
        wait: (_params, signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new ReadroomError('cancelled', 'Cancelled.')));
          }),
        wrong: () => 'no number' as unknown as number,
        fail: () => {
          throw new RangeError('a bug');
        },
      }),
      onClose: () => exit({ code: 0, signal: null }),
    });
  return {
    process,
    serve,
    sent,
    events,
    deaths,
    kill: () => exit({ code: null, signal: 'SIGKILL' }),
    toChild: (m: unknown) => toChild(m),
  };
}

describe('a method channel', () => {
  it('holds calls back until the child listens, and answers each once', async () => {
    const { process, serve, sent, events } = start();
    const sums = [process.call('add', { a: 1, b: 2 }), process.call('add', { a: 3, b: 4 })];
    await Promise.resolve();
    expect(sent).toEqual([]);
    serve();
    expect(await Promise.all(sums)).toEqual([3, 7]);
    // Events come in order; what the schema does not know is dropped.
    expect(events).toEqual([1, 3]);
  });

  it('checks parameters and results on both sides', async () => {
    const { process, serve } = start();
    serve();
    const wrong = { a: 'x', b: 1 } as unknown as { a: number; b: number };
    await expect(process.call('add', wrong)).rejects.toMatchObject({ code: 'input-invalid', field: 'a' });
    await expect(process.call('wrong', {})).rejects.toMatchObject({ code: 'internal' });
    await expect(process.call('fail', {})).rejects.toMatchObject({ code: 'internal', message: 'a bug' });
    for (const name of ['none', 'constructor', '__proto__']) {
      await expect(process.call(name as 'add', { a: 1, b: 1 })).rejects.toMatchObject({
        code: 'input-invalid',
      });
    }
    expect(await process.call('add', { a: 1, b: 1 })).toBe(2);
  });

  it('passes over messages that are none', async () => {
    const { process, serve, toChild } = start();
    serve();
    for (const message of [null, 1, 'call', {}, { kind: 'call' }, { kind: 'call', id: -1, method: 'add' }]) {
      toChild(message);
    }
    expect(await process.call('add', { a: 1, b: 1 })).toBe(2);
  });

  it('cancels a call, and ends calls under way when it is closed', async () => {
    const { process, serve, deaths } = start();
    serve();
    const controller = new AbortController();
    const cancelled = process.call('wait', {}, controller.signal);
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await expect(process.call('wait', {}, controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
    const open = process.call('wait', {});
    const closed = expect(open).rejects.toMatchObject({ code: 'cancelled', message: 'It was closed.' });
    await process.dispose();
    await closed;
    expect(process.alive).toBe(false);
    expect(deaths).toEqual([]);
  });

  it('tells of a death once, with what the child said last', async () => {
    const { process, serve, deaths, kill } = start();
    serve();
    const open = process.call('wait', {});
    const died = expect(open).rejects.toMatchObject({
      code: 'project-died',
      message: 'It ended by signal SIGKILL.',
      detail: 'last words',
    });
    await vi.waitFor(() => expect(process.alive).toBe(true));
    kill();
    await died;
    expect(deaths).toHaveLength(1);
    await expect(process.call('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
