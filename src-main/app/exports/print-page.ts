/** One page of our own HTML to PDF, in a hidden window that runs no script and loads nothing. */
import { app, BrowserWindow } from 'electron';

/** Where paper is Letter; A4 elsewhere. The page itself suits both. */
const letterCountries = new Set(['US', 'CA', 'MX', 'PH', 'CL', 'CO', 'VE', 'GT', 'CR', 'PA', 'PR', 'DO']);

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
    const pageSize = letterCountries.has(app.getLocaleCountryCode()) ? 'Letter' : 'A4';
    return await webContents.printToPDF({ printBackground: true, pageSize });
  } finally {
    window.destroy();
  }
}
