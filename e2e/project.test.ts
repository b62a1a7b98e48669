/** The project behind the window: runs are kept as they end, edits are there after the worst of ends. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CallName, CallParams, CallResult } from '../src-contract/channels.ts';
import type { Verdict } from '../src-contract/review.ts';
import { parseTrace } from '../src-contract/trace.ts';
import { describeWindow } from './harness/describe-window.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { ended, patience, recordRuns } from './harness/window.ts';

async function call<C extends CallName>(page: Page, name: C, params: CallParams<C>): Promise<CallResult<C>> {
  const answer = await page.evaluate(
    ([called, given]) => window.readroom.call(called as never, given as never),
    [name, params] as const,
  );
  const said = answer as { ok: true; value: CallResult<C> } | { ok: false; error: { message: string } };
  if (!said.ok) throw new Error(said.error.message);
  return said.value;
}

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

  const projectPid = (): Promise<number> =>
    readroom.app.evaluate(
      ({ app }) =>
        app
          .getAppMetrics()
          .find(({ name, serviceName }) => `${name} ${serviceName}`.includes('Readroom project'))?.pid ?? 0,
    );

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
    process.kill(await projectPid(), 'SIGKILL');
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

  it('undoes all of it after a new start', async () => {
    while (await call(page, 'review.undo', {})) {
      // Until there is nothing left.
    }
    const { own } = await call(page, 'review.get', { runId });
    expect(own).toMatchObject({ verdicts: {}, comment: '' });
    expect(readroom.complaints).toEqual([]);
  });
});
