/**
 * `overlay`: time of a frame while slices are scrolled through, with 200 boxes on every slice over none. The frame rate
 * is not held to the screen's, so that a frame's time is what it takes and not what the screen allows.
 */
import type { Page } from 'playwright-core';
import { launchReadroom } from '../e2e/harness/readroom.ts';
import { patience } from '../e2e/harness/window.ts';
import { seededRandom } from '../src-main/engine/decode/random.ts';
import { type BenchResult, type Log, median, rounded } from './bench.ts';
import { askScripted, boxEvent, chainInHand, scriptRuns, send, startedEvent } from './scripted-runs.ts';

const boxes = 200;
const frames = 120;
const rounds = 5;

/** Scrolls slice by slice; resolves to the median time from one slice on the screen to the next. */
function scroll(page: Page): Promise<number> {
  return page.evaluate(async (count) => {
    const pane = document.querySelector('[data-testid=viewport-0]') as HTMLElement;
    const slider = document.querySelector('[data-testid=slice-slider]') as HTMLInputElement;
    const nextFrame = () => new Promise<void>((resolve) => requestAnimationFrame(() => resolve()));
    const last = Number(slider.max);
    const times: number[] = [];
    for (let n = 0; n < count; n++) {
      const slice = n % (2 * last) > last ? 2 * last - (n % (2 * last)) : n % (2 * last);
      const begun = performance.now();
      slider.value = String(slice);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      while (pane.dataset.slice !== String(slice)) await nextFrame();
      await nextFrame();
      times.push(performance.now() - begun);
    }
    times.sort((a, b) => a - b);
    return times[times.length >> 1] ?? Number.NaN;
  }, frames);
}

export async function bench(log: Log): Promise<BenchResult> {
  const readroom = await launchReadroom({ switches: ['--disable-frame-rate-limit', '--disable-gpu-vsync'] });
  const { app, page } = readroom;
  try {
    await page.getByTestId('open-sample-centre').click({ timeout: patience });
    await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
    const chain = await chainInHand(page);
    await scriptRuns(app, chain);
    const runId = await askScripted(app, page);
    const random = seededRandom(7);
    const [width, height, depth] = chain.processorSize;
    const events = Array.from({ length: boxes }, (_, step) => {
      const x1 = Math.floor(random() * (width - 50));
      const y1 = Math.floor(random() * (height - 50));
      const side = 12 + Math.floor(random() * 36);
      return boxEvent(step, { x1, y1, z1: 0, x2: x1 + side, y2: y1 + side, z2: depth }, chain);
    });
    await send(app, runId, [
      startedEvent(runId),
      { type: 'round-started', at: 0, round: 0, contextTokens: 0 },
    ]);
    await send(app, runId, events);
    await page.waitForFunction(
      (count) =>
        document.querySelectorAll('[data-testid=overlay-0] [data-testid=overlay-box]').length === count,
      boxes,
      { timeout: patience },
    );
    // Every slice is in the page before anything is timed.
    await scroll(page);
    await scroll(page);
    const toggle = () =>
      app.evaluate(({ Menu }) => Menu.getApplicationMenu()?.getMenuItemById('toggle-overlay')?.click());
    const shown = (count: number) =>
      page.waitForFunction((wanted) => {
        const all = [...document.querySelectorAll('[data-testid=overlay-0] [data-testid=overlay-box]')];
        return all.filter((one) => one.getClientRects().length > 0).length === wanted;
      }, count);
    const [none, many]: [number[], number[]] = [[], []];
    for (let n = 0; n < rounds; n++) {
      await shown(boxes);
      many.push(await scroll(page));
      await toggle();
      await shown(0);
      none.push(await scroll(page));
      await toggle();
      log(`  ${boxes} boxes ${many.at(-1)?.toFixed(1)} ms, none ${none.at(-1)?.toFixed(1)} ms`);
    }
    return {
      ratio: rounded(median(many) / median(none)),
      detail: {
        bar: '<= 1.3',
        boxes,
        boxesOnEverySlice: true,
        withBoxesMs: rounded(median(many)),
        withoutMs: rounded(median(none)),
      },
    };
  } finally {
    await readroom.close();
  }
}
