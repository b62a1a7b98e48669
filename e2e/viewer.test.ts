/** The viewer under haste: windows, layouts and slices changed faster than they are drawn, and a series too large to hold. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom } from '../src-main/engine/decode/random.ts';
import { describeWindow } from './harness/describe-window.ts';
import { type Picture, picturePane } from './harness/pixels.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { marked, writeLargeSeries, writeMarkedDicom } from './harness/studies.ts';
import { chooseMenu, goToSlice, openPath, patience } from './harness/window.ts';

/** The brightest grey level of a pane's middle, where no text is. */
function brightest(picture: Picture): number {
  let level = 0;
  for (let y = 40; y < picture.height - 60; y += 2) {
    for (let x = 20; x < picture.width - 40; x += 2) level = Math.max(level, picture.at(x, y)[0]);
  }
  return level;
}

/** How much rows of a pane differ within themselves: 0 where nothing is drawn. */
function contrastOfRow(picture: Picture, share: number): number {
  const y = Math.round(picture.height * share);
  const levels = Array.from({ length: picture.width - 80 }, (_, n) => picture.at(n + 40, y)[0]);
  return Math.max(...levels) - Math.min(...levels);
}

describeWindow('The viewer under haste', () => {
  let readroom: Readroom;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'readroom-viewer-'));
    readroom = await launchReadroom();
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('every plane has the window that it names, however fast layouts, windows and slices change', async () => {
    const { app, page } = readroom;
    await openPath(readroom, writeMarkedDicom(join(folder, 'marked')));
    const random = seededRandom(11);
    const middle = marked.block.min.map((low, axis) => Math.floor((low + (marked.block.max[axis] ?? 0)) / 2));
    // Soft tissue and bone, which do not saturate the block.
    const presets = ['Soft tissue', 'Bone'] as const;
    for (let n = 0; n < 3; n++) {
      await chooseMenu(app, random() < 0.5 ? 'layout-1x1' : 'layout-2x2');
      const wanted = presets[n % 2] ?? '';
      await page.getByTestId('window-preset').selectOption({ label: wanted });
      // Slices are asked for while the planes are still being set up, and the window is not touched again.
      const dragged = page.evaluate(
        (seed) =>
          new Promise<void>((resolve) => {
            let frames = 0;
            const drag = () => {
              const sliders = document.querySelectorAll<HTMLInputElement>('.slice-slider');
              const slider = sliders[(seed + frames) % Math.max(1, sliders.length)];
              if (slider) {
                slider.value = String((seed * 7 + frames * 5) % (Number(slider.max) + 1));
                slider.dispatchEvent(new Event('input', { bubbles: true }));
              }
              if (++frames < 40) requestAnimationFrame(drag);
              else resolve();
            };
            drag();
          }),
        n,
      );
      await chooseMenu(app, 'layout-mpr');
      if (random() < 0.4) {
        await chooseMenu(app, 'layout-1x1');
        await chooseMenu(app, 'layout-mpr');
      }
      await dragged;
      await page.locator('[data-testid=viewport-2][data-slice]').waitFor({ timeout: patience });
      // Axial, sagittal, coronal: through the middle of the block, so that it is in all of them.
      for (const [pane, axis] of [2, 0, 1].entries()) await goToSlice(page, pane, middle[axis] ?? 0);
      const [upper, lower] = wanted === 'Bone' ? [1730, -770] : [240, -160];
      const level = (255 * (marked.brightness - lower)) / (upper - lower);
      const seen = () =>
        Promise.all([0, 1, 2].map(async (pane) => brightest(await picturePane(page, pane, false))));
      await expect.poll(seen, { timeout: 10_000 }).toEqual([0, 1, 2].map(() => expect.closeTo(level, -0.7)));
    }
  });

  it('a series too large to be held whole is there to its ends, and in planes', async () => {
    const { app, page } = readroom;
    await chooseMenu(app, 'layout-1x1');
    // 176 MB: beyond what the page holds (src-renderer/viewer/pixels/prefetch.ts).
    const slices = 84;
    await openPath(readroom, writeLargeSeries(join(folder, 'large'), slices, 1024));
    await page.locator(`[data-testid=slice-slider][max="${slices - 1}"]`).waitFor({ timeout: patience });
    for (const slice of [slices - 1, 0, 60, slices - 1]) {
      await goToSlice(page, 0, slice);
      expect(contrastOfRow(await picturePane(page, 0, false), 0.5)).toBeGreaterThan(60);
    }
    await chooseMenu(app, 'layout-mpr');
    await page.locator('[data-testid=viewport-2][data-slice]').waitFor({ timeout: patience });
    const filled = async () => {
      const picture = await picturePane(page, 2, false);
      // Head to foot: the slab is thin, and stands in the middle.
      return [0.45, 0.475, 0.5, 0.525, 0.55].every((share) => contrastOfRow(picture, share) > 60);
    };
    await expect.poll(filled, { timeout: patience, interval: 500 }).toBe(true);
    await chooseMenu(app, 'layout-1x1');
    await goToSlice(page, 0, 3);
    expect(contrastOfRow(await picturePane(page, 0, false), 0.5)).toBeGreaterThan(60);
    expect(readroom.complaints).toEqual([]);
  });
});

describeWindow('Without WebGL', () => {
  let readroom: Readroom;
  beforeAll(async () => {
    readroom = await launchReadroom();
    await readroom.page.addInitScript(() => {
      const original = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, ...args: unknown[]) {
        return /webgl/.test(String(args[0])) ? null : Reflect.apply(original, this, args);
      } as typeof original;
    });
    await readroom.page.reload();
  });
  afterAll(() => readroom.close());

  it('slices are shown all the same, and the window says what is missing and why', async () => {
    const { page } = readroom;
    await page.getByTestId('open-sample-centre').click({ timeout: patience });
    await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
    expect(await page.locator('.viewer-notice').innerText()).toMatch(/no WebGL/);
    expect(await page.getByTestId('layout-mpr').isDisabled()).toBe(true);
    expect(await page.getByTestId('layout-mpr').getAttribute('title')).toMatch(/WebGL/);
    await goToSlice(page, 0, 60);
    expect(contrastOfRow(await picturePane(page, 0, false), 0.5)).toBeGreaterThan(100);
    expect(readroom.complaints).toEqual([]);
  });
});
