/** Measurements over one pane. */
import { cache } from '@cornerstonejs/core';
import type { Pane } from '../pane.ts';
import type { Vec2, Vec3 } from '../vector.ts';
import { toScreen } from './box-section.ts';
import { describe, type Measurement, measurements } from './measurements.ts';
import { round, setAttributes, svgElement } from './svg.ts';

const handleReach = 9;

export class MeasureLayer {
  private readonly root: SVGGElement;

  constructor(
    svg: SVGSVGElement,
    private readonly pane: Pane,
  ) {
    this.root = svgElement('g', 'measurements', svg);
  }

  private shown(): readonly Measurement[] {
    const { onScreen } = this.pane;
    return onScreen ? measurements.on(onScreen.source, onScreen.orientation.axis, onScreen.slice) : [];
  }

  /** Few of them at a time: drawn anew each time. */
  update(): void {
    this.root.replaceChildren();
    const { onScreen } = this.pane;
    const map = this.pane.screenMap();
    if (!onScreen || !map) return;
    for (const one of this.shown()) {
      const [a, b] = one.ends.map((end) => toScreen(map, end));
      const isSelected = measurements.selected === one.id;
      const group = svgElement('g', `measurement ${one.kind}${isSelected ? ' selected' : ''}`, this.root);
      setAttributes(group, { 'data-testid': 'measurement' });
      if (one.kind === 'length') this.drawLine(group, a, b);
      else this.drawRectangle(group, one, map);
      for (const end of [a, b]) {
        setAttributes(svgElement('circle', 'handle', group), {
          cx: round(end[0]),
          cy: round(end[1]),
          r: 3.5,
        });
      }
      const text = describe(onScreen.source, one, (k) => {
        const image = cache.getImage(onScreen.source.imageIds[k]);
        return image ? image.getPixelData() : null;
      });
      this.drawText(group, text, [Math.max(a[0], b[0]) + 8, Math.max(a[1], b[1]) + 4]);
    }
  }

  private drawLine(group: SVGGElement, a: Vec2, b: Vec2): void {
    setAttributes(svgElement('line', 'shape', group), {
      x1: round(a[0]),
      y1: round(a[1]),
      x2: round(b[0]),
      y2: round(b[1]),
    });
  }

  private drawRectangle(
    group: SVGGElement,
    { ends: [a, b], axis }: Measurement,
    map: Parameters<typeof toScreen>[0],
  ): void {
    const u = (axis + 1) % 3;
    const mixed = (first: Vec3, second: Vec3): Vec3 => {
      const corner: [number, number, number] = [second[0], second[1], second[2]];
      corner[u] = first[u];
      return corner;
    };
    const corners = [a, mixed(a, b), b, mixed(b, a)].map((corner) => toScreen(map, corner));
    setAttributes(svgElement('polygon', 'shape', group), {
      points: corners.map(([x, y]) => `${round(x)},${round(y)}`).join(' '),
    });
  }

  private drawText(group: SVGGElement, text: string, [x, y]: Vec2): void {
    const element = svgElement('text', 'reading', group);
    setAttributes(element, { x: round(x), y: round(y) });
    text.split('\n').forEach((line, n) => {
      const span = svgElement('tspan', '', element);
      setAttributes(span, { x: round(x), dy: n === 0 ? 0 : 15 });
      span.textContent = line;
    });
  }

  /** The end of a measurement that lies under a point. */
  handleAt([x, y]: Vec2): { id: number; end: 0 | 1 } | null {
    const map = this.pane.screenMap();
    if (!map) return null;
    for (const one of this.shown()) {
      for (const end of [0, 1] as const) {
        const [atX, atY] = toScreen(map, one.ends[end]);
        if (Math.hypot(atX - x, atY - y) <= handleReach) return { id: one.id, end };
      }
    }
    return null;
  }

  dispose(): void {
    this.root.remove();
  }
}
