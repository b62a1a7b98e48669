/** What a person does in the window, and what the program says of it. */
import type { ElectronApplication, Page } from 'playwright-core';
import type { RunEvent } from '../../src-contract/run-events.ts';
import type { Trace } from '../../src-contract/trace.ts';
import type { Readroom } from './readroom.ts';

/** Generous: these tests also run on machines that are busy with other things. */
export const patience = 180_000;

/** Chooses an item of the native menu. */
export async function chooseMenu(app: ElectronApplication, id: string): Promise<void> {
  await app.evaluate(({ Menu }, item) => Menu.getApplicationMenu()?.getMenuItemById(item)?.click(), id);
}

/** Hands files to the program as the system does ('Open with'), and waits until the study is in hand. */
export async function openPath({ app, page }: Readroom, path: string): Promise<void> {
  const before = await page.getByTestId('study-item').count();
  await giveToOpen(app, path);
  await page.getByTestId('study-item').nth(before).waitFor({ timeout: patience });
  await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
}

export async function giveToOpen(app: ElectronApplication, path: string): Promise<void> {
  await app.evaluate(({ app: program }, file) => {
    program.emit('open-file', { preventDefault: () => undefined }, file);
  }, path);
}

/** What of each run the page was told, kept in the page for tests to read. */
interface Recorded {
  readonly id: string;
  readonly events: RunEvent[];
  readonly times: number[];
}
declare global {
  interface Window {
    recordedRuns?: Recorded[];
  }
}

/** Keeps a second copy of what the page hears of its runs. */
export async function recordRuns(page: Page): Promise<void> {
  await page.evaluate(() => {
    const runs: Recorded[] = [];
    window.recordedRuns = runs;
    window.readroom.on('run.event', ({ runId, event }) => {
      let run = runs.find(({ id }) => id === runId);
      if (!run) {
        run = { id: runId, events: [], times: [] };
        runs.push(run);
      }
      run.events.push(event);
      run.times.push(performance.now());
    });
  });
}

export async function lastTrace(page: Page): Promise<Trace> {
  const answer = await page.evaluate(() =>
    window.readroom.call('run.trace', { runId: window.recordedRuns?.at(-1)?.id ?? '' }),
  );
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value;
}

/** Writes a question into the composer and asks it. */
export async function ask(page: Page, question: string, choices: readonly string[]): Promise<void> {
  await page.getByTestId('composer-question').fill(question);
  for (const [n, choice] of choices.entries()) {
    await page.getByTestId(`option-${'abcd'[n]}`).fill(choice);
  }
  await page.getByTestId('ask').click();
}

/** The turn that was asked last, once it has ended. */
export async function ended(page: Page, turns: number): Promise<void> {
  await page
    .locator('[data-testid=turn]')
    .nth(turns - 1)
    .and(page.locator('[data-phase=ended]'))
    .waitFor({ timeout: patience });
}

/** Moves a pane to a slice by its slider, and waits until the slice is on the screen. */
export async function goToSlice(page: Page, pane: number, slice: number): Promise<void> {
  const slider = page.getByTestId(pane === 0 ? 'slice-slider' : `slice-slider-${pane}`);
  await slider.fill(String(slice));
  await page.locator(`[data-testid=viewport-${pane}][data-slice="${slice}"]`).waitFor({ timeout: patience });
}

/** Two frames: what was asked for is drawn. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );
}
