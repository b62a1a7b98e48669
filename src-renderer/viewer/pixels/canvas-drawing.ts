/** Drawing without WebGL: one slice on a 2D canvas, windowed in JavaScript. Stacks only. */
import { imageLoader, type Types } from '@cornerstonejs/core';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import { type Camera, indexToCanvas } from '../camera.ts';
import type { Display, Drawing, Shown } from './drawing.ts';
import type { ImageSource } from './image-scheme.ts';

/** Grey or colour values through a window, as RGBA. */
export function throughWindow(
  values: ArrayLike<number>,
  channels: number,
  { lower, upper, invert }: Display,
): Uint8ClampedArray<ArrayBuffer> {
  const count = values.length / channels;
  const out = new Uint8ClampedArray(count * 4);
  const scale = 255 / Math.max(1e-9, upper - lower);
  // level = factor * value + offset, either way round; clamping is the array's.
  const factor = invert ? -scale : scale;
  const offset = invert ? 255 + lower * scale : -lower * scale;
  if (channels === 1) {
    const words = new Uint32Array(out.buffer);
    for (let n = 0; n < count; n++) {
      const level = factor * values[n] + offset;
      const grey = level <= 0 ? 0 : level >= 255 ? 255 : Math.round(level);
      words[n] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    }
    return out;
  }
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < 3; c++) out[n * 4 + c] = factor * values[n * channels + c] + offset;
    out[n * 4 + 3] = 255;
  }
  return out;
}

export class CanvasDrawing implements Drawing {
  private readonly canvas = document.createElement('canvas');
  private readonly slice = document.createElement('canvas');
  private shown: { source: ImageSource; slice: number; image: Types.IImage } | null = null;
  private windowed = '';
  private request = 0;
  private drawn: () => void = () => undefined;

  constructor(private readonly element: HTMLDivElement) {
    this.canvas.className = 'pane-canvas';
    element.append(this.canvas);
  }

  async show({ source, view, slice }: Shown, ready: () => void): Promise<void> {
    const request = ++this.request;
    if (view !== 'stack') {
      throw new ReadroomError('provider-unavailable', 'The three planes need WebGL, which is missing here.', {
        remedy: 'Use the stack layouts, or update the graphics driver.',
      });
    }
    try {
      const image = await imageLoader.loadAndCacheImage(source.imageIds[slice]);
      if (request !== this.request) return;
      this.shown = { source, slice, image };
      ready();
    } catch (thrown) {
      if (request === this.request) throw toReadroomError(thrown);
    }
  }

  draw(camera: Camera, display: Display): void {
    const context = this.canvas.getContext('2d');
    if (!this.shown || !context) return;
    const { source, image, slice } = this.shown;
    this.toSlice(image, display);
    const { clientWidth: width, clientHeight: height } = this.element;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const [a, c, k, e, b, d, l, f] = indexToCanvas(camera, { width, height }, source.geometry.indexToWorld);
    context.imageSmoothingEnabled = display.smooth;
    context.scale(ratio, ratio);
    context.transform(a, b, c, d, e + k * slice, f + l * slice);
    // Voxel centres are at whole numbers, a canvas picture's first pixel begins at its corner.
    context.drawImage(this.slice, -0.5, -0.5);
    requestAnimationFrame(() => this.drawn());
  }

  private toSlice(image: Types.IImage, display: Display): void {
    const { lower, upper, invert } = display;
    const key = [image.imageId, lower, upper, invert].join(' ');
    if (key === this.windowed) return;
    this.windowed = key;
    this.slice.width = image.columns;
    this.slice.height = image.rows;
    const bytes = throughWindow(image.getPixelData(), image.numberOfComponents, display);
    this.slice.getContext('2d')?.putImageData(new ImageData(bytes, image.columns, image.rows), 0, 0);
  }

  resize(): void {}

  onDrawn(listener: () => void): void {
    this.drawn = listener;
  }

  clear(): void {
    this.request++;
    this.shown = null;
    this.canvas.getContext('2d')?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  dispose(): void {
    this.clear();
    this.canvas.remove();
  }
}
