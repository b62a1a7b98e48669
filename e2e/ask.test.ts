/** The way of a question through the window, with the real engine and the embedded model. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { summarizeEvents } from '../src-contract/trace.ts';
import { describeWindow } from './harness/describe-window.ts';
import { pidOf } from './harness/processes.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { ended, lastTrace, patience, recordRuns } from './harness/window.ts';

/** Presses stop the moment `moment` has come; resolves to what the window then did, in milliseconds. */
function stopAt(page: Page, moment: { type: 'token'; count: number } | { type: 'box' }) {
  return page.evaluate(
    (wanted) =>
      new Promise<{ toEvent: number; toWindow: number }>((resolve) => {
        let clicked = 0;
        let toEvent = 0;
        let seen = 0;
        const turn = () => [...document.querySelectorAll('[data-testid=turn]')].at(-1);
        const stop = window.readroom.on('run.event', ({ event }) => {
          if (event.type === wanted.type) seen++;
          if (clicked === 0 && seen === (wanted.type === 'token' ? wanted.count : 1)) {
            clicked = performance.now();
            document.querySelector<HTMLButtonElement>('[data-testid=stop]')?.click();
          }
          if (event.type !== 'run-finished') return;
          toEvent = performance.now() - clicked;
          const look = () => {
            if (turn()?.getAttribute('data-phase') !== 'ended') return void requestAnimationFrame(look);
            stop();
            resolve({ toEvent, toWindow: performance.now() - clicked });
          };
          look();
        });
      }),
    moment,
  );
}

describeWindow('Asking', () => {
  let readroom: Readroom;
  let page: Page;
  beforeAll(async () => {
    readroom = await launchReadroom();
    page = readroom.page;
    await recordRuns(page);
  });
  afterAll(() => readroom.close());

  it('from the start to a streamed, grounded answer on the bundled CT in two clicks', async () => {
    let clicks = 0;
    const click = async (testId: string) => {
      clicks++;
      await page.getByTestId(testId).first().click({ timeout: patience });
    };
    await click('open-sample-centre');
    await click('suggestion');
    // The sentence grows while it is written, and the first box is over the images before the end of it.
    const reasoning = page.getByTestId('reasoning');
    await expect.poll(() => reasoning.innerText(), { timeout: patience, interval: 20 }).not.toBe('');
    await page.getByTestId('step-chip').first().waitFor({ timeout: patience });
    await ended(page, 1);
    expect(clicks).toBeLessThanOrEqual(2);
    const trace = await lastTrace(page);
    expect(trace.synthetic).toBe(true);
    const { steps, stopReason } = summarizeEvents(trace.events);
    expect(stopReason).toBe('end-of-turn');
    expect(steps.length).toBeGreaterThan(0);
    expect(await page.getByTestId('step-chip').count()).toBe(steps.length);
    expect(await page.getByTestId('answer').innerText()).not.toBe('');
  });

  it('text came token by token, and the box before the words after it', async () => {
    const { spread, order } = await page.evaluate(() => {
      const run = window.recordedRuns?.at(-1);
      const at = (run?.events ?? []).flatMap(({ type }, n) => (type === 'token' ? [run?.times[n] ?? 0] : []));
      const box = run?.events.findIndex(({ type }) => type === 'box') ?? -1;
      const rest = run?.events.slice(box).filter(({ type }) => type === 'token').length ?? 0;
      return { spread: new Set(at.map(Math.round)).size / at.length, order: { box, rest } };
    });
    expect(order.box).toBeGreaterThan(0);
    expect(order.rest).toBeGreaterThan(3);
    // Not all at once: most tokens arrive in a millisecond of their own.
    expect(spread).toBeGreaterThan(0.3);
  });

  it('the viewer followed to the middle of the box, and the box is drawn there', async () => {
    const [step] = summarizeEvents((await lastTrace(page)).events).steps;
    const { min, max } = step?.box.located.sourceVoxel ?? { min: [0, 0, 0], max: [0, 0, 0] };
    const slice = Number(await page.getByTestId('viewport-0').getAttribute('data-slice'));
    expect(slice).toBeGreaterThanOrEqual(min[2] ?? 0);
    expect(slice).toBeLessThan(max[2] ?? 0);
    expect(await page.locator('[data-testid=overlay-0] [data-testid=overlay-box]').first().isVisible()).toBe(
      true,
    );
  });

  for (const [turns, name, moment] of [
    [2, 'while it writes', { type: 'token', count: 4 }],
    [3, 'while the crop of a box is read', { type: 'box' }],
  ] as const) {
    it(`stop in mid-run, ${name}: within 300 ms, the partial trace kept and marked`, async () => {
      const stopped = stopAt(page, moment);
      await page.getByTestId('suggestion').nth(1).click();
      const { toEvent, toWindow } = await stopped;
      await ended(page, turns);
      console.info(`stopped after ${toEvent.toFixed(0)} ms, shown after ${toWindow.toFixed(0)} ms`);
      // The run has ended, and the page knows; drawing it takes as long as a frame does on this machine.
      expect(toEvent).toBeLessThan(300);
      expect(toWindow).toBeLessThan(1_000);
      const note = page
        .locator('[data-testid=turn]')
        .nth(turns - 1)
        .getByTestId('stop-note');
      expect(await note.getAttribute('data-reason')).toBe('cancelled');
      const trace = await lastTrace(page);
      expect(summarizeEvents(trace.events).stopReason).toBe('cancelled');
      expect(trace.events.filter(({ type }) => type === 'token').length).toBeGreaterThanOrEqual(4);
    });
  }

  it('asking again after a stop works', async () => {
    await page.locator('[data-testid=turn]').nth(2).getByTestId('regenerate').click();
    await page.locator('[data-testid=turn]').nth(3).waitFor({ timeout: patience });
    await ended(page, 4);
    expect(summarizeEvents((await lastTrace(page)).events).stopReason).toBe('end-of-turn');
  });

  it('the engine process killed in mid-run: the panel says so, the next question works', async () => {
    const pid = await pidOf(readroom.app, 'Readroom engine');
    expect(pid).toBeGreaterThan(1);
    const writing = page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const stop = window.readroom.on('run.event', ({ event }) => {
            if (event.type !== 'token') return;
            stop();
            resolve();
          });
        }),
    );
    await page.getByTestId('suggestion').nth(2).click();
    await writing;
    process.kill(pid, 'SIGKILL');
    await ended(page, 5);
    const turn = page.locator('[data-testid=turn]').nth(4);
    expect(await turn.getByTestId('error-note').innerText()).toMatch(/engine/i);
    expect(await page.getByTestId('engine-status').getAttribute('data-status')).toBe('died');
    const kept = await lastTrace(page);
    expect(summarizeEvents(kept.events).stopReason).toBe('failed');

    await page.getByTestId('suggestion').nth(2).click();
    await page.locator('[data-testid=turn]').nth(5).waitFor({ timeout: patience });
    await ended(page, 6);
    expect(summarizeEvents((await lastTrace(page)).events).stopReason).toBe('end-of-turn');
    expect(await page.getByTestId('engine-status').getAttribute('data-status')).toBe('ready');
    expect(readroom.complaints).toEqual([]);
  });
});
