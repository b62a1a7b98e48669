/**
 * The model's boxes over one pane: an SVG group, redrawn when the pane was drawn or the boxes changed, never through
 * React. One outline a box, elements reused by box id.
 */
import { type OverlayBox, useOverlay } from '../../state/overlay.ts';
import type { Pane } from '../pane.ts';
import type { Vec2 } from '../vector.ts';
import { overlaps, placeLabel, type Rect } from './label-placement.ts';
import { type BoxOnSlice, bounds, boxOnSlice, type PreparedBox, prepareBox } from './overlay-geometry.ts';
import { round, setAttributes, setText, setVisible, svgElement } from './svg.ts';

/** Colours in the palette of tokens.css. */
const paletteSize = 8;
/** With more boxes than this on one slice, labels would hide the picture: only the lit box keeps its own. */
const maxLabels = 40;
const labelHeight = 16;

interface Elements {
  readonly group: SVGGElement;
  readonly outline: SVGPolygonElement;
  readonly raw: SVGPolygonElement;
  readonly label: SVGGElement;
  /** Of the label's plate. */
  readonly size: { readonly width: number; readonly height: number };
}

interface Drawn {
  readonly prepared: PreparedBox;
  readonly on: BoxOnSlice;
  readonly rect: Rect;
  readonly elements: Elements;
}

const points = (polygon: readonly Vec2[]): string =>
  polygon.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');

/** Prepared once per box, shared by all panes. */
const prepared = new WeakMap<OverlayBox, PreparedBox>();
export function prepare(box: OverlayBox): PreparedBox {
  const known = prepared.get(box);
  if (known) return known;
  const fresh = prepareBox(box);
  prepared.set(box, fresh);
  return fresh;
}

export class OverlayLayer {
  private readonly root: SVGGElement;
  private readonly elements = new Map<string, Elements>();
  private drawn: readonly Drawn[] = [];

  constructor(
    svg: SVGSVGElement,
    private readonly pane: Pane,
  ) {
    this.root = svgElement('g', 'boxes', svg);
  }

  update(): void {
    const { boxes, visible, opacity, style, active, marks, compared } = useOverlay.getState();
    const { onScreen } = this.pane;
    const map = this.pane.screenMap();
    setVisible(this.root, visible && onScreen !== null && map !== null);
    this.removeGone(boxes);
    this.drawn = [];
    if (!visible || !onScreen || !map) return;
    const { ref } = onScreen.source;
    const view = { axis: onScreen.orientation.axis, slice: onScreen.slice, map };
    const drawn: Drawn[] = [];
    for (const box of boxes) {
      const side = compared ? compared.runs.indexOf(box.runId) : -1;
      const wanted = !compared || (side >= 0 && (compared.both || side === this.pane.number));
      const here = wanted && box.studyId === ref.studyId && box.seriesId === ref.seriesId;
      const on = here ? boxOnSlice(prepare(box), view) : null;
      if (on) {
        const rect = bounds(on.clamped.length > 0 ? on.clamped : on.raw);
        drawn.push({ prepared: prepare(box), on, rect, elements: this.elementsOf(box) });
      } else {
        const unused = this.elements.get(box.id);
        if (unused) setVisible(unused.group, false);
      }
    }
    setAttributes(this.root, { class: `boxes ${style}`, opacity });
    // A corrected box is named by the reader's.
    const keepsLabel = ({ prepared: { box } }: Drawn) => marks[box.id] !== 'corrected';
    for (const one of drawn) {
      if (!keepsLabel(one)) setVisible(one.elements.label, false);
      const { id, runId } = one.prepared.box;
      const side = compared ? ` side-${compared.colours[compared.runs.indexOf(runId)]}` : '';
      this.draw(one, id === active, `${marks[id] ? ` ${marks[id]}` : ''}${side}`);
    }
    this.drawn = drawn;
    this.placeLabels(drawn.filter(keepsLabel), active);
  }

  private draw({ prepared: { box }, on, elements }: Drawn, isActive: boolean, more: string): void {
    const { group, outline, raw } = elements;
    setVisible(group, true);
    setAttributes(group, {
      class: `box step-${box.colour % paletteSize}${isActive ? ' active' : ''}${more}`,
    });
    setVisible(outline, on.clamped.length > 0);
    if (on.clamped.length > 0) setAttributes(outline, { points: points(on.clamped) });
    setVisible(raw, on.raw.length > 0);
    if (on.raw.length > 0) setAttributes(raw, { points: points(on.raw) });
  }

  private placeLabels(drawn: readonly Drawn[], active: string | null): void {
    const { width, height } = this.pane.extent;
    const frame: Rect = { x: 2, y: 2, width: width - 4, height: height - 4 };
    const taken: Rect[] = [];
    const isCrowded = drawn.length > maxLabels;
    const isActive = ({ prepared: { box } }: Drawn) => box.id === active;
    const boxes = isCrowded ? [] : drawn.map(({ rect }) => rect);
    // The lit box chooses first.
    const order = isCrowded ? drawn : [...drawn].sort((a, b) => Number(isActive(b)) - Number(isActive(a)));
    for (const one of order) {
      const { rect, elements } = one;
      const wanted = (!isCrowded || isActive(one)) && overlaps(rect, frame);
      const others = boxes.filter((other) => other !== rect);
      const spot = wanted ? placeLabel(rect, elements.size, frame, others, taken) : null;
      setVisible(elements.label, spot !== null);
      if (!spot) continue;
      taken.push(spot);
      setAttributes(elements.label, { transform: `translate(${round(spot.x)} ${round(spot.y)})` });
    }
  }

  private elementsOf(box: OverlayBox): Elements {
    const known = this.elements.get(box.id);
    if (known) return known;
    const group = svgElement('g', 'box', this.root);
    const raw = svgElement('polygon', 'raw', group);
    const outline = svgElement('polygon', 'outline', group);
    setAttributes(outline, { 'data-testid': 'overlay-box', 'data-step': box.step, 'data-box': box.id });
    setAttributes(raw, { 'data-testid': 'overlay-raw-box', 'data-step': box.step });
    const label = svgElement('g', 'label', group);
    setAttributes(label, { 'data-testid': 'overlay-label', 'data-step': box.step });
    const number = String(box.step + 1);
    const size = { width: 9 + 7 * number.length, height: labelHeight };
    setAttributes(svgElement('rect', 'plate', label), { rx: 3, ...size });
    const text = svgElement('text', 'number', label);
    setText(text, number);
    setAttributes(text, { x: size.width / 2, y: labelHeight / 2 });
    const made = { group, outline, raw, label, size };
    this.elements.set(box.id, made);
    return made;
  }

  private removeGone(boxes: readonly OverlayBox[]): void {
    if (this.elements.size === 0) return;
    const ids = new Set(boxes.map(({ id }) => id));
    for (const [id, { group }] of this.elements) {
      if (ids.has(id)) continue;
      group.remove();
      this.elements.delete(id);
    }
  }

  /** The smallest box around a point, for clicks. */
  boxAt([x, y]: Vec2): OverlayBox | null {
    const hits = this.drawn.filter(({ rect }) => overlaps({ x: x - 3, y: y - 3, width: 6, height: 6 }, rect));
    hits.sort((a, b) => a.rect.width * a.rect.height - b.rect.width * b.rect.height);
    return hits[0]?.prepared.box ?? null;
  }

  dispose(): void {
    this.root.remove();
    this.elements.clear();
  }
}
