/**
 * A review in the real window is ended at random moments, while a question is answered beside it: the engine is killed,
 * the main process, the project's process, or several at once. Each time: is every change there that the window was told
 * is saved, and every run that it was told is kept? Is the project whole? Does the program go on?
 *
 * READROOM_KILL_ROUNDS=300 makes a long trial of it, READROOM_KILL_SEED another one. The last line is its account.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ReadroomError } from '../src-contract/errors.ts';
import { emptyReview, type Review } from '../src-contract/review.ts';
import { seededRandom } from '../src-main/engine/decode/random.ts';
import { Project } from '../src-main/storage/project/project.ts';
import { reviewsIn } from '../src-main/storage/project/reviews.ts';
import { call } from './harness/call.ts';
import { describeWindow } from './harness/describe-window.ts';
import { isAlive, pidOf } from './harness/processes.ts';
import { sampleInput, scriptedRun, seedLibrary, threeSteps } from './harness/projects.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { ScriptedReview } from './harness/scripted-review.ts';
import { patience } from './harness/window.ts';

const victims = {
  engine: ['engine'],
  main: ['main'],
  'main and engine': ['main', 'engine'],
  project: ['project'],
  'main, engine and project': ['main', 'engine', 'project'],
} as const;
type Victim = keyof typeof victims;
const names = Object.keys(victims) as Victim[];

const rounds = Number(process.env.READROOM_KILL_ROUNDS ?? names.length);
const seed = Number(process.env.READROOM_KILL_SEED ?? 1);
/** A question about the bundled volume is answered in about this time: kills fall into all of it. */
const longestMs = 2_000;

const { runId } = threeSteps;
const steps = 3;

declare global {
  interface Window {
    toldKept(runId: string): void;
  }
}

