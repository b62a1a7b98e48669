/** The one window: what its page may do, and where it was last time. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BrowserWindow, screen } from 'electron';
import { z } from 'zod';
import { appOrigin } from '../../src-contract/channels.ts';

const stateSchema = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(640).max(32_768),
  height: z.number().int().min(480).max(32_768),
  maximized: z.boolean(),
});
type WindowState = z.infer<typeof stateSchema>;

/** The last state, if it still lies on a screen that is there. */
function readState(file: string): WindowState | null {
  if (!existsSync(file)) return null;
  try {
    const state = stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const visible = screen.getAllDisplays().some(({ workArea }) => {
      const insideX = state.x < workArea.x + workArea.width - 80 && state.x + state.width > workArea.x + 80;
      const insideY = state.y >= workArea.y - 20 && state.y < workArea.y + workArea.height - 80;
      return insideX && insideY;
    });
    return visible ? state : null;
  } catch {
    return null; // A damaged state file costs a default position, nothing else.
  }
}

function writeState(file: string, window: BrowserWindow): void {
  const state: WindowState = { ...window.getNormalBounds(), maximized: window.isMaximized() };
  const parsed = stateSchema.safeParse(state);
  if (!parsed.success) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, JSON.stringify(parsed.data));
  renameSync(`${file}.tmp`, file);
}

export interface WindowOptions {
  /** Folder for the window's state file. */
  userData: string;
  preload: string;
}

export function createWindow({ userData, preload }: WindowOptions): BrowserWindow {
  const stateFile = join(userData, 'window.json');
  const state = readState(stateFile);
  const window = new BrowserWindow({
    title: 'Readroom',
    width: state?.width ?? 1440,
    height: state?.height ?? 900,
    x: state?.x,
    y: state?.y,
    minWidth: 960,
    minHeight: 600,
    show: false,
    backgroundColor: '#0e1113',
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  });
  if (state?.maximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () => writeState(stateFile, window));
  void window.loadURL(`${appOrigin}/index.html`);
  return window;
}
