/** What stands around a picture: orientation letters, scale bar, slice number and position, window, value under the cursor. */

import type { OnScreen, Pane } from '../pane.ts';
import type { Display } from '../pixels/drawing.ts';
import { scale, transform, type Vec2, type Vec3 } from '../vector.ts';
import { directionLetters } from '../view-orientation.ts';
import { round, setAttributes, setText, setVisible, svgElement } from './svg.ts';

/** Lengths that a scale bar may have, in millimetres or pixels. */
const barLengths = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
const barLongest = 140;
/** And of a narrow pane's width. */
const barShare = 0.4;

/** The longest round length that fits a scale bar of at most `longest` pixels. */
export function scaleBarLength(unitsPerPixel: number, longest = barLongest): number {
  return barLengths.filter((units) => units / unitsPerPixel <= longest).at(-1) ?? barLengths[0];
}

const signed = (value: number): string => `${value < 0 ? '−' : ''}${Math.abs(value).toFixed(1)}`;

/** Where a slice lies in the patient, along the direction it is nearest to: "H 42.5 mm", kept together in one line. */
export function slicePosition({ source, orientation, slice, camera }: OnScreen): string {
  const { geometry } = source;
  if (!geometry.isPatient) return '';
  const direction = { sagittal: 0, coronal: 1, axial: 2 }[orientation.plane] as 0 | 1 | 2;
  const centre: [number, number, number] = [...camera.centre];
  const index = transform(geometry.worldToIndex, centre);
  const onSlice = index.map((value, axis) => (axis === orientation.axis ? slice : value)) as unknown as Vec3;
  const letters = [
    ['L', 'R'],
    ['P', 'A'],
    ['H', 'F'],
  ][direction];
  const value = transform(geometry.indexToWorld, onSlice)[direction];
  return `${letters[value >= 0 ? 0 : 1]}\u00a0${Math.abs(value).toFixed(1)}\u00a0mm`;
}

export interface FurnitureElements {
  readonly slice: HTMLElement;
  readonly value: HTMLElement;
  readonly window: HTMLElement;
}

export class Furniture {
  private readonly root: SVGGElement;
  private readonly letters: readonly SVGTextElement[];
  private readonly bar: SVGPathElement;
  private readonly barText: SVGTextElement;
  private cursor: Vec2 | null = null;

  constructor(
    svg: SVGSVGElement,
    private readonly pane: Pane,
    private readonly elements: FurnitureElements,
  ) {
    this.root = svgElement('g', 'furniture', svg);
    this.letters = ['right', 'left', 'up', 'down'].map((side) => {
      const text = svgElement('text', `letter ${side}`, this.root);
      setAttributes(text, { 'data-testid': `letter-${side}` });
      return text;
    });
    this.bar = svgElement('path', 'scale-bar', this.root);
    this.barText = svgElement('text', 'scale-text', this.root);
  }

  update(): void {
    const { onScreen } = this.pane;
    setVisible(this.root, onScreen !== null);
    if (!onScreen) {
      setText(this.elements.slice, '');
      this.showCursor(null);
      return;
    }
    const { width, height } = this.pane.extent;
    const { camera, source } = onScreen;
    const { right, up, unitsPerPixel } = camera;
    const sides: [Vec3, number, number][] = [
      [right, width - 24, height / 2],
      [scale(right, -1), 8, height / 2],
      [up, width / 2, 14],
      [scale(up, -1), width / 2, height - 12],
    ];
    sides.forEach(([direction, x, y], n) => {
      setText(this.letters[n], source.geometry.isPatient ? directionLetters(direction) : '');
      setAttributes(this.letters[n], { x: round(x), y: round(y) });
    });
    const units = scaleBarLength(unitsPerPixel, Math.min(barLongest, barShare * width));
    const pixels = units / unitsPerPixel;
    const x = width / 2 - pixels / 2;
    const y = height - 34;
    setAttributes(this.bar, { d: `M${round(x)} ${y - 4}v4h${round(pixels)}v-4` });
    setText(this.barText, `${units} ${source.geometry.isCalibrated ? 'mm' : 'px'}`);
    setAttributes(this.barText, { x: round(width / 2), y: y - 7 });
    const position = slicePosition(onScreen);
    setText(
      this.elements.slice,
      `${onScreen.slice + 1}\u00a0/\u00a0${this.pane.slices}${position ? `\u00a0· ${position}` : ''}`,
    );
    this.showCursor(this.cursor);
  }

  showWindow({ lower, upper, invert }: Display): void {
    const centre = (lower + upper) / 2;
    const width = upper - lower;
    const digits = width < 20 ? 2 : 0;
    setText(
      this.elements.window,
      `W\u00a0${width.toFixed(digits)} L\u00a0${centre.toFixed(digits)}${invert ? '  inverted' : ''}`,
    );
  }

  /** The value under the cursor; null when it left. */
  showCursor(at: Vec2 | null): void {
    this.cursor = at;
    const found = at ? this.pane.valueAt(at) : null;
    const { source } = this.pane;
    if (!found || !source) {
      setText(this.elements.value, '');
      return;
    }
    const { index, values } = found;
    const isWhole = source.pixels.type !== 'float32';
    const value =
      values.length === 3
        ? `RGB ${values.join(', ')}`
        : `${isWhole ? values[0] : values[0].toPrecision(5)}${source.series.units ? ` ${source.series.units}` : ''}`;
    const world = source.geometry.isPatient
      ? ` · ${transform(source.geometry.indexToWorld, index).map(signed).join(', ')} mm`
      : '';
    setText(this.elements.value, `${value} · [${index.join(', ')}]${world}`);
  }

  dispose(): void {
    this.root.remove();
  }
}
