import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from 'electron';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { contentSecurityPolicy, serveApp } from './app-protocol.ts';

vi.mock('electron', () => ({ protocol: {} }));

type Handle = (request: Request) => Promise<Response>;
let handle: Handle;
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'readroom-pages-'));
  mkdirSync(join(root, 'renderer', 'assets'), { recursive: true });
  writeFileSync(join(root, 'renderer', 'index.html'), '<h1>Readroom</h1>');
  writeFileSync(join(root, 'renderer', 'assets', 'a.js'), 'export {};');
  writeFileSync(join(root, 'secret.txt'), 'secret');
  const session = { protocol: { handle: (_scheme: string, given: Handle) => (handle = given) } };
  serveApp(session as unknown as Session, join(root, 'renderer'), [
    (segments) => (segments[0] === 'pixels' ? Promise.resolve(new Response('pixels')) : undefined),
  ]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const get = (url: string, init?: RequestInit) => handle(new Request(url, init));

describe('app://', () => {
  it('serves pages with the policy', async () => {
    for (const url of ['app://readroom/', 'app://readroom/index.html']) {
      const answer = await get(url);
      expect(await answer.text()).toBe('<h1>Readroom</h1>');
      expect(answer.headers.get('content-security-policy')).toBe(contentSecurityPolicy);
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
    }
    expect((await get('app://readroom/assets/a.js')).headers.get('content-type')).toMatch(/javascript/);
  });

  it('allows no inline script, no eval and nothing from elsewhere', () => {
    expect(contentSecurityPolicy).toContain("default-src 'none'");
    expect(contentSecurityPolicy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
  });

  it('asks routes first', async () => {
    expect(await (await get('app://readroom/pixels/a/b/0')).text()).toBe('pixels');
  });

  it.each([
    'app://readroom/../secret.txt',
    'app://readroom/..%2Fsecret.txt',
    'app://readroom/%2e%2e/secret.txt',
    'app://readroom/%2e%2e%2fsecret.txt',
    'app://readroom/assets/..%2f..%2f..%2fsecret.txt',
    'app://readroom/..%5csecret.txt',
    'app://readroom//etc/passwd',
    'app://readroom/%2Fetc%2Fpasswd',
    'app://readroom/index.html%00.js',
    'app://readroom/%E0%A4%A',
    'app://elsewhere/index.html',
    'app://readroom/assets',
  ])('does not serve %s', async (url) => {
    const answer = await get(url);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.text()).not.toContain('secret');
  });

  it('only answers GET', async () => {
    expect((await get('app://readroom/index.html', { method: 'POST', body: 'x' })).status).toBe(404);
  });
});
