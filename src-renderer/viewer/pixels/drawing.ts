/** What a pane asks of whatever puts pixels on the screen: cornerstone where there is WebGL, else a 2D canvas. */
import type { PaneView } from '../../state/viewer-store.ts';
import type { Camera } from '../camera.ts';
import type { Range } from '../window-presets.ts';
import type { ImageSource } from './image-scheme.ts';

export interface Display extends Range {
  readonly invert: boolean;
  readonly smooth: boolean;
}

export interface Shown {
  readonly source: ImageSource;
  readonly view: PaneView;
  /** Source axis looked along, and the slice on it. */
  readonly axis: 0 | 1 | 2;
  readonly slice: number;
}

export interface Drawing {
  /**
   * Brings a slice up. `ready` is called once its pixels are about to be drawn, at once or later, and not at all when
   * another slice was asked for in the meantime.
   * @throws ReadroomError when the view can't be drawn or its pixels can't be had
   */
  show(shown: Shown, ready: () => void): Promise<void>;
  draw(camera: Camera, display: Display): void;
  resize(): void;
  /** Called after each drawing that reached the screen. */
  onDrawn(listener: () => void): void;
  clear(): void;
  dispose(): void;
}
