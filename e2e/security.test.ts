/**
 * Electron's own security checklist (electronjs.org/docs/latest/tutorial/security), item by item, on the running program.
 * Its 19th item, fuses, is about packaged programs, of which there are none yet.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { WebPreferences } from 'electron';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWindow } from './harness/describe-window.ts';
import { launchReadroom, type Readroom, root } from './harness/readroom.ts';

describeWindow("Electron's security checklist", () => {
  let readroom: Readroom;
  let server: Server;
  /** A server on this machine that nothing should ever reach. */
  let outside: string;
  let connections = 0;

  beforeAll(async () => {
    server = createServer((_request, response) => response.end('<p>outside</p>'));
    server.on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    outside = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    readroom = await launchReadroom();
  });
  afterAll(async () => {
    await readroom.close();
    server.close();
  });

  /** Runs in the page; resolves to what `attempt` came to, in words. */
  const inPage = <T>(attempt: (url: string) => T | Promise<T>): Promise<T> =>
    readroom.page.evaluate(attempt as (url: string) => Promise<T>, outside);

  it('1: loads nothing from outside', async () => {
    const said = await inPage(async (url) => {
      const told = (work: Promise<unknown>) =>
        work.then(
          () => 'reached',
          () => 'refused',
        );
      const event = (target: EventTarget, good: string) =>
        new Promise<string>((resolve) => {
          target.addEventListener(good, () => resolve('reached'));
          target.addEventListener('error', () => resolve('refused'));
        });
      const image = new Image();
      const imageSaid = event(image, 'load');
      image.src = `${url}/image.png`;
      const script = document.createElement('script');
      const scriptSaid = event(script, 'load');
      script.src = `${url}/script.js`;
      document.head.append(script);
      const worker = Promise.resolve().then(() => event(new Worker(`${url}/worker.js`), 'message'));
      return {
        fetch: await told(fetch(url)),
        https: await told(fetch('https://example.com/')),
        image: await imageSaid,
        script: await scriptSaid,
        socket: await event(new WebSocket(url.replace('http', 'ws')), 'open').catch(() => 'refused'),
        worker: await worker.catch(() => 'refused'),
        file: await told(fetch('file:///etc/hostname')),
      };
    });
    expect(said).toEqual({
      fetch: 'refused',
      https: 'refused',
      image: 'refused',
      script: 'refused',
      socket: 'refused',
      worker: 'refused',
      file: 'refused',
    });
    await inPage((url) => void navigator.sendBeacon(`${url}/beacon`, 'x'));
    expect(connections).toBe(0);
  });

  it('1: nor does any other page of the program, which has no such policy of its own', async () => {
    const result = await readroom.app.evaluate(async ({ BrowserWindow }, url) => {
      const window = new BrowserWindow({ show: false });
      const loaded = await window.loadURL(url).then(
        () => 'reached',
        (thrown: Error) => thrown.message,
      );
      window.destroy();
      return loaded;
    }, outside);
    expect(result).toMatch(/ERR_BLOCKED_BY_CLIENT/);
    expect(connections).toBe(0);
  });

  it('2, 3, 4, 6, 8, 9, 10, 11: the settings of the window are the safe ones', async () => {
    const preferences = await readroom.app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map(({ webContents }) =>
        // Not among Electron's published types.
        (webContents as unknown as { getLastWebPreferences(): WebPreferences }).getLastWebPreferences(),
      ),
    );
    expect(preferences).toHaveLength(1);
    expect(preferences[0]).toMatchObject({
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      contextIsolation: true,
      sandbox: true,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      enableBlinkFeatures: '',
      webviewTag: false,
    });
    expect(preferences[0]?.nodeIntegrationInWorker ?? false).toBe(false);
  });

  it("2, 3: the page's world has nothing of Node's, nor of the preload's", async () => {
    const kinds = await inPage(() => {
      const names = [
        'require', 'process', 'module', 'exports', 'global', 'Buffer', 'setImmediate', 'electron',
        'ipcRenderer', 'contextBridge', '__dirname',
      ]; // biome-ignore format: a list
      return Object.fromEntries(names.map((name) => [name, typeof Reflect.get(window, name)]));
    });
    expect(new Set(Object.values(kinds))).toEqual(new Set(['undefined']));
    const inWorker = await inPage(async () => {
      const code = 'postMessage(typeof require + typeof process)';
      try {
        const worker = new Worker(URL.createObjectURL(new Blob([code])));
        return await new Promise((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = () => resolve('refused');
        });
      } catch {
        return 'refused';
      }
    });
    expect(inWorker).toBe('refused');
  });

  it('5: every permission is refused', async () => {
    const said = await inPage(async () => {
      const names = ['geolocation', 'camera', 'microphone', 'notifications', 'midi', 'clipboard-read'];
      const states = await Promise.all(
        names.map(async (name) => {
          try {
            return (await navigator.permissions.query({ name: name as PermissionName })).state;
          } catch {
            return 'denied';
          }
        }),
      );
      const told = (work: () => Promise<unknown>) =>
        Promise.resolve()
          .then(work)
          .then(
            () => 'granted',
            () => 'refused',
          );
      return {
        states: [...new Set(states)],
        camera: await told(() => navigator.mediaDevices.getUserMedia({ video: true })),
        screen: await told(() => navigator.mediaDevices.getDisplayMedia()),
        notification: await Notification.requestPermission(),
        place: await told(
          () => new Promise((good, bad) => navigator.geolocation.getCurrentPosition(good, bad)),
        ),
        clipboard: await told(() => navigator.clipboard.readText()),
      };
    });
    expect(said).toEqual({
      states: ['denied'],
      camera: 'refused',
      screen: 'refused',
      notification: 'denied',
      place: 'refused',
      clipboard: 'refused',
    });
  });

  it('7: a strict content security policy comes with the page, and holds', async () => {
    const policy = await inPage(
      async () => (await fetch('app://readroom/index.html')).headers.get('content-security-policy') ?? '',
    );
    const directives = new Map(
      policy.split(';').map((one) => {
        const [name = '', ...values] = one.trim().split(/\s+/);
        return [name, values] as const;
      }),
    );
    expect(directives.get('default-src')).toEqual(["'none'"]);
    expect(directives.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
    expect(directives.get('style-src')).toEqual(["'self'"]);
    expect(directives.get('connect-src')).toEqual(["'self'"]);
    for (const name of ['base-uri', 'form-action', 'frame-ancestors']) {
      expect(directives.get(name)).toEqual(["'none'"]);
    }
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*|https?:/);
    const violated = await inPage(async () => {
      const seen: string[] = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
        seen.push(effectiveDirective),
      );
      const script = document.createElement('script');
      script.textContent = 'window.ranInline = true';
      const frame = document.createElement('iframe');
      frame.src = 'app://readroom/index.html';
      const form = document.createElement('form');
      form.action = 'app://readroom/index.html';
      document.body.append(script, frame, form);
      // In a task of its own: what the debugger itself starts may evaluate.
      const evaluated = await new Promise<string>((resolve) => {
        setTimeout(() => {
          try {
            // biome-ignore lint/security/noGlobalEval: that it can't be is what is tested
            resolve(globalThis.eval('"ran"') as string);
          } catch {
            resolve('refused');
          }
        });
      });
      form.submit();
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const one of [script, frame, form]) one.remove();
      return { seen: [...new Set(seen)].sort(), evaluated, ranInline: Reflect.get(window, 'ranInline') };
    });
    expect(violated.evaluated).toBe('refused');
    expect(violated.ranInline).toBeUndefined();
    // Where a form may go is asked last; its navigation is refused before that.
    expect(violated.seen).toEqual(expect.arrayContaining(['frame-src', 'script-src', 'script-src-elem']));
    expect(await inPage(() => location.href)).toBe('app://readroom/index.html');
  });

  it('11, 12: webviews can not be made', async () => {
    const attached = await inPage(async () => {
      const webview = document.createElement('webview');
      webview.setAttribute('src', 'app://readroom/index.html');
      webview.setAttribute('allowpopups', '');
      document.body.append(webview);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const isPlain = webview.shadowRoot === null && !('getURL' in webview);
      webview.remove();
      return isPlain ? 'plain element' : 'webview';
    });
    expect(attached).toBe('plain element');
    const contents = await readroom.app.evaluate(({ webContents }) => webContents.getAllWebContents().length);
    expect(contents).toBe(1);
  });

  it('13: the window can not be navigated away', async () => {
    const before = readroom.page.url();
    for (const target of [
      outside,
      'file:///etc/hostname',
      'app://readroom/elsewhere.html',
      'data:text/html,x',
    ]) {
      await readroom.page.evaluate((url) => {
        const link = document.createElement('a');
        link.href = url;
        document.body.append(link);
        link.click();
        link.remove();
        location.href = url;
      }, target);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(readroom.page.url(), target).toBe(before);
      // Playwright's own title() follows what it takes for a navigation; the document's says what is there.
      expect(await inPage(() => document.title)).toBe('Readroom');
    }
    expect(connections).toBe(0);
  });

  it('14: no other window can be opened', async () => {
    const opened = await inPage((url) => {
      const link = document.createElement('a');
      link.href = 'app://readroom/index.html';
      link.target = '_blank';
      document.body.append(link);
      link.click();
      link.remove();
      return [window.open(url), window.open('about:blank'), window.open('app://readroom/index.html')].map(
        (one) => one === null,
      );
    });
    expect(opened).toEqual([true, true, true]);
    const windows = await readroom.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
    expect(windows).toBe(1);
  });

  it('15: nothing is handed to the system to open, except our own documentation', () => {
    const built = readFileSync(join(root, 'out', 'main', 'main.js'), 'utf8');
    expect(built).not.toContain('openExternal');
    expect(built.match(/shell\.openPath\(/g)).toHaveLength(1);
    expect(built).toMatch(/join\(projectRoot\(\), ["']docs["']\)/);
  });

  it('16: the Electron in use is the one that is asked for', async () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const running = await readroom.app.evaluate(() => process.versions.electron);
    expect(running?.split('.')[0]).toBe(devDependencies.electron?.split('.')[0]);
  });

  it('18: pages come from app:// and from nowhere else, and only what is meant to be there', async () => {
    expect(await inPage(() => location.origin)).toBe('app://readroom');
    const statuses = await inPage(async () => {
      const urls = [
        'app://readroom/../main/main.js',
        'app://readroom/%2e%2e/main/main.js',
        'app://readroom/..%2fmain%2fmain.js',
        'app://readroom/..%5cmain%5cmain.js',
        'app://readroom/%2e%2e%2f%2e%2e%2fpackage.json',
        'app://readroom//etc/hostname',
        'app://readroom/%2fetc%2fhostname',
        'app://readroom/assets/../../preload/index.cjs',
        'app://readroom/index.html%00.png',
        'app://readroom/%E0%A4%A',
        'app://elsewhere/index.html',
        'app://readroom/pixels/x/y/0/uint8',
        'app://readroom/pixels/__proto__/constructor/0/uint8',
        'app://readroom/thumbnail/x/y',
        'app://readroom/preview/x',
        'app://readroom/model-view/x/y/99999999999',
      ];
      const found = await Promise.all(
        urls.map(async (url) => {
          try {
            const answer = await fetch(url);
            return [url, answer.ok ? 'served' : 'refused'];
          } catch {
            return [url, 'refused'];
          }
        }),
      );
      return Object.fromEntries(found) as Record<string, string>;
    });
    expect(Object.entries(statuses).filter(([, status]) => status !== 'refused')).toEqual([]);
    const posted = await inPage(async () => {
      try {
        return (await fetch('app://readroom/index.html', { method: 'POST', body: 'x' })).ok;
      } catch {
        return false;
      }
    });
    expect(posted).toBe(false);
  });

  it('20: the bridge is the three functions of the contract, and passes only what the contract lists', async () => {
    const bridge = await inPage(() =>
      Object.entries(window.readroom).map(([name, value]) => `${name}: ${typeof value}`),
    );
    expect(bridge.sort()).toEqual(['call: function', 'on: function', 'openDropped: function']);
    const refused = await inPage(async () => {
      const { call, on } = window.readroom as unknown as {
        call(name: unknown, params: unknown): Promise<{ ok: boolean }>;
        on(name: unknown, listener: unknown): unknown;
      };
      const names = [
        'study.openDropped',
        'toString',
        '__proto__',
        'constructor',
        'readroom:call',
        '',
        null,
        {},
      ];
      const calls = await Promise.all(
        names.map((name) =>
          Promise.resolve()
            .then(() => call(name, { paths: ['/etc'] }))
            .then(
              ({ ok }) => (ok ? 'acted' : 'refused'),
              () => 'refused',
            ),
        ),
      );
      const listened = names.map((name) => {
        try {
          on(name, () => undefined);
          return 'listening';
        } catch {
          return 'refused';
        }
      });
      return [...new Set([...calls, ...listened])];
    });
    expect(refused).toEqual(['refused']);
  });

  it('20: a file that the page made up opens nothing', async () => {
    const answer = await inPage(() => window.readroom.openDropped([new File(['x'], '/etc/passwd')]));
    expect(answer).toMatchObject({ ok: false, error: { code: 'input-invalid' } });
  });

  it('downloads are refused', async () => {
    const prevented = readroom.app.evaluate(
      ({ session }) =>
        new Promise<boolean>((resolve) => {
          session.defaultSession.once('will-download', (event) => resolve(event.defaultPrevented));
        }),
    );
    await inPage(() => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob(['x']));
      link.download = 'x.txt';
      document.body.append(link);
      link.click();
      link.remove();
    });
    expect(await prevented).toBe(true);
  });
});
