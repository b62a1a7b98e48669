/**
 * Slices into a volume's texture as they arrive. The volume holds no pixels of its own: its texture is filled from the
 * same cached slices that stacks show. Which slice is fetched when is the prefetcher's matter (what is looked at first).
 */
import { cache, Enums, eventTarget, getRenderingEngines, type Types } from '@cornerstonejs/core';
import type { ImageSource } from './image-scheme.ts';

/** A volume being filled is redrawn at most this often. */
const redrawEvery = 150;

const fed = new Set<string>();
/** Volumes with new slices, and those drawn with new slices a moment ago. */
let waiting = new Set<string>();
let settling = new Set<string>();
let isDue = false;

function schedule(): void {
  if (isDue) return;
  isDue = true;
  setTimeout(redraw, redrawEvery);
}

/**
 * A frame that uploads slices may be drawn with another pane's grey levels: the panes share one WebGL context, and the
 * upload changes which textures are bound. So every volume is drawn once more after its last slices went in.
 */
function redraw(): void {
  isDue = false;
  const due = new Set([...waiting, ...settling]);
  settling = waiting;
  waiting = new Set();
  const all = (getRenderingEngines() ?? []).flatMap((engine) => engine.getViewports());
  for (const viewport of all) {
    if (viewport.type !== Enums.ViewportType.ORTHOGRAPHIC) continue;
    const ids = (viewport as Types.IVolumeViewport).getAllVolumeIds();
    if (ids.some((id) => due.has(id))) viewport.render();
  }
  if (settling.size > 0) schedule();
}

function markLoaded(volumeId: string, imageId: string): void {
  const volume = cache.getVolume(volumeId) as Types.IImageVolume | undefined;
  if (!volume) return;
  volume.vtkOpenGLTexture?.setUpdatedFrame(volume.getImageIdIndex(imageId));
  waiting.add(volumeId);
  schedule();
}

/** From now on, every slice of the source that is loaded, or is loaded already, is in its volume. */
export function feedVolume(source: ImageSource): void {
  for (const imageId of source.imageIds) {
    if (cache.isLoaded(imageId)) markLoaded(source.volumeId, imageId);
  }
  if (fed.has(source.volumeId)) return;
  fed.add(source.volumeId);
  const own = new Set(source.imageIds);
  const onAdded = (event: Event) => {
    const { imageId } = (event as CustomEvent<{ image: { imageId: string } }>).detail.image;
    if (own.has(imageId)) markLoaded(source.volumeId, imageId);
  };
  const onRemoved = (event: Event) => {
    const { volumeId } = (event as CustomEvent<{ volumeId: string }>).detail;
    if (volumeId !== source.volumeId) return;
    fed.delete(volumeId);
    eventTarget.removeEventListener(Enums.Events.IMAGE_CACHE_IMAGE_ADDED, onAdded);
    eventTarget.removeEventListener(Enums.Events.VOLUME_CACHE_VOLUME_REMOVED, onRemoved);
  };
  eventTarget.addEventListener(Enums.Events.IMAGE_CACHE_IMAGE_ADDED, onAdded);
  eventTarget.addEventListener(Enums.Events.VOLUME_CACHE_VOLUME_REMOVED, onRemoved);
}
