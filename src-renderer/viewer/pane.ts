/**
 * One pane of the viewer: which slice of which series it shows, from where, in which window. Imperative on purpose:
 * scrolling, panning and redrawing pass no React.
 */
import { cache } from '@cornerstonejs/core';
import { type ErrorPayload, toReadroomError } from '../../src-contract/errors.ts';
import type { PaneView } from '../state/viewer-store.ts';
import { type Camera, canvasToWorld, type Extent, fitSlice, indexToCanvas, moveSlices } from './camera.ts';
import type { ScreenMap } from './layers/box-section.ts';
import type { Display, Drawing } from './pixels/drawing.ts';
import type { ImageSource } from './pixels/image-scheme.ts';
import { add, scale, transform, type Vec2, type Vec3 } from './vector.ts';
import { type Orientation, orientationOf } from './view-orientation.ts';

/** What is on the screen now; the wanted slice may be ahead of it while pixels are on their way. */
export interface OnScreen {
  readonly source: ImageSource;
  readonly view: PaneView;
  readonly orientation: Orientation;
  readonly slice: number;
  readonly camera: Camera;
}

export type PaneEvent = 'drawn' | 'slice' | 'wanted' | 'camera' | 'problem';

export class Pane {
  source: ImageSource | null = null;
  view: PaneView = 'stack';
  orientation: Orientation | null = null;
  camera: Camera | null = null;
  /** The slice asked for, and the one whose pixels are there. */
  wanted = 0;
  shown: number | null = null;
  problem: ErrorPayload | null = null;
  private display: Display = { lower: 0, upper: 1, invert: false, smooth: true };
  /** Shown whole, as it was at first; kept so when the pane changes size. Any move ends it. */
  private fitted = true;
  private extentNow: Extent = { width: 0, height: 0 };
  private readonly listeners = new Set<(event: PaneEvent, pane: Pane) => void>();

  constructor(
    readonly number: number,
    readonly element: HTMLDivElement,
    private readonly drawing: Drawing,
  ) {
    drawing.onDrawn(() => this.emit('drawn'));
    this.measure();
  }

