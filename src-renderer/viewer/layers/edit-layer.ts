/**
 * Readers' boxes over one pane, and the handles of the one in hand. Like the model's boxes an SVG group outside of
 * React. A box in hand is outlined faintly on slices it is not on, so that one sees where it would come to lie.
 */
import { compareBoxes } from '../../../src-contract/box-measures.ts';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import { boxInHand, keepBox, type ReaderBox, useReaderBoxes } from '../../state/reader-boxes.ts';
import { seriesKey } from '../../state/study-store.ts';
import type { Extent } from '../camera.ts';
import type { Pane } from '../pane.ts';
import { transform, type Vec2, type Vec3 } from '../vector.ts';
import {
  cursorOf,
  dragged,
  drawnBox,
  type Grip,
  gripAt,
  handlesOf,
  isOnSlice,
  outlineOf,
  type PlaneView,
} from './box-handles.ts';
import { overlaps, placeLabel, type Rect } from './label-placement.ts';
import { describeComparison } from './measure-words.ts';
import { bounds } from './overlay-geometry.ts';
import { round, setAttributes, setText, svgElement } from './svg.ts';

/** A drag under way: of a box in hand, or of a rectangle that is being drawn. */
export interface BoxDrag {
  /** `free` leaves edges between voxels. */
  move(to: Vec2, free: boolean): void;
  end(): void;
}

interface OnPane {
  readonly box: ReaderBox;
  readonly outline: readonly Vec2[];
  readonly rect: Rect;
  /** False for a box in hand that this slice does not cut. */
  readonly cut: boolean;
}

const points = (polygon: readonly Vec2[]): string =>
  polygon.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');

const readingWidth = 100;
const lineHeight = 15;

/** Beside the box where there is room, else below or above it; inside a box that fills the pane. */
function placeReading({ x, y, width, height }: Rect, pane: Extent, lines: number): Vec2 {
  const beside = Math.min(Math.max(14, y + 28), pane.height - lineHeight * lines);
  if (x + width + 8 + readingWidth < pane.width) return [x + width + 8, beside];
  if (x - 8 - readingWidth > 0) return [x - 8 - readingWidth, beside];
  const left = Math.min(Math.max(4, x), pane.width - readingWidth);
  if (y + height + lineHeight * (lines + 1) < pane.height) return [left, y + height + lineHeight + 4];
  if (y - lineHeight * (lines + 1) > 0) return [left, y - lineHeight * (lines + 1)];
  return [left + 8, Math.max(14, y) + lineHeight];
}

export class EditLayer {
  private readonly root: SVGGElement;

  constructor(
    svg: SVGSVGElement,
    private readonly pane: Pane,
  ) {
    this.root = svgElement('g', 'reader-boxes', svg);
  }

  private view(): PlaneView | null {
    const { onScreen } = this.pane;
    const map = this.pane.screenMap();
    return onScreen && map ? { axis: onScreen.orientation.axis, slice: onScreen.slice, map } : null;
  }

  private isHere(of: { readonly studyId: string; readonly seriesId: string }): boolean {
    const { onScreen } = this.pane;
    return onScreen !== null && seriesKey(onScreen.source.ref) === seriesKey(of);
  }

  /** A 2D run is about one picture: nothing of it is anywhere else. */
  private isItsPlane(slice: number | null, { axis, slice: shown }: PlaneView): boolean {
    return slice === null || (axis === 2 && shown === slice);
  }

  private onPane(box: ReaderBox, view: PlaneView, inHand: boolean): OnPane | null {
    if (!this.isHere(box) || !this.isItsPlane(box.slice, view)) return null;
    const cut = isOnSlice(box.box, view.axis, view.slice);
    if (!cut && !inHand) return null;
    const outline = outlineOf(box.box, view);
    return { box, outline, rect: bounds(outline), cut };
  }

  /** Few of them at a time: drawn anew each time. */
  update(): void {
    this.root.replaceChildren();
    const view = this.view();
    if (!view) return;
    const state = useReaderBoxes.getState();
    const inHand = boxInHand(state);
    const all = state.boxes.flatMap((box) => {
      const now = box.id === inHand?.id ? inHand : box;
      return this.onPane(now, view, now === inHand) ?? [];
    });
    const taken: Rect[] = [];
    for (const one of all) this.drawBox(one, one.box === inHand, view, taken, all);
    const { draft, drawing } = state;
    if (draft && drawing?.id === draft.id && this.isHere(drawing)) this.drawSketch(draft.box, view);
  }

