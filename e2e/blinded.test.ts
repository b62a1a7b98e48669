/** Reading without the model's help, and reading a case whose images have moved. */
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bringAxe, expectClean } from './harness/axe.ts';
import { describeWindow } from './harness/describe-window.ts';
import { sampleFile, sampleInput, scriptedRun, seedLibrary, threeSteps } from './harness/projects.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { patience } from './harness/window.ts';

describeWindow('Blinded reading', () => {
  let readroom: Readroom;
  let page: Page;
  const folder = mkdtempSync(join(tmpdir(), 'readroom-blinded-'));
  const images = join(folder, 'images');
  const elsewhere = join(folder, 'elsewhere');
  beforeAll(async () => {
    mkdirSync(images);
    mkdirSync(elsewhere);
    copyFileSync(sampleFile, join(images, 'scan.mha'));
    const trace = await scriptedRun(await sampleInput(undefined, join(images, 'scan.mha')), threeSteps);
    await seedLibrary(join(folder, 'settings'), [trace]);
    renameSync(join(images, 'scan.mha'), join(elsewhere, 'moved.mha'));
    readroom = await launchReadroom({ userData: join(folder, 'settings') });
    page = readroom.page;
    await bringAxe(page);
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the person answers when asked for a folder. */
  const chooseFolder = (path: string | null): Promise<void> =>
    readroom.app.evaluate(({ dialog }, chosen) => {
      const answer = { canceled: chosen === null, filePaths: chosen === null ? [] : [chosen] };
      dialog.showOpenDialog = (() => Promise.resolve(answer)) as typeof dialog.showOpenDialog;
    }, path);

  /** What of the run the window can have. */
  const eventTypes = async (): Promise<string[]> => {
    const answer = await page.evaluate(
      (id) => window.readroom.call('project.trace', { runId: id }),
      threeSteps.runId,
    );
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.value.events.map(({ type }) => type);
  };

  it('images that are not where they were: the steps can be read, the images are found again by content', async () => {
    await page.getByTestId('side').waitFor({ timeout: patience });
    await chooseFolder(null);
    await page.keyboard.press('Control+r');
    await page.keyboard.press('Shift+N');
    await page.getByTestId('images-missing').waitFor({ timeout: patience });
    expect(await page.getByTestId('review-step').count()).toBe(3);
    await expectClean(page);
    await chooseFolder(images);
    await page.getByTestId('images-missing').getByRole('button').click();
    await expect
      .poll(() => page.getByTestId('images-missing').innerText(), { timeout: patience })
      .toContain('could not be found');
    await chooseFolder(elsewhere);
    await page.getByTestId('images-missing').getByRole('button').click();
    await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
    await page.getByTestId('images-missing').waitFor({ state: 'hidden' });
    await page.locator('[data-testid=overlay-box]').first().waitFor({ state: 'attached' });
  });

  it("without the model's help: nothing of it is shown until the reader asks", async () => {
    await page.getByTestId('reader').selectOption('+');
    await page.getByTestId('blind-model').click();
    await expect.poll(() => page.getByTestId('blind-model').getAttribute('aria-checked')).toBe('true');
    await page.keyboard.press('Escape');
    await page.getByTestId('blind-note').waitFor();
    expect(await page.getByTestId('review-step').count()).toBe(0);
    expect(await page.getByTestId('answer-card').innerText()).not.toContain('right lung');
    expect(await page.locator('[data-testid=overlay-box]').count()).toBe(0);
    await expectClean(page);

    // Nor is it anywhere in the window: the project's process keeps it back, from comparisons as well.
    expect(await eventTypes()).toEqual(['run-started']);
    const [compared, curve] = await page.evaluate(
      (id) =>
        Promise.all([
          window.readroom.call('compare.runs', { a: id, b: id }),
          window.readroom.call('compare.consistency', { runId: id }),
        ]),
      threeSteps.runId,
    );
    const remedy = 'Reveal the model in the review of this run first.';
    expect(compared).toMatchObject({ ok: false, error: { code: 'input-invalid', remedy } });
    expect(curve).toMatchObject({ ok: false, error: { code: 'input-invalid', remedy } });
    await page.keyboard.press('Control+l');
    if ((await page.getByTestId('case-runs').count()) === 0)
      await page.getByTestId('case-item').first().click();
    await page.getByTestId('run-slices').click();
    await page.getByText(remedy).waitFor();
    await page.getByText('Review', { exact: true }).first().click();

    await page.getByTestId('add-box').click();
    const pane = await page.getByTestId('viewport-0').boundingBox();
    if (!pane) throw new Error('no pane');
    const [x, y] = [pane.x + pane.width * 0.3, pane.y + pane.height * 0.4];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 80, y + 60, { steps: 5 });
    await page.mouse.up();
    await page.getByTestId('label-field').fill('mass');
    await page.keyboard.press('Enter');
    await page.getByTestId('amend-answer').click();
    await page.getByTestId('answer-a').check();
    await page.getByTestId('answer-keep').click();
    await page.getByTestId('amended-answer').waitFor();

    await page.getByTestId('reveal').click();
    await page.getByTestId('review-step').nth(2).waitFor();
    await page.locator('[data-testid=overlay-box]').first().waitFor({ state: 'attached' });
    expect(await page.getByTestId('added-card').count()).toBe(1);
    expect(await page.getByTestId('answer-card').innerText()).toContain('right lung');
    expect(await eventTypes()).toContain('answer');
    await expectClean(page);

    // Asked for by mistake: taken back, it is hidden again.
    await page.keyboard.press('Control+z');
    await page.getByTestId('blind-note').waitFor();
    await expect.poll(eventTypes).toEqual(['run-started']);
    expect(await page.getByTestId('review-step').count()).toBe(0);
    await expect.poll(() => page.locator('[data-testid=overlay-box]').count()).toBe(0);
    await page.keyboard.press('Control+Shift+Z');
    await page.getByTestId('review-step').nth(2).waitFor();
    expect(await page.getByTestId('added-card').count()).toBe(1);
    expect(readroom.complaints).toEqual([]);
  });

  it('the next reader of the window has nothing of what the one before was shown, an adjudicator all', async () => {
    const addReader = async (name: string, role: string): Promise<void> => {
      await page.getByTestId('reader').selectOption('+');
      await page.getByTestId('reader-name').fill(name);
      await page.getByTestId('reader-role').selectOption(role);
      await page.getByTestId('reader-add').click();
      await page.getByTestId('readers-panel').getByText(name, { exact: true }).click();
      await page.keyboard.press('Escape');
      await page.getByTestId('readers-panel').waitFor({ state: 'hidden' });
    };
    await page.getByText('Questions', { exact: true }).click();
    await page.getByTestId('turn').first().waitFor();
    await page.getByText('Review', { exact: true }).first().click();
    await addReader('Ben', 'reader');
    await page.getByTestId('blind-note').waitFor();
    expect(await eventTypes()).toEqual(['run-started']);
    await expect.poll(() => page.locator('[data-testid=overlay-box]').count()).toBe(0);
    await page.getByText('Questions', { exact: true }).click();
    await expect.poll(() => page.getByTestId('turn').count()).toBe(0);
    await page.getByText('Review', { exact: true }).first().click();

    await addReader('Dee', 'adjudicator');
    await page.getByTestId('review-step').nth(2).waitFor();
    await page.locator('[data-testid=overlay-box]').first().waitFor({ state: 'attached' });
    expect(readroom.complaints).toEqual([]);
  });
});
