/** What axe-core finds in the main states of the window, in both themes and at twice the size. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWindow } from './harness/describe-window.ts';
import { launchReadroom, type Readroom, root } from './harness/readroom.ts';
import { chooseMenu, ended, patience } from './harness/window.ts';

describeWindow('Accessibility', () => {
  let readroom: Readroom;
  beforeAll(async () => {
    readroom = await launchReadroom();
    // Through the debugger, which the page's policy does not bind.
    await readroom.page.evaluate(readFileSync(join(root, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8'));
  });
  afterAll(() => readroom.close());

  async function expectClean(): Promise<void> {
    const found = await readroom.page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(context: Document, options: object): Promise<AxeResults> };
      };
      const { violations, passes } = await axe.run(document, { resultTypes: ['violations'] });
      const bad = violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(
          ({ id, help, nodes }) =>
            `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
        );
      return { bad, passed: passes.length };
    });
    expect(found.bad).toEqual([]);
    expect(found.passed).toBeGreaterThan(10);
  }

  it('empty', async () => {
    await readroom.page.getByTestId('open-sample-centre').waitFor({ timeout: patience });
    await expectClean();
  });

  it('a study is open', async () => {
    await readroom.page.getByTestId('open-sample-centre').click();
    await readroom.page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
    await expectClean();
  });

  it('an answer is finished', async () => {
    await readroom.page.getByTestId('suggestion').first().click();
    await readroom.page.getByTestId('turn').waitFor({ timeout: patience });
    await ended(readroom.page, 1);
    await expectClean();
  });

  it('the three planes', async () => {
    await chooseMenu(readroom.app, 'layout-mpr');
    await readroom.page.locator('[data-testid=viewport-2][data-slice]').waitFor({ timeout: patience });
    await expectClean();
  });

  it('the models panel', async () => {
    await chooseMenu(readroom.app, 'show-models');
    await readroom.page.getByTestId('model-row').first().waitFor({ timeout: patience });
    await expectClean();
    await readroom.page.keyboard.press('Escape');
  });

  it('the settings, the command palette, the shortcuts and the export', async () => {
    for (const item of ['show-settings', 'command-palette', 'show-shortcuts', 'show-export']) {
      await chooseMenu(readroom.app, item);
      await readroom.page.locator('dialog[open], [role=dialog]').first().waitFor({ timeout: patience });
      await expectClean();
      await readroom.page.keyboard.press('Escape');
      await readroom.page.locator('dialog[open], [role=dialog]').first().waitFor({ state: 'hidden' });
    }
  });

  it('the light theme', async () => {
    await chooseMenu(readroom.app, 'toggle-theme');
    await readroom.page.locator('html[data-theme=light]').waitFor();
    await expectClean();
  });

  it('twice the size: nothing is cut off to the side, nothing new is found', async () => {
    await readroom.app.evaluate(({ BrowserWindow }) => {
      BrowserWindow.getAllWindows()[0]?.webContents.setZoomFactor(2);
    });
    await readroom.page.waitForFunction(() => window.devicePixelRatio >= 2);
    await expectClean();
    const overflow = await readroom.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBeLessThanOrEqual(0);
    for (const testId of ['ask', 'composer-question', 'show-models', 'engine-status']) {
      const box = await readroom.page.getByTestId(testId).boundingBox();
      expect(box && box.width > 0 && box.x >= 0, testId).toBe(true);
    }
  });
});
