import type { App, Session } from 'electron';
import { describe, expect, it, vi } from 'vitest';
import { lockSession, refuseNavigation } from './security.ts';

vi.mock('electron', () => ({}));

/** Keeps the handlers that it is given, by name. */
function recorder() {
  const given = new Map<string, (...args: unknown[]) => unknown>();
  const on = (name: string, handler: (...args: unknown[]) => unknown) => void given.set(name, handler);
  return { given, on };
}

describe('refuseNavigation', () => {
  it('prevents every way to leave the page, in any web contents', () => {
    const app = recorder();
    refuseNavigation(app as unknown as App);
    const contents = recorder();
    let openWindow: (() => unknown) | undefined;
    const made = { ...contents, setWindowOpenHandler: (handler: () => unknown) => (openWindow = handler) };
    app.given.get('web-contents-created')?.({}, made);
    for (const name of ['will-navigate', 'will-redirect', 'will-frame-navigate', 'will-attach-webview']) {
      const event = { preventDefault: vi.fn() };
      contents.given.get(name)?.(event);
      expect(event.preventDefault, name).toHaveBeenCalledOnce();
    }
    expect(openWindow?.()).toEqual({ action: 'deny' });
  });
});

describe('lockSession', () => {
  it('grants nothing, downloads nothing and reaches nothing but the program itself', () => {
    const events = recorder();
    const handlers = recorder();
    const keep = (name: string) => (handler: (...args: unknown[]) => unknown) => handlers.on(name, handler);
    lockSession({
      ...events,
      setPermissionRequestHandler: keep('request'),
      setPermissionCheckHandler: keep('check'),
      setDevicePermissionHandler: keep('device'),
      setDisplayMediaRequestHandler: keep('display'),
      webRequest: { onBeforeRequest: keep('before') },
    } as unknown as Session);
    const decide = vi.fn();
    handlers.given.get('request')?.({}, 'media', decide);
    expect(decide).toHaveBeenCalledWith(false);
    expect(handlers.given.get('check')?.()).toBe(false);
    expect(handlers.given.get('device')?.()).toBe(false);
    const download = { preventDefault: vi.fn() };
    events.given.get('will-download')?.(download);
    expect(download.preventDefault).toHaveBeenCalledOnce();
    const cancelled = (url: string): unknown => {
      const answer = vi.fn();
      handlers.given.get('before')?.({ url }, answer);
      return answer.mock.calls[0][0].cancel;
    };
    expect(cancelled('app://readroom/index.html')).toBe(false);
    for (const url of [
      'https://example.com/',
      'http://localhost/',
      'file:///etc/passwd',
      'app://other/',
      'ws://x/',
    ]) {
      expect(cancelled(url), url).toBe(true);
    }
  });
});
