/**
 * The window's main side, put together: one instance, one window, the services behind it, and an orderly end.
 * Everything that knows Electron is wired here; the services know only the interfaces they are given.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { app, type BrowserWindow, Menu, session } from 'electron';
import { type EventName, type EventPayload, settingsSchema } from '../../src-contract/channels.ts';
import { emitTo, serveCalls } from '../ipc/router.ts';
import { containersFolder } from '../storage/locations.ts';
import { registerAppScheme, serveApp } from './app-protocol.ts';
import { systemDialogs } from './dialogs.ts';
import { Exports } from './exports/exports.ts';
import { printPage } from './exports/print-page.ts';
import { callHandlers } from './handlers.ts';
import { JsonStore } from './json-store.ts';
import { buildMenu } from './menu.ts';
import { EngineService } from './models/engine-service.ts';
import { ModelJobs } from './models/model-jobs.ts';
import { Models } from './models/models.ts';
import { Projects } from './projects/projects.ts';
import { SliceRuns } from './projects/slice-runs.ts';
import { Runs } from './runs.ts';
import { lockSession, refuseNavigation } from './security.ts';
import { pixelRoutes } from './studies/pixel-routes.ts';
import { RecentStudies } from './studies/recent-studies.ts';
import { pathsOf } from './studies/start-paths.ts';
import { Studies } from './studies/studies.ts';
import { utilityTransport } from './utility-transport.ts';
import { readVersions } from './versions.ts';
import { createWindow } from './window.ts';

/** How long runs that were stopped may take to end, so that they are kept, when the program ends. */
const endGraceMs = 2_000;

const built = import.meta.dirname;
const inMain = (name: string): string => join(built, name);

function start(): void {
  let window: BrowserWindow | null = null;
  let pageReady = false;
  /** Given from outside before the page could hear of it. */
  const waiting: string[][] = [];
  const userData = app.getPath('userData');
  const getWindow = (): BrowserWindow | null => window;
  const emit = <E extends EventName>(name: E, payload: EventPayload<E>): void =>
    emitTo(window, name, payload);

  const settings = new JsonStore(join(userData, 'settings.json'), settingsSchema, settingsSchema.parse({}));
  const recent = new RecentStudies(join(userData, 'recent.json'));
  const studies = new Studies({
    transport: utilityTransport(inMain('study-host.js'), { serviceName: 'Readroom study' }),
    emit,
    onOpened: (source, title) => void recent.add(source, title).then(recentChanged, ignoreDisk),
  });
  const jobs = new ModelJobs(
    utilityTransport(inMain('model-process.js'), { serviceName: 'Readroom model' }),
    containersFolder(),
  );
  const models = new Models(join(userData, 'models.json'), jobs, emit);
  const engine = new EngineService({
    transport: (onExit) =>
      utilityTransport(inMain('engine-process.js'), { serviceName: 'Readroom engine', onExit }),
    onChange: (state) => emit('engine.changed', state),
    memoryOf: (pid) => {
      const metric = app.getAppMetrics().find((one) => one.pid === pid);
      return metric ? metric.memory.workingSetSize * 1024 : null;
    },
  });
  const projects = new Projects({
    transport: utilityTransport(inMain('project-host.js'), { serviceName: 'Readroom project' }),
    userData,
    emit,
  });
  const exports = new Exports({
    transport: utilityTransport(inMain('export-host.js'), { serviceName: 'Readroom export' }),
    projects,
    emit,
    printPage,
  });
  const runs = new Runs({
    studies,
    models,
    engine,
    settings: () => settings.value,
    emit,
    keep: (trace, title) => projects.keep(trace, title),
  });
  const sliceRuns = new SliceRuns({ projects, studies, runs, emit });
  const stopRuns = (): void => {
    sliceRuns.stopAll();
    runs.stopAll();
  };

  const openPaths = (paths: string[]): void => {
    if (paths.length === 0) return;
    if (pageReady) studies.open({ paths });
    else waiting.push(paths);
  };
  const recentChanged = (): void => {
    emit('recent.changed', { recent: recent.list() });
    showMenu();
  };
  const showMenu = (): void =>
    Menu.setApplicationMenu(
      buildMenu(app, recent.list(), {
        command: (name) => emit('command', { name }),
        openRecent: (id) => studies.open(recent.source(id)),
        clearRecent: () => void recent.clear().then(recentChanged, ignoreDisk),
      }),
    );
  const show = (): void => {
    window = createWindow({ userData, preload: join(built, '..', 'preload', 'index.cjs') });
    window.webContents.on('did-start-loading', () => {
      pageReady = false;
    });
    window.on('closed', () => {
      window = null;
      pageReady = false;
      stopRuns();
      void studies.closeAll();
    });
  };

  app.on('second-instance', (_event, argv, workingFolder) => {
    openPaths(pathsOf(argv, workingFolder, app.isPackaged));
    if (!window) show();
    else {
      if (window.isMinimized()) window.restore();
      window.focus();
    }
  });
  app.on('open-file', (event, path) => {
    event.preventDefault();
    openPaths([path]);
    // On macOS the program lives on without a window, and Finder opens files with it.
    if (!window && app.isReady()) show();
  });
  app.on('activate', () => {
    if (!window && app.isReady()) show();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  endInOrder(async () => {
    stopRuns();
    await Promise.race([
      Promise.all([runs.settled(), sliceRuns.settled(), exports.dispose()]),
      delay(endGraceMs),
    ]);
    await Promise.all([studies.closeAll(), engine.dispose(), projects.dispose(), settings.flush()]);
  });
  openPaths(pathsOf(process.argv, process.cwd(), app.isPackaged));

  void app.whenReady().then(async () => {
    lockSession(session.defaultSession);
    serveApp(session.defaultSession, join(built, '..', 'renderer'), pixelRoutes(studies));
    serveCalls(
      getWindow,
      callHandlers({
        studies,
        recent,
        models,
        engine,
        runs,
        sliceRuns,
        projects,
        exports,
        dialogs: systemDialogs(getWindow),
        settings,
        versions: readVersions(),
        onPageReady: () => {
          pageReady = true;
          // After the answer, so that the page knows its state before the first event.
          setImmediate(() => {
            for (const paths of waiting.splice(0)) studies.open({ paths });
            // Nobody waits for it yet; a call that needs it earlier starts it earlier.
            void projects.start();
          });
        },
      }),
    );
    showMenu();
    show();
  });
}

/** A list of recent studies that can't be written is no reason to bother anyone. */
function ignoreDisk(): void {}

/** Children are told to end, and waited for, before the program does. */
function endInOrder(end: () => Promise<void>): void {
  let ended = false;
  app.on('will-quit', (event) => {
    if (ended) return;
    event.preventDefault();
    void end().finally(() => {
      ended = true;
      // Not in this event: Electron still believes that it is quitting, and would not hear.
      setImmediate(() => app.quit());
    });
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => app.quit());
}

registerAppScheme();
refuseNavigation(app);
app.setName('Readroom');
if (app.requestSingleInstanceLock()) start();
else app.quit();