  listen(listener: (event: PaneEvent, pane: Pane) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private emit(event: PaneEvent): void {
    for (const listener of this.listeners) listener(event, this);
  }

  private measure(): void {
    this.extentNow = { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  get extent(): Extent {
    return this.extentNow;
  }

  get slices(): number {
    return this.source && this.orientation ? this.source.geometry.size[this.orientation.axis] : 0;
  }

  /** What overlays are drawn for: null until pixels are there. */
  get onScreen(): OnScreen | null {
    const { source, orientation, camera, shown, view } = this;
    return source && orientation && camera && shown !== null
      ? { source, view, orientation, slice: shown, camera }
      : null;
  }

  show(source: ImageSource, view: PaneView, slice: number | null, display: Display): void {
    this.source = source;
    this.view = view;
    this.display = display;
    this.orientation = orientationOf(source.geometry, view);
    this.shown = null;
    this.camera = null;
    this.fitted = true;
    this.problem = null;
    this.wanted = this.clamp(slice ?? Math.floor(this.slices / 2));
    this.emit('wanted');
    this.fetchSlice();
  }

  clear(): void {
    this.source = null;
    this.orientation = null;
    this.camera = null;
    this.shown = null;
    this.problem = null;
    this.drawing.clear();
    this.emit('wanted');
    this.emit('drawn');
  }

  private clamp(slice: number): number {
    return Math.max(0, Math.min(this.slices - 1, Math.round(slice)));
  }

  setSlice(slice: number): void {
    if (!this.source) return;
    const next = this.clamp(slice);
    if (next === this.wanted && this.shown !== null) return;
    this.wanted = next;
    this.emit('wanted');
    this.fetchSlice();
  }

  private fetchSlice(): void {
    const { source, orientation, view, wanted } = this;
    if (!source || !orientation) return;
    this.drawing
      .show({ source, view, axis: orientation.axis, slice: wanted }, () => {
        if (this.source !== source || this.view !== view) return;
        this.arrive(wanted);
      })
      .catch((thrown: unknown) => {
        if (this.source !== source || this.view !== view || this.wanted !== wanted) return;
        this.problem = toReadroomError(thrown).toPayload();
        this.emit('problem');
      });
  }

  private arrive(slice: number): void {
    const { source, orientation } = this;
    if (!source || !orientation) return;
    this.camera =
      this.camera && this.shown !== null
        ? moveSlices(this.camera, source.geometry, orientation.axis, slice - this.shown)
        : fitSlice(source.geometry, orientation, slice, this.extentNow);
    const isNew = this.shown !== slice;
    this.shown = slice;
    if (this.problem) {
      this.problem = null;
      this.emit('problem');
    }
    this.redraw();
    if (isNew) this.emit('slice');
  }

  redraw(): void {
    if (this.camera && this.shown !== null) this.drawing.draw(this.camera, this.display);
  }

  setDisplay(display: Display): void {
    this.display = display;
    this.redraw();
  }

  /** Changes the camera; `change` gets the one in use. */
  move(change: (camera: Camera, extent: Extent) => Camera): void {
    if (!this.camera) return;
    this.camera = change(this.camera, this.extentNow);
    this.fitted = false;
    this.redraw();
    this.emit('camera');
  }

  resetCamera(): void {
    if (!this.source || this.shown === null) return;
    this.orientation = orientationOf(this.source.geometry, this.view);
    this.fitAgain();
  }

  private fitAgain(): void {
    const { source, orientation, shown } = this;
    if (!source || !orientation || shown === null) return;
    this.camera = fitSlice(source.geometry, orientation, shown, this.extentNow);
    this.fitted = true;
    this.redraw();
    this.emit('camera');
  }

  resize(): void {
    const before = this.extentNow;
    this.measure();
    const { width, height } = this.extentNow;
    if (width === 0 || height === 0 || (before.width === width && before.height === height)) return;
    this.drawing.resize();
    if (this.fitted) this.fitAgain();
    else this.redraw();
  }

  screenMap(): ScreenMap | null {
    const { camera, source } = this;
    return camera && source ? indexToCanvas(camera, this.extentNow, source.geometry.indexToWorld) : null;
  }

  worldAt(at: Vec2): Vec3 | null {
    return this.camera ? canvasToWorld(this.camera, this.extentNow, at) : null;
  }

  /** The voxel under a canvas position, and its value (three for colours); null outside the image. */
  valueAt(at: Vec2): { index: Vec3; values: readonly number[] } | null {
    const world = this.worldAt(at);
    if (!world || !this.source || this.shown === null || !this.orientation) return null;
    const { geometry, pixels, imageIds } = this.source;
    const index = transform(geometry.worldToIndex, world).map((value) =>
      Math.round(value),
    ) as unknown as Vec3;
    if (index.some((value, axis) => value < 0 || value >= geometry.size[axis])) return null;
    const image = cache.getImage(imageIds[index[2]]);
    if (!image) return null;
    const data = image.getPixelData();
    const first = (index[1] * pixels.columns + index[0]) * pixels.channels;
    return { index, values: Array.from({ length: pixels.channels }, (_, c) => Number(data[first + c])) };
  }

  /** Goes to the slice through a world point; with `pan`, the point comes to the middle too. */
  goTo(world: Vec3, pan: boolean): void {
    if (!this.source || !this.orientation) return;
    const index = transform(this.source.geometry.worldToIndex, world);
    const slice = this.clamp(index[this.orientation.axis]);
    this.setSlice(slice);
    if (!pan || !this.camera) return;
    const { camera } = this;
    const offset = world.map((value, a) => value - camera.centre[a]) as unknown as Vec3;
    const along = (direction: Vec3) => offset.reduce((sum, value, a) => sum + value * direction[a], 0);
    this.move((now) => ({
      ...now,
      centre: add(now.centre, add(scale(now.right, along(now.right)), scale(now.up, along(now.up)))),
    }));
  }

  dispose(): void {
    this.listeners.clear();
    this.drawing.dispose();
  }
}
