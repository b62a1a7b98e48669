/** Ties the stores to the main side, once, before anything is drawn. */
import { runCommand } from '../commands/commands.ts';
import { connectCompare } from '../compare/compare-store.ts';
import { connectSlices } from '../compare/slices-batch.ts';
import { connectExport } from '../export/export-store.ts';
import { connectCases } from '../project/cases-store.ts';
import { connectProject } from '../project/project-store.ts';
import { connectReview } from '../review/connect-review.ts';
import { loadAppInfo } from './app-info-store.ts';
import { on } from './bridge.ts';
import { connectEngine } from './engine-store.ts';
import { connectModels } from './models-store.ts';
import { connectRuns, useRuns } from './run-store.ts';
import { connectStudies, useStudies } from './study-store.ts';

export function connect(): void {
  connectEngine();
  connectModels();
  connectRuns();
  connectStudies();
  connectProject();
  connectCases();
  connectReview();
  connectCompare();
  connectSlices();
  connectExport();
  on('command', ({ name }) => runCommand(name));
  // A closed study takes its questions with it: there is nothing left to show them on.
  useStudies.subscribe((state, before) => {
    for (const { studyId } of before.studies) {
      if (!state.studies.some((study) => study.studyId === studyId)) useRuns.getState().forgetStudy(studyId);
    }
  });
  void loadAppInfo();
}
