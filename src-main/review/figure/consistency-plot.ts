/** The consistency curve: IoU of 2D box and cuboid over the cuboid's slices. */
import type { Consistency } from '../../../src-contract/comparison.ts';
import { points, type Shape } from './scene.ts';

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const ink = '#1f2937';
const faint = '#d1d5db';
const curveColour = '#15803d';

/** @param slices of the cuboid, in rising order: the axis; points may lie on some of them only */
export function consistencyPlot(
  { points: dots, meanIou }: Consistency,
  slices: readonly number[],
  key: number,
  frame: Frame,
): Shape[] {
  const size = points(7);
  const plot = { x: frame.x + 11, y: frame.y + 3, width: frame.width - 13, height: frame.height - 12 };
  const [first, last] = [slices[0] ?? 0, slices.at(-1) ?? 0];
  const atX = (slice: number) =>
    plot.x + (last > first ? ((slice - first + 0.5) / (last - first + 1)) * plot.width : plot.width / 2);
  const atY = (iou: number) => plot.y + (1 - iou) * plot.height;
  const shapes: Shape[] = [];
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    const y = atY(tick);
    shapes.push(
      {
        kind: 'line',
        points: [
          [plot.x, y],
          [plot.x + plot.width, y],
        ],
        stroke: { colour: tick === 0 ? ink : faint, width: tick === 0 ? 0.25 : 0.15 },
      },
      { kind: 'text', x: plot.x - 1, y: y + size * 0.35, text: tick.toFixed(2), size, anchor: 'end' },
    );
  }
  for (const slice of ticksOf(first, last)) {
    shapes.push(
      {
        kind: 'line',
        points: [
          [atX(slice), plot.y + plot.height],
          [atX(slice), plot.y + plot.height + 0.8],
        ],
        stroke: { colour: ink, width: 0.25 },
      },
      {
        kind: 'text',
        x: atX(slice),
        y: plot.y + plot.height + 3.6,
        text: String(slice + 1),
        size,
        anchor: 'middle',
      },
    );
  }
  if (key >= first && key <= last) {
    shapes.push({
      kind: 'line',
      points: [
        [atX(key), plot.y],
        [atX(key), plot.y + plot.height],
      ],
      stroke: { colour: '#6b7280', width: 0.25, dash: [0.8, 0.8] },
    });
  }
  if (meanIou !== null) {
    shapes.push({
      kind: 'line',
      points: [
        [plot.x, atY(meanIou)],
        [plot.x + plot.width, atY(meanIou)],
      ],
      stroke: { colour: curveColour, width: 0.3, dash: [2, 1] },
    });
  }
  shapes.push(...curve(dots, atX, atY));
  shapes.push(
    {
      kind: 'text',
      x: plot.x + plot.width / 2,
      y: frame.y + frame.height - 1,
      text: 'Slice of the series (those the cuboid covers)',
      size,
      anchor: 'middle',
    },
    {
      kind: 'text',
      x: frame.x + 2.5,
      y: plot.y + plot.height / 2,
      text: 'IoU',
      size,
      anchor: 'middle',
      upwards: true,
    },
  );
  return shapes;
}

/** Dots, joined where no slice is left out between them; a slice without a 2D box has a cross on the axis. */
function curve(
  dots: Consistency['points'],
  atX: (slice: number) => number,
  atY: (iou: number) => number,
): Shape[] {
  const shapes: Shape[] = [];
  const steps = dots.slice(1).map(({ slice }, index) => slice - dots[index].slice);
  const step = steps.length > 0 ? Math.min(...steps) : 1;
  let line: [number, number][] = [];
  const end = () => {
    if (line.length > 1)
      shapes.push({ kind: 'line', points: line, stroke: { colour: curveColour, width: 0.45 } });
    line = [];
  };
  let before: number | null = null;
  for (const { slice, iou } of dots) {
    const x = atX(slice);
    if (iou === null || (before !== null && slice - before > step)) end();
    before = slice;
    if (iou === null) {
      const y = atY(0);
      for (const slope of [-1, 1]) {
        shapes.push({
          kind: 'line',
          points: [
            [x - 0.8, y - 0.8 * slope],
            [x + 0.8, y + 0.8 * slope],
          ],
          stroke: { colour: curveColour, width: 0.4 },
        });
      }
      continue;
    }
    line.push([x, atY(iou)]);
    shapes.push({ kind: 'circle', x, y: atY(iou), radius: 0.75, fill: curveColour });
  }
  end();
  return shapes;
}

/** At most a dozen round numbers. */
function ticksOf(first: number, last: number): number[] {
  const room = Math.max(1, last - first);
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].find((each) => room / each <= 12) ?? room;
  const ticks: number[] = [];
  // Round as they are printed, from 1.
  for (let tick = Math.ceil((first + 1) / step) * step; tick <= last + 1; tick += step) ticks.push(tick - 1);
  return ticks;
}
