/** What each call of the contract does: one line a call, the work is in the services. */
import type { Recent, Settings } from '../../src-contract/channels.ts';
import { serializeTrace } from '../../src-contract/trace.ts';
import type { CallHandlers } from '../ipc/router.ts';
import { appVersion } from '../runs/version.ts';
import { sampleSource, samples } from '../study/samples.ts';
import { writeFileAtomically } from '../trace/atomic-write.ts';
import { exportHandlers } from './exports/export-handlers.ts';
import type { Exports } from './exports/exports.ts';
import type { EngineService } from './models/engine-service.ts';
import type { Models } from './models/models.ts';
import { figureHandlers } from './projects/figure-handlers.ts';
import { projectHandlers } from './projects/project-handlers.ts';
import type { Projects } from './projects/projects.ts';
import type { SliceRuns } from './projects/slice-runs.ts';
import type { Runs } from './runs.ts';
import type { RecentStudies } from './studies/recent-studies.ts';
import type { Studies } from './studies/studies.ts';

/** What only Electron can do; see dialogs.ts. */
export interface Dialogs {
  pickStudy(kind: 'file' | 'folder'): Promise<string[] | null>;
  pickModel(): Promise<string | null>;
  saveTrace(suggestion: string): Promise<string | null>;
  pickProject(): Promise<string | null>;
  /** A name for a project that is not there yet. */
  saveProject(): Promise<string | null>;
  /** A project, an archive or a trace. */
  pickToMerge(): Promise<string | null>;
  saveArchive(title: string): Promise<string | null>;
  /** The folder where the images of a case are now. */
  pickImagesOfCase(title: string): Promise<string | null>;
  /** The folder that a new folder with the export is made in. */
  pickExportFolder(): Promise<string | null>;
  /** Where a figure goes; the suffix says as what. */
  saveFigure(suggestion: string): Promise<string | null>;
  openDocs(): Promise<void>;
}

export interface Services {
  readonly studies: Studies;
  readonly recent: RecentStudies;
  readonly models: Models;
  readonly engine: EngineService;
  readonly runs: Runs;
  readonly sliceRuns: SliceRuns;
  readonly projects: Projects;
  readonly exports: Exports;
  readonly dialogs: Dialogs;
  readonly settings: { readonly value: Settings; set(value: Settings): Promise<void> };
  readonly versions: Record<string, string>;
  /** The page has asked for its first state: events reach it from now on. */
  readonly onPageReady: () => void;
}

const done = {};

export function callHandlers(services: Services): CallHandlers {
  const { studies, recent, models, engine, runs, dialogs, settings, versions } = services;
  return {
    'app.info': () => {
      services.onPageReady();
      return {
        version: appVersion(),
        platform: process.platform,
        samples: samples(),
        recent: recent.list() satisfies Recent[],
        open: studies.views(),
        settings: settings.value,
        versions,
      };
    },
    'app.openDocs': async () => {
      await dialogs.openDocs();
      return done;
    },
    'settings.set': async (value) => {
      await settings.set(value);
      return settings.value;
    },
    'study.pick': async ({ kind }) => {
      const paths = await dialogs.pickStudy(kind);
      return paths && studies.open({ paths });
    },
    'study.openSample': ({ sampleId }) => studies.open(sampleSource(sampleId)),
    'study.openRecent': ({ recentId }) => studies.open(recent.source(recentId)),
    'study.openDropped': ({ paths }) => studies.open({ paths }),
    'study.cancelOpen': ({ openId }) => {
      studies.cancelOpen(openId);
      return done;
    },
    'study.close': async ({ studyId }) => {
      await studies.close(studyId);
      return done;
    },
    'study.pixels': async ({ studyId, ...params }) => ({
      studyId,
      ...(await studies.call(studyId, 'pixels', params)),
    }),
    'study.cancelPixels': ({ studyId, seriesId }) => studies.call(studyId, 'cancelPixels', { seriesId }),
    'study.tags': ({ studyId, ...params }) => studies.call(studyId, 'tags', params),
    'study.identifiers': ({ studyId, seriesId }) => ({
      identifiers: studies.series(studyId, seriesId).identifiers,
    }),
    'study.modelView': ({ studyId, seriesId, target }) => {
      const { folder } = models.find(settings.value.modelId);
      return studies.call(studyId, 'modelView', { seriesId, target, model: folder });
    },
    'models.list': async () => ({ models: await models.list() }),
    'models.add': async () => {
      const folder = await dialogs.pickModel();
      return folder === null ? null : models.add(folder);
    },
    'models.remove': async ({ modelId }) => {
      await models.remove(modelId);
      return done;
    },
    'models.convert': ({ modelId, precision }) => {
      models.convert(modelId, precision);
      return done;
    },
    'models.cancelConvert': ({ modelId }) => {
      models.cancelConvert(modelId);
      return done;
    },
    'models.unload': async () => {
      await engine.unload();
      return done;
    },
    'engine.state': () => engine.state,
    'run.ask': (ask) => runs.ask(ask),
    'run.stop': ({ runId }) => {
      runs.stop(runId);
      return done;
    },
    'run.trace': ({ runId }) => runs.trace(runId),
    'run.saveTrace': async ({ runId }) => {
      // A run of an earlier session is on screen too, and lives in the project alone.
      const trace = runs.has(runId) ? runs.trace(runId) : await services.projects.call('trace', { runId });
      const file = await dialogs.saveTrace(`readroom-${trace.createdAt.replace(/[:.]/g, '-')}.trace.json`);
      if (file === null) return null;
      await writeFileAtomically(file, serializeTrace(trace));
      return { name: file.split(/[\\/]/).pop() ?? file };
    },
    ...projectHandlers(services),
    ...figureHandlers(services),
    ...exportHandlers(services),
  };
}
