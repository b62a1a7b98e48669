/**
 * Electron's security checklist, as far as it is settings of ours: everything that a page could ask for and the window
 * does not need is refused. What windows get is in window.ts (webPreferences).
 */
import type { App, Session } from 'electron';
import { appOrigin } from '../../src-contract/channels.ts';

/** Applies to every web contents that is ever made, not only to the first window's. */
export function refuseNavigation(app: App): void {
  app.on('web-contents-created', (_created, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-frame-navigate', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}

/** No permission is granted, no device is listed, no request leaves the machine. */
export function lockSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, _permission, decide) => decide(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, decide) => decide({}));
  session.on('will-download', (event) => event.preventDefault());
  session.webRequest.onBeforeRequest((details, decide) => {
    const allowed =
      details.url.startsWith(`${appOrigin}/`) ||
      details.url.startsWith('blob:') ||
      details.url.startsWith('data:') ||
      details.url.startsWith('devtools:');
    decide({ cancel: !allowed });
  });
}
