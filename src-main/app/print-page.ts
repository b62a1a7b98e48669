/** One page of our own HTML to PDF, in a hidden window that runs no script and loads nothing. */
import { BrowserWindow } from 'electron';

/** @param file an HTML file on this disk */
export async function printPage(file: string): Promise<Uint8Array> {
  const window = new BrowserWindow({
    show: false,
    webPreferences: {
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      javascript: false,
      // Of its own and in memory: nothing of a report stays behind.
      partition: 'print',
    },
  });
  const { webContents } = window;
  try {
    webContents.session.setPermissionRequestHandler((_contents, _permission, decide) => decide(false));
    webContents.session.webRequest.onBeforeRequest(({ url }, decide) => {
      decide({ cancel: !url.startsWith('file:') && !url.startsWith('data:') });
    });
    webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
    await window.loadFile(file);
    return await webContents.printToPDF({ printBackground: true, preferCSSPageSize: true, pageSize: 'A4' });
  } finally {
    window.destroy();
  }
}
