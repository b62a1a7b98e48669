/** Reading positions from what is really on the screen, to check drawn boxes against something that is not their own code. */
import { decode } from 'fast-png';
import type { Page } from 'playwright-core';
import { settle } from './window.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): readonly [number, number, number];
}

/** A pane as it is on the screen; `overlay: false` leaves only the image. */
export async function picturePane(page: Page, pane: number, overlay: boolean): Promise<Picture> {
  const show = (shown: boolean) =>
    page.evaluate(
      ([number, visible]) => {
        const frame = document.querySelector<HTMLElement>(`[data-testid=viewport-${number}]`);
        for (const child of frame?.children ?? []) {
          if (child.matches('.pane-picture')) continue;
          (child as HTMLElement).style.visibility = visible ? '' : 'hidden';
        }
      },
      [pane, shown] as const,
    );
  if (!overlay) await show(false);
  await settle(page);
  const box = await page.locator(`[data-testid=viewport-${pane}] .pane-picture`).boundingBox();
  if (!box) throw new Error(`pane ${pane} is not on the screen`);
  const png = decode(await page.screenshot({ clip: box, animations: 'allow' }));
  if (!overlay) await show(true);
  const { width, height, data, channels } = png;
  return {
    width,
    height,
    at: (x, y) => {
      const first = (Math.round(y) * width + Math.round(x)) * channels;
      return [Number(data[first]), Number(data[first + 1]), Number(data[first + 2])];
    },
  };
}

export interface Edges {
  readonly low: readonly [number, number];
  readonly high: readonly [number, number];
}

/** Where a line of grey levels crosses the middle between its dark and its bright level, going out from `from`. */
function crossing(level: (at: number) => number, from: number, step: 1 | -1, middle: number): number {
  let at = from;
  for (let n = 0; n < 4_000; n++, at += step) {
    const [here, next] = [level(at), level(at + step)];
    // Pixel n covers n to n + 1: its centre is at n + 0.5.
    if (here >= middle && next < middle) return at + 0.5 + (step * (here - middle)) / (here - next);
  }
  throw new Error('the block has no edge');
}

/** The brightest block's edges, in CSS pixels of the pane, to a fraction of a pixel. */
export function findBlock(picture: Picture): Edges {
  const grey = (x: number, y: number) => picture.at(x, y)[0];
  let brightest = 0;
  for (let y = 0; y < picture.height; y += 2) {
    for (let x = 0; x < picture.width; x += 2) brightest = Math.max(brightest, grey(x, y));
  }
  let [count, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < picture.height; y += 2) {
    for (let x = 0; x < picture.width; x += 2) {
      if (grey(x, y) < brightest - 2) continue;
      count++;
      sumX += x;
      sumY += y;
    }
  }
  const [x, y] = [Math.round(sumX / count), Math.round(sumY / count)];
  if (grey(x, y) < brightest - 2) throw new Error('what is brightest is no block');
  const along = (axis: 0 | 1, step: 1 | -1): number => {
    const level = (at: number) => (axis === 0 ? grey(at, y) : grey(x, at));
    const start = axis === 0 ? x : y;
    // Flat surroundings: the level a good way out of the block, where the steepest part is over.
    let edge = start;
    while (level(edge) > brightest * 0.8) edge += step;
    while (level(edge) - level(edge + step * 2) > 1) edge += step;
    return crossing(level, start, step, (brightest + level(edge)) / 2);
  };
  return { low: [along(0, -1), along(1, -1)], high: [along(0, 1), along(1, 1)] };
}

/** Corners of the first box drawn in a pane, in CSS pixels of the pane; null where none is. */
export async function drawnBox(page: Page, pane: number): Promise<Edges | null> {
  const points = await page.evaluate((number) => {
    const polygons = document.querySelectorAll<SVGPolygonElement>(
      `[data-testid=overlay-${number}] [data-testid=overlay-box]`,
    );
    const shown = [...polygons].find((one) => one.getClientRects().length > 0);
    if (!shown) return null;
    // As the browser lays it out, in case the layer itself were moved or scaled.
    const matrix = shown.getScreenCTM();
    const frame = document.querySelector(`[data-testid=viewport-${number}] .pane-picture`);
    const origin = frame?.getBoundingClientRect();
    if (!matrix || !origin) return null;
    return [...shown.points].map((corner) => {
      const { x, y } = new DOMPoint(corner.x, corner.y).matrixTransform(matrix);
      return [x - origin.x, y - origin.y] as const;
    });
  }, pane);
  if (!points || points.length === 0) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return { low: [Math.min(...xs), Math.min(...ys)], high: [Math.max(...xs), Math.max(...ys)] };
}
