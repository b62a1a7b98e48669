/** Drawing with cornerstone3D: a stack viewport for source slices, an orthographic volume viewport for the planes. */
import { Enums, type RenderingEngine, type Types, volumeLoader } from '@cornerstonejs/core';
import { toReadroomError } from '../../../src-contract/errors.ts';
import { type Camera, viewNormal } from '../camera.ts';
import { add, length, scale, subtract, type Vec3 } from '../vector.ts';
import type { Display, Drawing, Shown } from './drawing.ts';
import type { ImageSource } from './image-scheme.ts';
import { feedVolume } from './volume-feed.ts';

type GlViewport = Types.IStackViewport | Types.IVolumeViewport;

const background: Types.Point3 = [0, 0, 0];
const point = (v: Vec3): Types.Point3 => [v[0], v[1], v[2]];

export class GlDrawing implements Drawing {
  private viewport: GlViewport | null = null;
  private source: ImageSource | null = null;
  private isVolume = false;
  /** Of the volume in the viewport: a slice asked for meanwhile waits for it too. */
  private opened: Promise<void> = Promise.resolve();
  /** Counts requests, so that a slow one doesn't overtake a later one. */
  private request = 0;
  private ready: (() => void) | null = null;
  private wantedSlice = -1;
  private drawn: () => void = () => undefined;
  private display: Display | null = null;

  constructor(
    private readonly engine: RenderingEngine,
    private readonly id: string,
    private readonly element: HTMLDivElement,
  ) {
    element.addEventListener(Enums.Events.IMAGE_RENDERED, this.onRendered);
    element.addEventListener(Enums.Events.STACK_NEW_IMAGE, this.onNewImage);
  }

  async show({ source, view, slice }: Shown, ready: () => void): Promise<void> {
    const request = ++this.request;
    this.ready = ready;
    this.wantedSlice = slice;
    const wantsVolume = view !== 'stack';
    const isNew = !this.viewport || this.isVolume !== wantsVolume || this.source !== source;
    try {
      if (wantsVolume) {
        if (isNew) this.opened = this.openVolume(source);
        await this.opened;
        if (request === this.request) this.finish();
        return;
      }
      if (isNew) {
        const viewport = this.enable(Enums.ViewportType.STACK, source) as Types.IStackViewport;
        await viewport.setStack([...source.imageIds], slice);
      } else {
        await (this.viewport as Types.IStackViewport).setImageIdIndex(slice);
      }
      // A slice that is on screen already brings no STACK_NEW_IMAGE.
      if (request === this.request) this.finish();
    } catch (thrown) {
      if (request === this.request) throw toReadroomError(thrown);
    }
  }

  /** Settles when the volume is in the viewport, or something else has taken its place. */
  private async openVolume(source: ImageSource): Promise<void> {
    const viewport = this.enable(Enums.ViewportType.ORTHOGRAPHIC, source) as Types.IVolumeViewport;
    await volumeLoader.createAndCacheVolume(source.volumeId, { imageIds: [...source.imageIds] });
    feedVolume(source);
    if (this.viewport !== viewport) return;
    await viewport.setVolumes([{ volumeId: source.volumeId }], false, true);
    // The volume came with a window of its own.
    if (this.viewport === viewport) this.display = null;
  }

  private enable(type: Enums.ViewportType, source: ImageSource): GlViewport {
    this.engine.enableElement({
      viewportId: this.id,
      type,
      element: this.element,
      defaultOptions: { background },
    });
    this.viewport = this.engine.getViewport(this.id) as GlViewport;
    this.isVolume = type === Enums.ViewportType.ORTHOGRAPHIC;
    this.source = source;
    this.display = null;
    return this.viewport;
  }

  private finish(): void {
    const { ready } = this;
    this.ready = null;
    ready?.();
  }

  /** Fires just before a stack's new slice is rendered: the moment to put our camera in the place of cornerstone's. */
  private readonly onNewImage = (event: Event): void => {
    const { imageIdIndex } = (event as CustomEvent<{ imageIdIndex: number }>).detail;
    if (imageIdIndex === this.wantedSlice) this.finish();
  };

  private readonly onRendered = (): void => this.drawn();

  draw(camera: Camera, display: Display): void {
    const { viewport } = this;
    if (!viewport || this.element.clientHeight === 0) return;
    const before = viewport.getCamera();
    if (!before.position || !before.focalPoint) return;
    const distance = length(subtract(before.position as Vec3, before.focalPoint as Vec3)) || 1000;
    const normal = viewNormal(camera);
    viewport.setCamera({
      viewUp: point(camera.up),
      viewPlaneNormal: point(normal),
      focalPoint: point(camera.centre),
      position: point(add(camera.centre, scale(normal, distance))),
      parallelScale: (camera.unitsPerPixel * this.element.clientHeight) / 2,
    });
    this.applyDisplay(viewport, display);
    viewport.render();
  }

  private applyDisplay(viewport: GlViewport, display: Display): void {
    const { lower, upper, invert, smooth } = display;
    const old = this.display;
    const same =
      old && old.lower === lower && old.upper === upper && old.invert === invert && old.smooth === smooth;
    if (same) return;
    this.display = display;
    viewport.setProperties({
      voiRange: { lower, upper },
      invert,
      interpolationType: smooth ? Enums.InterpolationType.LINEAR : Enums.InterpolationType.NEAREST,
    });
  }

  resize(): void {
    if (this.viewport && this.element.clientHeight > 0) this.engine.resize(true, true);
  }

  onDrawn(listener: () => void): void {
    this.drawn = listener;
  }

  clear(): void {
    this.request++;
    this.source = null;
    if (!this.viewport) return;
    this.viewport = null;
    this.engine.disableElement(this.id);
  }

  dispose(): void {
    this.clear();
    this.element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.onRendered);
    this.element.removeEventListener(Enums.Events.STACK_NEW_IMAGE, this.onNewImage);
  }
}
