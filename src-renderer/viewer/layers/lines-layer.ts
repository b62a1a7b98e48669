/**
 * Where other panes' slices cut this one: the crosshair of the three planes, and reference lines. The crosshair is not
 * kept anywhere: it is where the planes' slices meet, so scrolling one plane moves it in the others by itself.
 */
import { useViewer, visiblePanes } from '../../state/viewer-store.ts';
import { viewNormal } from '../camera.ts';
import type { OnScreen, Pane } from '../pane.ts';
import type { ImageSource } from '../pixels/image-scheme.ts';
import { type Axis, axes, cross, dot, length, subtract, transform, type Vec2, type Vec3 } from '../vector.ts';
import { toScreen } from './box-section.ts';
import { round, setAttributes, svgElement } from './svg.ts';

/** Gap around the crosshair's centre, so that it does not cover what it points at. */
const gap = 14;

/** Corners of a slice's edge in world space. */
function sliceCorners({ source, orientation, slice }: OnScreen): Vec3[] {
  const { size, indexToWorld } = source.geometry;
  const [u, v] = axes.filter((axis) => axis !== orientation.axis) as [Axis, Axis];
  return [
    [-0.5, -0.5],
    [size[u] - 0.5, -0.5],
    [size[u] - 0.5, size[v] - 0.5],
    [-0.5, size[v] - 0.5],
  ].map(([atU, atV]) => {
    const p: [number, number, number] = [slice, slice, slice];
    p[u] = atU;
    p[v] = atV;
    return transform(indexToWorld, p);
  });
}

/** The line in which another pane's slice cuts this pane's plane; null when they are parallel or don't meet. */
export function cutBetween(here: OnScreen, other: OnScreen): readonly [Vec3, Vec3] | null {
  const normal = viewNormal(here.camera);
  if (length(cross(normal, viewNormal(other.camera))) < 1e-3) return null;
  const corners = sliceCorners(other);
  const sides = corners.map((corner) => dot(subtract(corner, here.camera.centre), normal));
  const points: Vec3[] = [];
  corners.forEach((a, n) => {
    const m = (n + 1) % corners.length;
    if (sides[n] >= 0 === sides[m] >= 0) return;
    const t = sides[n] / (sides[n] - sides[m]);
    points.push([0, 1, 2].map((axis) => a[axis] + (corners[m][axis] - a[axis]) * t) as unknown as Vec3);
  });
  return points.length === 2 ? [points[0], points[1]] : null;
}

/** Positions in two series can be compared: the same grid, or both placed in the same study's patient. */
export function canLink(a: ImageSource, b: ImageSource): boolean {
  return a === b || (a.ref.studyId === b.ref.studyId && a.geometry.isPatient && b.geometry.isPatient);
}

export class LinesLayer {
  private readonly root: SVGGElement;

  constructor(
    svg: SVGSVGElement,
    private readonly pane: Pane,
    private readonly panes: () => readonly Pane[],
  ) {
    this.root = svgElement('g', 'lines', svg);
  }

  update(): void {
    this.root.replaceChildren();
    const { layout, crosshairs, referenceLines, active } = useViewer.getState();
    const { onScreen } = this.pane;
    if (!onScreen) return;
    const others = this.panes()
      .filter((pane) => pane !== this.pane && pane.number < visiblePanes(layout))
      .flatMap((pane) => (pane.onScreen ? [{ number: pane.number, onScreen: pane.onScreen }] : []));
    if (layout === 'mpr') {
      if (crosshairs) this.drawCrosshair(onScreen, others);
    } else if (referenceLines) {
      const reference = others.find(({ number }) => number === active);
      if (reference && canLink(onScreen.source, reference.onScreen.source)) {
        this.drawLine(onScreen, reference.onScreen, 'reference', null);
      }
    }
  }

  private drawCrosshair(here: OnScreen, others: readonly { number: number; onScreen: OnScreen }[]): void {
    const map = this.pane.screenMap();
    const same = others.filter(({ onScreen }) => onScreen.source === here.source);
    if (!map || same.length < 2) return;
    const index: [number, number, number] = [0, 0, 0];
    index[here.orientation.axis] = here.slice;
    for (const { onScreen } of same) index[onScreen.orientation.axis] = onScreen.slice;
    const centre = toScreen(map, index);
    for (const { onScreen } of same)
      this.drawLine(here, onScreen, `crosshair plane-${onScreen.view}`, centre);
  }

  private drawLine(here: OnScreen, other: OnScreen, className: string, hole: Vec2 | null): void {
    const cut = cutBetween(here, other);
    const map = this.pane.screenMap();
    if (!cut || !map) return;
    const [a, b] = cut.map((end) => toScreen(map, transform(here.source.geometry.worldToIndex, end)));
    if (!hole) {
      this.addLine(a, b, className);
      return;
    }
    for (const end of [a, b]) {
      const away = Math.hypot(end[0] - hole[0], end[1] - hole[1]);
      if (away <= gap) continue;
      const t = gap / away;
      this.addLine([hole[0] + (end[0] - hole[0]) * t, hole[1] + (end[1] - hole[1]) * t], end, className);
    }
  }

  private addLine([x1, y1]: Vec2, [x2, y2]: Vec2, className: string): void {
    setAttributes(svgElement('line', className, this.root), {
      x1: round(x1),
      y1: round(y1),
      x2: round(x2),
      y2: round(y2),
    });
  }

  dispose(): void {
    this.root.remove();
  }
}
