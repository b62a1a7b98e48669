/**
 * The border between page and main: 10,000 malformed messages from the page's side and as many straight at main's
 * handler, and well-formed ones from senders that are not the window. None may be acted on, none may end main.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IpcMainInvokeEvent, WebContents } from 'electron';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeWindow } from './harness/describe-window.ts';
import { callNames, malformedMessages, wellFormed } from './harness/malformed.ts';
import { launchReadroom, type Readroom, root } from './harness/readroom.ts';

const count = 10_000;
const batch = 1_000;

/** As main's router answers. */
interface Said {
  readonly ok: boolean;
  readonly error?: { readonly code: string };
}
type Handler = (event: unknown, ...message: unknown[]) => Promise<Said>;
interface Counted {
  dialogs: number;
  opened: number;
  sent: number;
}

describeWindow('The border between page and main', () => {
  let readroom: Readroom;
  const errorsOfMain = (): readonly string[] => readroom.complaints.filter((one) => one.startsWith('main:'));

  beforeAll(async () => {
    readroom = await launchReadroom();
    await readroom.app.evaluate(({ BrowserWindow, dialog, shell }) => {
      const counted: Counted = { dialogs: 0, opened: 0, sent: 0 };
      Object.assign(globalThis, { counted });
      dialog.showOpenDialog = async () => {
        counted.dialogs++;
        return { canceled: true, filePaths: [] };
      };
      dialog.showSaveDialog = async () => {
        counted.dialogs++;
        return { canceled: true, filePath: '' };
      };
      shell.openPath = async () => {
        counted.opened++;
        return '';
      };
      const contents = BrowserWindow.getAllWindows()[0]?.webContents as WebContents;
      const send = contents.send.bind(contents);
      contents.send = (...message: Parameters<typeof send>) => {
        counted.sent++;
        send(...message);
      };
    });
    // What the window asks for at its start is answered: the process that looked at the models is gone, the project's is
    // there.
    await readroom.page.evaluate(() => window.readroom.call('models.list', {}));
    await readroom.page.evaluate(() => window.readroom.call('project.view', {}));
    await vi.waitFor(async () => expect((await state()).services).toBe(1), {
      timeout: 30_000,
      interval: 200,
    });
  });
  afterAll(() => readroom.close());

  /** Everything that acting on a message would change. */
  async function state() {
    const main = await readroom.app.evaluate(({ app, BrowserWindow }) => ({
      counted: { ...(globalThis as unknown as { counted: Counted }).counted },
      windows: BrowserWindow.getAllWindows().length,
      services: app
        .getAppMetrics()
        .filter(({ serviceName, name }) => /Readroom/.test(`${serviceName} ${name}`)).length,
    }));
    const page = await readroom.page.evaluate(async () => ({
      info: await window.readroom.call('app.info', {}),
      engine: await window.readroom.call('engine.state', {}),
    }));
    const files = readdirSync(readroom.userData)
      .filter((name) => name.endsWith('.json'))
      .map((name) => [name, readFileSync(join(readroom.userData, name), 'utf8')]);
    return { ...main, ...page, files };
  }

  /** Asserts that `send` changes nothing and that main still answers. */
  async function actsOnNothing(send: () => Promise<void>): Promise<void> {
    const before = await state();
    await send();
    expect(await state()).toEqual(before);
    expect(before.info).toMatchObject({ ok: true });
    expect(errorsOfMain()).toEqual([]);
  }

  it(`${count} malformed messages through the bridge: all refused, none acted on`, async () => {
    const messages = malformedMessages(count, 1);
    await actsOnNothing(async () => {
      for (let first = 0; first < count; first += batch) {
        const accepted = await readroom.page.evaluate(
          async (some) => {
            const { call } = window.readroom as unknown as {
              call(name: unknown, params: unknown): Promise<Said>;
            };
            const said = await Promise.all(
              some.map(({ name, params }) =>
                Promise.resolve()
                  .then(() => call(name, params))
                  // Refused by the preload, or impossible to send.
                  .catch((): Said => ({ ok: false, error: { code: 'input-invalid' } })),
              ),
            );
            return said.flatMap(({ ok, error }, n) => (ok || error?.code !== 'input-invalid' ? [n] : []));
          },
          messages.slice(first, first + batch),
        );
        expect(accepted.map((n) => messages[first + n])).toEqual([]);
      }
    });
  });

  it(`${count} malformed messages at main's handler, as a page that broke out could send them`, async () => {
    const messages = malformedMessages(count, 2);
    await actsOnNothing(async () => {
      for (let first = 0; first < count; first += batch) {
        const accepted = await readroom.app.evaluate(
          async ({ BrowserWindow, ipcMain }, some) => {
            const { _invokeHandlers } = ipcMain as unknown as { _invokeHandlers: Map<string, Handler> };
            const handle = _invokeHandlers.get('readroom:call') as Handler;
            const sender = BrowserWindow.getAllWindows()[0]?.webContents as WebContents;
            const event = { sender, senderFrame: sender.mainFrame };
            const said = await Promise.all(some.map(({ name, params }) => handle(event, name, params)));
            return said.flatMap(({ ok, error }, n) => (ok || error?.code !== 'input-invalid' ? [n] : []));
          },
          messages.slice(first, first + batch),
        );
        expect(accepted.map((n) => messages[first + n])).toEqual([]);
      }
    });
  });

  it('messages of the wrong length, and values that only a page can make', async () => {
    await actsOnNothing(async () => {
      const accepted = await readroom.app.evaluate(async ({ BrowserWindow, ipcMain }) => {
        const { _invokeHandlers } = ipcMain as unknown as { _invokeHandlers: Map<string, Handler> };
        const handle = _invokeHandlers.get('readroom:call') as Handler;
        const sender = BrowserWindow.getAllWindows()[0]?.webContents as WebContents;
        const event = { sender, senderFrame: sender.mainFrame };
        const said = await Promise.all([
          handle(event),
          handle(event, 'models.list'),
          handle(event, 'models.list', {}, {}),
          handle(event, ['models.list', {}]),
          handle(event, { name: 'models.list', params: {} }),
        ]);
        return said.filter(({ ok }) => ok).length;
      });
      expect(accepted).toBe(0);
      const fromPage = await readroom.page.evaluate(async () => {
        const { call } = window.readroom as unknown as {
          call(name: unknown, params: unknown): Promise<Said>;
        };
        const cyclic: Record<string, unknown> = { kind: 'file' };
        cyclic.kind = cyclic;
        let deep: unknown = 'file';
        for (let depth = 0; depth < 3_000; depth++) deep = { kind: deep };
        const odd = [
          cyclic,
          deep,
          { kind: () => 'file' },
          { kind: Symbol('file') },
          { kind: new Map([['kind', 'file']]) },
          { kind: new Uint8Array(1 << 20) },
          { kind: 'file'.repeat(1 << 22) },
          { kind: new String('file') },
          new Proxy({}, { get: () => 'folderx' }),
          document.body,
          window,
        ];
        const said = await Promise.all(
          odd.map((params) =>
            Promise.resolve()
              .then(() => call('study.pick', params))
              .then(
                ({ ok }) => ok,
                () => false,
              ),
          ),
        );
        return said.flatMap((ok, n) => (ok ? [n] : []));
      });
      expect(fromPage).toEqual([]);
    });
  });

  it('well-formed messages from anyone but the window: refused before they are read', async () => {
    const messages = Object.entries(wellFormed).map(([name, params]) => ({ name, params }));
    await actsOnNothing(async () => {
      const accepted = await readroom.app.evaluate(async ({ BrowserWindow, ipcMain }, some) => {
        const { _invokeHandlers } = ipcMain as unknown as { _invokeHandlers: Map<string, Handler> };
        const handle = _invokeHandlers.get('readroom:call') as Handler;
        const sender = BrowserWindow.getAllWindows()[0]?.webContents as WebContents;
        const frame = (url: string, parent: unknown = null) => ({ url, parent });
        const page = 'app://readroom/index.html';
        const forged = [
          {},
          { sender },
          { sender, senderFrame: null },
          { sender, senderFrame: undefined },
          { sender, senderFrame: frame('https://example.com/') },
          { sender, senderFrame: frame('app://readroom.example.com/index.html') },
          { sender, senderFrame: frame('app://readroomx/index.html') },
          { sender, senderFrame: frame('app://other/index.html') },
          { sender, senderFrame: frame('file:///index.html') },
          { sender, senderFrame: frame('about:blank') },
          { sender, senderFrame: frame('') },
          { sender, senderFrame: frame(page, sender.mainFrame) },
          { sender: { ...sender }, senderFrame: frame(page) },
          { sender: null, senderFrame: frame(page) },
          { senderFrame: frame(page) },
        ] as unknown as IpcMainInvokeEvent[];
        const said = await Promise.all(
          forged.flatMap((event) => some.map(({ name, params }) => handle(event, name, params))),
        );
        return said.filter(({ ok, error }) => ok || error?.code !== 'input-invalid').length;
      }, messages);
      expect(accepted).toBe(0);
    });
  });

  it('another window with our own preload and our own page is refused too', async () => {
    const messages = Object.entries(wellFormed)
      .map(([name, params]) => ({ name, params }))
      .filter(({ name }) => name !== 'study.openDropped');
    expect(messages).toHaveLength(callNames.length - 1);
    await actsOnNothing(async () => {
      const said = await readroom.app.evaluate(
        async ({ BrowserWindow }, { preload, some }) => {
          const window = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } });
          await window.loadURL('app://readroom/index.html');
          const answers = await window.webContents.executeJavaScript(
            `Promise.all(${JSON.stringify(some)}.map(({ name, params }) => readroom.call(name, params)))`,
          );
          window.destroy();
          return answers as Said[];
        },
        { preload: join(root, 'out', 'preload', 'index.cjs'), some: messages },
      );
      expect(said).toHaveLength(messages.length);
      expect(said.filter(({ ok, error }) => ok || error?.code !== 'input-invalid')).toEqual([]);
    });
  });

  it('after all this the window works', async () => {
    const answer = await readroom.page.evaluate(() => window.readroom.call('models.list', {}));
    expect(answer.ok).toBe(true);
    expect(errorsOfMain()).toEqual([]);
  });
});
