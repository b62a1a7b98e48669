/** Fetches a series' slices ahead of need: outwards from the slice that is looked at, a few at a time. */
import { cache, imageLoader } from '@cornerstonejs/core';
import type { ImageSource } from './image-scheme.ts';

/** Enough to keep the main side busy, few enough that the slice a reader scrolls to is not queued behind many. */
const atOnce = 4;

export class Prefetcher {
  private readonly wanted: Set<number>;
  private around = 0;
  private running = 0;
  private stopped = false;

  constructor(private readonly source: ImageSource) {
    this.wanted = new Set(source.imageIds.keys());
  }

  /** Looks at slice k now: what lies near comes next. Axes other than the slices' own need every slice alike. */
  lookAt(k: number): void {
    this.around = k;
    while (this.running < atOnce && this.next()) {}
  }

  stop(): void {
    this.stopped = true;
  }

  private nearest(): number | null {
    const { slices } = this.source.pixels;
    for (let distance = 0; distance < slices; distance++) {
      // Ahead and behind by turns, so that scrolling finds slices in either direction.
      if (this.wanted.has(this.around + distance)) return this.around + distance;
      if (this.wanted.has(this.around - distance)) return this.around - distance;
    }
    return null;
  }

  private next(): boolean {
    const k = this.stopped ? null : this.nearest();
    if (k === null) return false;
    this.wanted.delete(k);
    const imageId = this.source.imageIds[k];
    if (cache.isLoaded(imageId)) return true;
    this.running++;
    const done = () => {
      this.running--;
      this.lookAt(this.around);
    };
    // A slice that can't be had is reported when it is looked at, and by series.failed.
    imageLoader.loadAndCacheImage(imageId, { priority: 0, requestType: 'prefetch' }).then(done, done);
    return true;
  }
}
