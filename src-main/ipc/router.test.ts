import type { BrowserWindow } from 'electron';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type CallName, calls } from '../../src-contract/channels.ts';
import { ReadroomError } from '../../src-contract/errors.ts';
import {
  type CallHandlers,
  callChannel,
  emitTo,
  eventChannel,
  isTrustedSender,
  serveCalls,
} from './router.ts';

const electron = vi.hoisted(() => {
  const handlers = new Map<string, (event: unknown, ...message: unknown[]) => Promise<unknown>>();
  return {
    handlers,
    ipcMain: {
      handle: (channel: string, handler: (event: unknown, ...message: unknown[]) => Promise<unknown>) =>
        handlers.set(channel, handler),
      removeHandler: (channel: string) => handlers.delete(channel),
    },
  };
});
vi.mock('electron', () => ({ ipcMain: electron.ipcMain }));

const webContents = { send: vi.fn() };
const window = { webContents, isDestroyed: () => false } as unknown as BrowserWindow;
const page = { url: 'app://readroom/index.html', parent: null };
const fromPage = { sender: webContents, senderFrame: page };
const otherwise = (changes: object) =>
  ({ ...fromPage, ...changes }) as unknown as Parameters<typeof isTrustedSender>[0];

describe('isTrustedSender', () => {
  it('trusts the main frame of our page', () => {
    expect(isTrustedSender(otherwise({}), window)).toBe(true);
  });

  it.each([
    ['another page', { senderFrame: { ...page, url: 'https://example.com/' } }],
    ['a look-alike origin', { senderFrame: { ...page, url: 'app://readroom.example.com/' } }],
    ['a look-alike scheme', { senderFrame: { ...page, url: 'file:///app://readroom/' } }],
    ['a blank page', { senderFrame: { ...page, url: 'about:blank' } }],
    ['a frame inside the page', { senderFrame: { ...page, parent: page } }],
    ['a frame that is gone', { senderFrame: null }],
    ['other web contents', { sender: { send: vi.fn() } }],
  ])('refuses %s', (_what, changes) => {
    expect(isTrustedSender(otherwise(changes), window)).toBe(false);
  });

  it('refuses everyone where there is no window', () => {
    expect(isTrustedSender(otherwise({}), null)).toBe(false);
    expect(isTrustedSender(otherwise({}), { ...window, isDestroyed: () => true } as BrowserWindow)).toBe(
      false,
    );
  });
});

describe('serveCalls', () => {
  const acted: string[] = [];
  let answers: Partial<Record<CallName, () => unknown>>;
  const handlers = new Proxy({} as CallHandlers, {
    get: (_target, name: string) => () => {
      acted.push(name);
      return (answers[name as CallName] ?? (() => ({})))();
    },
  });
  const call = (event: unknown, ...message: unknown[]) =>
    electron.handlers.get(callChannel)?.(event, ...message);

  beforeEach(() => {
    acted.length = 0;
    answers = {};
    electron.handlers.clear();
    serveCalls(() => window, handlers);
  });

  it('answers a call of the page', async () => {
    expect(await call(fromPage, 'models.unload', {})).toEqual({ ok: true, value: {} });
    expect(acted).toEqual(['models.unload']);
  });

  it('does nothing for anyone else', async () => {
    const stranger = { ...fromPage, senderFrame: { ...page, url: 'https://example.com/' } };
    expect(await call(stranger, 'models.unload', {})).toMatchObject({
      ok: false,
      error: { code: 'input-invalid' },
    });
    expect(acted).toEqual([]);
  });

  it.each([
    ['no name', []],
    ['an unknown name', ['app.quit', {}]],
    ["an object's own property", ['constructor', {}]],
    ['a name that is no text', [{ toString: () => 'models.unload' }, {}]],
    ['no params', ['models.unload']],
    ['too many params', ['models.unload', {}, {}]],
    ['params of the wrong type', ['run.stop', { runId: 7 }]],
    ['a missing field', ['study.close', {}]],
    ['an endless id', ['run.stop', { runId: 'x'.repeat(100_000) }]],
    ['a field too many', ['run.stop', { runId: 'r', force: true }]],
    ['settings that say nothing', ['settings.set', {}]],
    ['a negative slice', ['study.tags', { studyId: 'a', seriesId: 'b', slice: -1 }]],
    [
      'an unknown preset',
      [
        'run.ask',
        { studyId: 'a', seriesId: 'b', target: { kind: 'volume' }, question: 'q', options: {}, preset: 'x' },
      ],
    ],
  ])('does nothing with %s', async (_what, message) => {
    expect(await call(fromPage, ...message)).toMatchObject({ ok: false, error: { code: 'input-invalid' } });
    expect(acted).toEqual([]);
  });

  it('strips what the contract does not list from params and results', async () => {
    answers['run.saveTrace'] = () => ({ name: 'a.json', path: '/home/someone/a.json' });
    expect(await call(fromPage, 'run.saveTrace', { runId: 'r' })).toEqual({
      ok: true,
      value: { name: 'a.json' },
    });
  });

  it('answers a failure with its payload, and a bug without its stack', async () => {
    answers['models.unload'] = () => {
      throw new ReadroomError('disk-full', 'There is no space left.', { remedy: 'Free some.' });
    };
    expect(await call(fromPage, 'models.unload', {})).toEqual({
      ok: false,
      error: { code: 'disk-full', message: 'There is no space left.', remedy: 'Free some.' },
    });
    answers['models.unload'] = () => {
      throw new TypeError('x is undefined');
    };
    expect(await call(fromPage, 'models.unload', {})).toEqual({
      ok: false,
      error: { code: 'internal', message: 'x is undefined' },
    });
  });

  it('acts on none of 10,000 malformed messages, and answers each', async () => {
    const value = fc.anything({ maxDepth: 1, maxKeys: 3 });
    const name = fc.oneof(fc.constantFrom(...Object.keys(calls)), value);
    // The contract's own field names, so that some messages come close to being right.
    const fields = [
      'studyId',
      'seriesId',
      'runId',
      'modelId',
      'slice',
      'target',
      'paths',
      'kind',
      'question',
    ];
    const params = fc.oneof(fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 4 }), value);
    const messages = fc.oneof(fc.tuple(name, params), fc.array(value, { maxLength: 4 }));
    let valid = 0;
    await fc.assert(
      fc.asyncProperty(messages, async (message: unknown[]) => {
        const [name, params] = message;
        const wellFormed =
          message.length === 2 &&
          typeof name === 'string' &&
          Object.hasOwn(calls, name) &&
          calls[name as CallName].params.safeParse(params).success;
        if (wellFormed) valid++;
        const before = acted.length;
        const answer = await call(fromPage, ...message);
        expect(answer).toHaveProperty('ok');
        if (!wellFormed) {
          expect(answer).toMatchObject({ ok: false, error: { code: 'input-invalid' } });
          expect(acted.length).toBe(before);
        }
      }),
      { numRuns: 10_000 },
    );
    expect(acted.length).toBe(valid);
  });
});

describe('emitTo', () => {
  it('sends to a window and to none', () => {
    emitTo(window, 'command', { name: 'ask' });
    expect(webContents.send).toHaveBeenCalledWith(eventChannel, 'command', { name: 'ask' });
    expect(() => emitTo(null, 'command', { name: 'ask' })).not.toThrow();
  });
});
