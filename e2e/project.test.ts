/** The project behind the window: runs are kept as they end, edits are there after the worst of ends. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Verdict } from '../src-contract/review.ts';
import { parseTrace, serializeTrace, summarizeEvents } from '../src-contract/trace.ts';
import { makeTrace } from '../src-main/storage/project/testing/make-trace.ts';
import { call } from './harness/call.ts';
import { describeWindow } from './harness/describe-window.ts';
import { pidOf } from './harness/processes.ts';
import { launchReadroom, type Readroom, root } from './harness/readroom.ts';
import { ended, patience, recordRuns } from './harness/window.ts';

const firstPage = { filter: {}, sort: 'newest', offset: 0, limit: 10 } as const;

describeWindow('The project', () => {
  const userData = mkdtempSync(join(tmpdir(), 'readroom-e2e-project-'));
  let readroom: Readroom;
  let page: Page;
  const launch = async (): Promise<void> => {
    readroom = await launchReadroom({ userData });
    page = readroom.page;
  };
  beforeAll(launch);
  afterAll(async () => {
    await readroom.close();
    rmSync(userData, { recursive: true, force: true });
  });

  let runId = '';
  let readerId = '';

  it('a finished run is in the library, with its trace', async () => {
    await recordRuns(page);
    const added = page.evaluate(
      () =>
        new Promise<{ runId: string; caseId: string }>((resolve) => {
          const stop = window.readroom.on('project.runAdded', (one) => {
            stop();
            resolve(one);
          });
        }),
    );
    await page.getByTestId('open-sample-centre').first().click({ timeout: patience });
    await page.getByTestId('suggestion').first().click({ timeout: patience });
    await ended(page, 1);
    const run = await added;
    runId = run.runId;
    const { rows, total } = await call(page, 'project.cases', firstPage);
    expect(total).toBe(1);
    expect(rows[0]).toMatchObject({ caseId: run.caseId, runs: 1, done: 0, synthetic: true, modality: 'CT' });
    const shown = await call(page, 'run.trace', { runId });
    expect(await call(page, 'project.trace', { runId })).toEqual(shown);
    const { openId } = (await call(page, 'project.openStudy', { caseId: run.caseId })) ?? {};
    expect(openId).toBe((await call(page, 'app.info', {})).open[0]?.studyId);
  });

  it('edits are saved when they are answered: the project process killed, then main', async () => {
    ({ readerId } = await call(page, 'project.view', {}));
    const verdict: Verdict = { decision: 'accept', reasons: [], comment: '' };
    const base = { kind: 'verdict', runId, readerId } as const;
    await call(page, 'review.edit', { edits: [{ ...base, step: 0, before: null, after: verdict }] });
    process.kill(await pidOf(readroom.app, 'Readroom project'), 'SIGKILL');
    const comment = { kind: 'comment', runId, readerId } as const;
    // The call that finds the process dead may be the one that is told so; the next one works.
    const edit = () => call(page, 'review.edit', { edits: [{ ...comment, before: null, after: 'seen' }] });
    await edit().catch(edit);
    const own = (await call(page, 'review.get', { runId })).own;
    expect(own).toMatchObject({ verdicts: { 0: verdict }, comment: 'seen' });

    const gone = new Promise<void>((resolve) => readroom.app.process().once('exit', () => resolve()));
    readroom.app.process().kill('SIGKILL');
    await gone;
    await launch();
    expect((await call(page, 'review.get', { runId })).own).toEqual(own);
    expect((await call(page, 'project.log', { caseId: null, offset: 0, limit: 10 })).broken).toBeNull();
    expect((await call(page, 'project.view', {})).readerId).toBe(readerId);
  });

  it('saves the trace of a run of an earlier session', async () => {
    const file = join(userData, 'earlier.trace.json');
    await readroom.app.evaluate(({ dialog }, filePath) => {
      dialog.showSaveDialog = async () => ({ canceled: false, filePath });
    }, file);
    expect(await call(page, 'run.saveTrace', { runId })).toEqual({ name: 'earlier.trace.json' });
    expect(parseTrace(readFileSync(file, 'utf8'), file)).toEqual(
      await call(page, 'project.trace', { runId }),
    );
  });

  it('takes a trace in, and finds its images again where they were moved to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'readroom-e2e-moved-'));
    const dialogs = (path: string | null) =>
      readroom.app.evaluate(({ dialog }, file) => {
        dialog.showOpenDialog = async () => ({
          canceled: file === null,
          filePaths: file === null ? [] : [file],
        });
      }, path);
    try {
      const image = join(folder, 'volume.nii.gz');
      copyFileSync(join(root, 'fixtures/volumes/oblique-int16.nii.gz'), image);
      const sha256 = createHash('sha256').update(readFileSync(image)).digest('hex');
      const trace = makeTrace({
        runId: 'moved',
        pixels: 'moved',
        sources: [{ path: image, bytes: statSync(image).size, sha256 }],
      });
      const file = join(folder, 'trace.json');
      writeFileSync(file, serializeTrace(trace));
      await dialogs(file);
      expect(await call(page, 'project.merge', {})).toMatchObject({ cases: 1, runs: 1 });
      expect(await call(page, 'project.merge', {})).toMatchObject({ entries: 0 });
      const list = await call(page, 'project.cases', { ...firstPage, filter: { text: 'volume.nii' } });
      const caseId = list.rows[0]?.caseId ?? '';

      mkdirSync(join(folder, 'elsewhere'));
      renameSync(image, join(folder, 'elsewhere', 'another-name.nii.gz'));
      await dialogs(null);
      expect(await call(page, 'project.openStudy', { caseId })).toBeNull();
      mkdirSync(join(folder, 'empty'));
      await dialogs(join(folder, 'empty'));
      await expect(call(page, 'project.openStudy', { caseId })).rejects.toThrow(
        /could not be found: volume.nii.gz/,
      );
      await dialogs(folder);
      const opened = await call(page, 'project.openStudy', { caseId });
      await expect
        .poll(async () => (await call(page, 'app.info', {})).open.map(({ studyId }) => studyId), {
          timeout: patience,
        })
        .toContain(opened?.openId);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('a run that the end of the program stops is kept as far as it came', async () => {
    const { samples } = await call(page, 'app.info', {});
    const [sample] = samples;
    const { openId: studyId } = await call(page, 'study.openSample', { sampleId: sample?.id ?? '' });
    const seriesOf = async () =>
      (await call(page, 'app.info', {})).open.find((one) => one.studyId === studyId)?.series[0]?.id;
    await expect.poll(seriesOf, { timeout: patience }).toBeTruthy();
    const writing = page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const stop = window.readroom.on('run.event', ({ runId, event }) => {
            if (event.type !== 'token') return;
            stop();
            resolve(runId);
          });
        }),
    );
    await call(page, 'run.ask', {
      studyId,
      seriesId: (await seriesOf()) ?? '',
      target: { kind: 'volume' },
      question: 'Which lung contains the lesion?',
      options: { A: 'right lung', B: 'left lung' },
      preset: 'grounded',
    });
    const stopped = await writing;
    await readroom.app.close();
    await launch();
    const trace = await call(page, 'project.trace', { runId: stopped });
    const { stopReason, finished } = summarizeEvents(trace.events);
    expect(stopReason).toBe('cancelled');
    expect(finished?.newTokens).toBeGreaterThan(0);
  });

  it('undoes all of it after a new start', async () => {
    while (await call(page, 'review.undo', {})) {
      // Until there is nothing left.
    }
    const { own } = await call(page, 'review.get', { runId });
    expect(own).toMatchObject({ verdicts: {}, comment: '', sentences: {} });
    expect(readroom.complaints).toEqual([]);
  });
});
