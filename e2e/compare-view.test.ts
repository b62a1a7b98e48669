/** 2D beside 3D: two runs of one case in two panes, their boxes, their overlap, the figure. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { boxIou } from '../src-contract/box-measures.ts';
import { sourceBoxOf } from '../src-contract/source-box.ts';
import { summarizeEvents, type Trace } from '../src-contract/trace.ts';
import { bringAxe, expectClean } from './harness/axe.ts';
import { describeWindow } from './harness/describe-window.ts';
import { oneCuboid, onSlice, sampleInput, scriptedRun, seedLibrary } from './harness/projects.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { goToSlice, patience } from './harness/window.ts';

/** Colours of the boxes that a pane shows. */
const strokes = (page: Page, pane: number): Promise<string[]> =>
  page.evaluate(
    (number) =>
      [...document.querySelectorAll(`[data-testid=overlay-${number}] [data-testid=overlay-box]`)]
        .filter((one) => one.getClientRects().length > 0)
        .map((one) => getComputedStyle(one).stroke),
    pane,
  );
const green = 'rgb(53, 208, 127)';
const red = 'rgb(255, 93, 93)';

describeWindow('Comparison', () => {
  let readroom: Readroom;
  let page: Page;
  let flat: Trace;
  let volume: Trace;
  const userData = mkdtempSync(join(tmpdir(), 'readroom-compare-'));
  beforeAll(async () => {
    volume = await scriptedRun(await sampleInput(), oneCuboid);
    const slices = [56, 60, 64];
    const runs = await Promise.all(
      slices.map(async (slice) => scriptedRun(await sampleInput(slice), onSlice(slice, [80, 84, 128, 130]))),
    );
    flat = runs[1] as Trace;
    await seedLibrary(userData, [volume, ...runs]);
    readroom = await launchReadroom({ userData });
    page = readroom.page;
    await bringAxe(page);
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(userData, { recursive: true, force: true });
  });

  it('two runs are chosen in the list and shown side by side, 2D green, 3D red', async () => {
    await page.getByTestId('list').waitFor({ timeout: patience });
    await page.keyboard.press('Control+l');
    await page.getByTestId('case-item').first().click();
    const run = (words: RegExp) => page.getByTestId('run-item').filter({ hasText: words });
    await run(/volume/)
      .getByTestId('run-compare')
      .click();
    await run(/slice 61/)
      .getByTestId('run-compare')
      .click();
    await page.locator('[data-testid=viewport-1][data-slice="60"]').waitFor({ timeout: patience });
    await page.locator('[data-testid=viewport-0][data-slice="60"]').waitFor({ timeout: patience });
    await expect.poll(() => strokes(page, 1), { timeout: patience }).toEqual([green]);
    const shown = await strokes(page, 0);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.every((stroke) => stroke === red)).toBe(true);
    await page.getByTestId('compare-both').click();
    await expect.poll(async () => (await strokes(page, 0)).includes(green)).toBe(true);
    await page.getByTestId('compare-both').click();
    await expectClean(page);
  });

  it('the panes scroll together by patient position', async () => {
    await goToSlice(page, 0, 64);
    await page.locator('[data-testid=viewport-1][data-slice="64"]').waitFor({ timeout: patience });
  });

  it('the overlap printed is that of the 2D box and the section of the cuboid', async () => {
    const [first] = summarizeEvents(volume.events).steps;
    const [other] = summarizeEvents(flat.events).steps;
    if (!first || !other) throw new Error('no boxes');
    const cuboid = sourceBoxOf(first.box.located);
    const drawn = sourceBoxOf(other.box.located);
    // Written out here: areas on the slice, not the window's own code for volumes.
    const side = (axis: 0 | 1) =>
      Math.max(0, Math.min(cuboid.max[axis], drawn.max[axis]) - Math.max(cuboid.min[axis], drawn.min[axis]));
    const area = ({ min, max }: typeof cuboid) => (max[0] - min[0]) * (max[1] - min[1]);
    const shared = side(0) * side(1);
    const iou = shared / (area(cuboid) + area(drawn) - shared);
    expect(iou).not.toBeCloseTo(boxIou(cuboid, drawn), 2);
    expect(await page.getByTestId('aligned-iou').first().innerText()).toBe(`IoU ${iou.toFixed(2)}`);
    const curve = page.getByTestId('consistency');
    await curve.waitFor({ timeout: patience });
    expect(await page.getByTestId('figure-slice').locator('option').count()).toBe(3);
    expect(await page.getByTestId('figure-slice').innerText()).toContain(`61 (IoU ${iou.toFixed(2)})`);
    await page.locator('.figure').waitFor({ timeout: patience });
    const size = await page.locator('.figure').evaluate((image: HTMLImageElement) => image.naturalWidth);
    expect(size).toBeGreaterThan(100);
  });

  it('leaving the comparison puts the viewer back', async () => {
    await page.getByText('Questions', { exact: true }).click();
    await page.getByTestId('viewport-1').waitFor({ state: 'hidden' });
    expect(readroom.complaints).toEqual([]);
  });

  it('a volume run that was asked on no slice is asked on them, then shown beside one', async () => {
    await page.getByTestId('suggestion').first().click();
    await page.locator('[data-testid=turn][data-phase=ended]').last().waitFor({ timeout: patience });
    const item = page.getByTestId('run-item').filter({ hasText: 'What type of lesion' }).first();
    await item.getByTestId('run-slices').click({ timeout: patience });
    await page.getByTestId('slices-underway').waitFor({ timeout: patience });
    await page.getByTestId('consistency').waitFor({ timeout: patience });
    await expect.poll(() => strokes(page, 0), { timeout: patience }).toContain(green);
    expect(await page.getByTestId('figure-slice').locator('option').count()).toBeGreaterThan(3);
    // Another slice of the curve brings its own 2D run.
    const before = await page.getByTestId('compare-a').inputValue();
    await page.getByTestId('figure-slice').selectOption({ index: 0 });
    await expect.poll(() => page.getByTestId('compare-a').inputValue()).not.toBe(before);
    await page.locator('.figure').waitFor({ timeout: patience });
    await expectClean(page);
    expect(readroom.complaints).toEqual([]);
  });
});