  private drawBox(
    { box, outline, rect, cut }: OnPane,
    inHand: boolean,
    view: PlaneView,
    taken: Rect[],
    all: readonly OnPane[],
  ): void {
    const classes = `reader-box ${box.colour}${inHand ? ' in-hand' : ''}${cut ? '' : ' elsewhere'}`;
    const group = svgElement('g', classes, this.root);
    const polygon = svgElement('polygon', 'outline', group);
    setAttributes(polygon, {
      points: points(outline),
      'data-testid': 'reader-box',
      'data-box': box.id,
    });
    if (!cut) return;
    const { width, height } = this.pane.extent;
    const frame: Rect = { x: 2, y: 2, width: width - 4, height: height - 4 };
    const size = { width: 10 + 7 * box.label.length, height: 16 };
    const others = all.filter((one) => one.box !== box).map((one) => one.rect);
    const spot = overlaps(rect, frame) ? placeLabel(rect, size, frame, others, taken) : null;
    if (spot) {
      taken.push(spot);
      const label = svgElement('g', 'label', group);
      setAttributes(label, { transform: `translate(${round(spot.x)} ${round(spot.y)})` });
      setAttributes(svgElement('rect', 'plate', label), { rx: 3, ...size });
      const text = svgElement('text', 'number', label);
      setText(text, box.label);
      setAttributes(text, { x: size.width / 2, y: size.height / 2 });
    }
    if (!inHand) return;
    for (const { at } of handlesOf(box.box, view)) {
      setAttributes(svgElement('rect', 'handle', group), {
        x: round(at[0] - 3.5),
        y: round(at[1] - 3.5),
        width: 7,
        height: 7,
        'data-testid': 'box-handle',
      });
    }
    if (box.model) this.drawReading(group, box, box.model, rect);
  }

  /** How far the box is from the model's, beside it. */
  private drawReading(group: SVGGElement, box: ReaderBox, model: SourceBox, rect: Rect): void {
    const lines = describeComparison(compareBoxes(box.chain, model, box.box), box.slice === null);
    const [x, y] = placeReading(rect, this.pane.extent, lines.length);
    const text = svgElement('text', 'reading', group);
    setAttributes(text, { x: round(x), y: round(y), 'data-testid': 'box-reading' });
    lines.forEach((line, n) => {
      const span = svgElement('tspan', '', text);
      setAttributes(span, { x: round(x), dy: n === 0 ? 0 : lineHeight });
      span.textContent = line;
    });
  }

  private drawSketch(box: SourceBox, view: PlaneView): void {
    const group = svgElement('g', 'reader-box sketch', this.root);
    setAttributes(svgElement('polygon', 'outline', group), { points: points(outlineOf(box, view)) });
  }

  private indexAt(at: Vec2): Vec3 | null {
    const world = this.pane.worldAt(at);
    const { onScreen } = this.pane;
    if (!world || !onScreen) return null;
    const { geometry } = onScreen.source;
    const { axis } = onScreen.orientation;
    const index = transform(geometry.worldToIndex, world);
    return index.map((value, one) => (one === axis ? onScreen.slice : value)) as unknown as Vec3;
  }

  private grip(at: Vec2): { box: ReaderBox; grip: Grip; view: PlaneView } | null {
    const view = this.view();
    const box = boxInHand(useReaderBoxes.getState());
    if (!view || !box || !this.onPane(box, view, true)?.cut) return null;
    const grip = gripAt(box.box, view, at);
    return grip && { box, grip, view };
  }

  private canDraw(view: PlaneView | null): boolean {
    const { drawing } = useReaderBoxes.getState();
    return drawing !== null && view !== null && this.isHere(drawing) && this.isItsPlane(drawing.slice, view);
  }

  /** CSS cursor over a point; null where the tool's own one holds. */
  cursorAt(at: Vec2): string | null {
    if (this.canDraw(this.view())) return 'crosshair';
    const found = this.grip(at);
    return found && cursorOf(found.grip, found.view);
  }

  /** Begins a drag where there is something to drag; null leaves the press to the tool. */
  begin(at: Vec2): BoxDrag | null {
    const view = this.view();
    const from = this.indexAt(at);
    const source = this.pane.onScreen?.source;
    if (!view || !from || !source) return null;
    const { size } = source.geometry;
    const { drawing, setDraft } = useReaderBoxes.getState();
    if (drawing && this.canDraw(view)) {
      return this.drag(drawing.id, (to, free) => {
        const box = drawnBox(view.axis, view.slice, from, to, drawing.from, { size, snap: !free });
        if (box) setDraft({ id: drawing.id, box });
      });
    }
    const found = this.grip(at);
    if (!found) return null;
    const { id, box } = found.box;
    return this.drag(id, (to, free) =>
      setDraft({ id, box: dragged(box, found.grip, view.axis, from, to, { size, snap: !free }) }),
    );
  }

  private drag(id: string, change: (to: Vec3, free: boolean) => void): BoxDrag {
    const { cancels } = useReaderBoxes.getState();
    const isGivenUp = () => useReaderBoxes.getState().cancels !== cancels;
    return {
      move: (at, free) => {
        const to = this.indexAt(at);
        if (to && !isGivenUp()) change(to, free);
      },
      end: () => {
        const { draft } = useReaderBoxes.getState();
        if (draft?.id === id && !isGivenUp()) keepBox(id, draft.box);
      },
    };
  }

  /** The reader's box under a click: the smallest one. */
  boxAt([x, y]: Vec2): ReaderBox | null {
    const view = this.view();
    if (!view) return null;
    const near: Rect = { x: x - 3, y: y - 3, width: 6, height: 6 };
    const hits = useReaderBoxes.getState().boxes.flatMap((box) => {
      const on = this.onPane(box, view, false);
      return on && overlaps(near, on.rect) ? [on] : [];
    });
    hits.sort((a, b) => a.rect.width * a.rect.height - b.rect.width * b.rect.height);
    return hits[0]?.box ?? null;
  }

  dispose(): void {
    this.root.remove();
  }
}