describeWindow('A review that is killed', () => {
  const userData = mkdtempSync(join(tmpdir(), 'readroom-e2e-kill-'));
  const file = join(userData, 'library.readroom');
  const random = seededRandom(seed);
  const account = {
    kills: Object.fromEntries(names.map((name) => [name, 0])) as Record<Victim, number>,
    changes: 0,
    unheard: 0,
    lost: 0,
    runsKept: 0,
    runsLost: 0,
    damaged: 0,
    /** Rounds in which the engine died under a question, which said so, and the next question was answered. */
    engineDiedInAnswer: 0,
    answeredAfterwards: 0,
  };
  const kept = new Set<string>();
  const complaints: string[] = [];
  let readroom: Readroom;
  let page: Page;
  let review: ScriptedReview;
  let readerId = '';

  const launch = async (): Promise<void> => {
    readroom = await launchReadroom({ userData });
    page = readroom.page;
    await page.exposeFunction('toldKept', (id: string) => void kept.add(id));
    await page.evaluate(() => window.readroom.on('project.runAdded', (run) => window.toldKept(run.runId)));
    await page.getByTestId('open-sample-centre').first().click({ timeout: patience });
    await page.getByTestId('suggestion').first().waitFor({ timeout: patience });
  };

  beforeAll(async () => {
    await seedLibrary(userData, [await scriptedRun(await sampleInput(), threeSteps)]);
    await launch();
    ({ readerId } = await call(page, 'project.view', {}));
    review = new ScriptedReview(runId, readerId, steps, seed);
  });
  afterAll(async () => {
    await readroom?.close();
    rmSync(userData, { recursive: true, force: true });
    console.log(JSON.stringify({ name: 'kill-window', seed, ...account }));
  });

  const turns = () => page.getByTestId('turn');
  const active = () => page.locator('[data-testid=turn]:not([data-phase=ended])');

  /** One question under way: the last one, where it still is. */
  async function ask(): Promise<void> {
    if ((await active().count()) > 0) return;
    const before = await turns().count();
    await page.getByTestId('suggestion').first().click();
    await turns().nth(before).waitFor({ timeout: patience });
  }

  /** How the question in hand ended, in the window's own words. */
  async function outcome(): Promise<{ error: string | null; status: string }> {
    const turn = turns().last();
    await turn.and(page.locator('[data-phase=ended]')).waitFor({ timeout: patience });
    const note = turn.getByTestId('error-note');
    const error = (await note.count()) > 0 ? await note.innerText() : null;
    return { error, status: await turn.getByTestId('run-status').innerText() };
  }

  async function pids(victim: Victim): Promise<number[]> {
    const found: number[] = [];
    for (const name of victims[victim]) {
      let pid = name === 'main' ? (readroom.app.process().pid ?? 0) : 0;
      // The engine starts with the first question; the project's process is there or about to be.
      while (pid === 0)
        pid = await pidOf(readroom.app, name === 'engine' ? 'Readroom engine' : 'Readroom project');
      found.push(pid);
    }
    return found;
  }

  /** A copy of the file as it was left, looked through as if it came from a stranger: pages, hashes, lists. */
  function readCopy(): { own: Review; runs: Set<string> } {
    const folder = mkdtempSync(join(tmpdir(), 'readroom-e2e-kill-copy-'));
    try {
      const copy = join(folder, 'copy.readroom');
      for (const suffix of ['', '-wal']) {
        if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
      }
      const reader = { readerId: 'someone', name: 'Someone', role: 'reader' } as const;
      const project = Project.open(copy, { reader, trusted: false });
      try {
        const own = reviewsIn(project.db, runId).find((one) => one.readerId === readerId);
        const rows = project.db.all<{ run_id: string }>('SELECT run_id FROM runs');
        for (const { run_id } of rows) project.trace(run_id);
        return { own: own ?? emptyReview(runId, readerId), runs: new Set(rows.map(({ run_id }) => run_id)) };
      } finally {
        project.close();
      }
    } catch (thrown) {
      account.damaged++;
      throw thrown;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  function expectAllThere(own: Review, runs: ReadonlySet<string>): void {
    const found = review.check(own);
    if (found === 'unheard') account.unheard++;
    if (found === 'lost') account.lost++;
    expect(found).not.toBe('lost');
    const missing = [...kept].filter((id) => !runs.has(id));
    account.runsLost += missing.length;
    expect(missing).toEqual([]);
  }

  async function runsInWindow(): Promise<Set<string>> {
    const { rows } = await call(page, 'project.cases', { filter: {}, sort: 'newest', offset: 0, limit: 100 });
    const runs = new Set<string>();
    for (const { caseId } of rows) {
      for (const run of (await call(page, 'project.runs', { caseId })).runs) runs.add(run.runId);
    }
    return runs;
  }

  const order = Array.from({ length: rounds }, (_, n) => ({ n: n + 1, victim: names[n % names.length]! }));
  it.each(order)('$n: $victim', async ({ victim }) => {
    const dies: readonly string[] = victims[victim];
    await ask();
    const writing = review.write(page).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    await delay(random() * longestMs);
    const { app } = readroom;
    const marked = await pids(victim);
    const left = await Promise.all(
      (['Readroom engine', 'Readroom project'] as const).map((one) => pidOf(app, one)),
    );
    const gone = new Promise<void>((resolve) => app.process().once('exit', () => resolve()));
    for (const pid of marked) process.kill(pid, 'SIGKILL');
    account.kills[victim]++;

    if (dies.includes('main')) {
      await gone;
      const failure = await writing;
      if (failure instanceof ReadroomError) expect(['project-died', 'cancelled']).toContain(failure.code);
      complaints.push(...readroom.complaints);
      // What the main process had started ends with it, with nobody left to tell it to.
      await expect
        .poll(() => left.filter((pid) => pid > 0 && isAlive(pid)), { timeout: patience })
        .toEqual([]);
      const { own, runs } = readCopy();
      expectAllThere(own, runs);
      await launch();
    } else {
      // Between two changes nobody notices: the next one starts the process again.
      await delay(50);
      review.stop();
      const failure = await writing;
      if (victim === 'engine') expect(failure).toBeNull();
      else if (failure) expect((failure as ReadroomError).code).toBe('project-died');
    }
    if (victim === 'engine') await expectEngineBack();

    const get = () => call(page, 'review.get', { runId });
    // The call that finds the process dying may be told so; the next one works.
    const { own } = await get().catch(get);
    expectAllThere(own, await runsInWindow());
    const { broken } = await call(page, 'project.log', { caseId: null, offset: 0, limit: 1 });
    if (broken) account.damaged++;
    expect(broken).toBeNull();
    account.changes = review.acknowledged;
    account.runsKept = kept.size;
  });

  /** The window says what happened, and answers the next question. */
  async function expectEngineBack(): Promise<void> {
    const { error, status } = await outcome();
    // A question that was answered just before needed no engine any more.
    if (error === null) expect(status).toMatch(/^Answered/);
    else {
      expect(error).toMatch(/^The engine process ended by signal SIGKILL/);
      account.engineDiedInAnswer++;
    }
    await expect(page.getByTestId('engine-status').getAttribute('data-status')).resolves.toBe('died');
    await ask();
    expect(await outcome()).toMatchObject({ error: null, status: expect.stringMatching(/^Answered/) });
    account.answeredAfterwards++;
  }

  it('all of it is there at the end, in a project that a stranger may open', async () => {
    await readroom.close();
    complaints.push(...readroom.complaints);
    const { own, runs } = readCopy();
    expectAllThere(own, runs);
    expect(account.changes).toBeGreaterThan(rounds);
    expect(complaints).toEqual([]);
  });
});
