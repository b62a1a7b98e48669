/**
 * Fetches a series' slices ahead of need: outwards from the slice that is looked at, a few at a time. The study's process
 * has all pixels; the page holds all of a small series, and of a large one only what lies near, unless planes need it.
 */
import { cache, imageLoader } from '@cornerstonejs/core';
import type { ImageSource } from './image-scheme.ts';
import { bytesPerSlice } from './typed-pixels.ts';

/** Enough to keep the main side busy, few enough that the slice a reader scrolls to is not queued behind many. */
const atOnce = 4;
/** What the page holds of a series that is shown slice by slice: 305 slices of 512 x 512 with 16 bits. */
const heldBytes = 160e6;
/** Slices are let go of this many fetches apart: looking for them costs a little. */
const sweepEvery = 16;

export class Prefetcher {
  /** Slices on either side of the one looked at that are held. */
  private readonly reach: number;
  /** On their way, there, or refused. */
  private readonly asked = new Set<number>();
  private around = 0;
  private running = 0;
  private fetched = 0;
  private holdsAll = false;
  private stopped = false;

  /** @param onScreen slices that panes show now: they are kept, wherever they lie */
  constructor(
    private readonly source: ImageSource,
    private readonly onScreen: () => readonly number[],
  ) {
    this.reach = Math.max(1, Math.floor(heldBytes / bytesPerSlice(source.pixels) / 2));
  }

  /** The whole series is held in any case. */
  get fits(): boolean {
    return 2 * this.reach >= this.source.pixels.slices;
  }

  /** Planes other than the slices' own need every slice. */
  holdAll(all: boolean): void {
    if (all === this.holdsAll) return;
    this.holdsAll = all;
    if (!all) this.sweep();
    this.lookAt(this.around);
  }

  /** Looks at slice k now: what lies near comes next. */
  lookAt(k: number): void {
    this.around = k;
    while (this.running < atOnce && this.next()) {}
  }

  /** The planes of this series are not shown any more. */
  dropVolume(): void {
    const { volumeId } = this.source;
    if (cache.getVolumeLoadObject(volumeId)) cache.removeVolumeLoadObject(volumeId);
  }

  stop(): void {
    this.stopped = true;
  }

  private nearest(): number | null {
    const { slices } = this.source.pixels;
    const reach = this.holdsAll || this.fits ? slices - 1 : this.reach;
    for (let distance = 0; distance <= reach; distance++) {
      // Ahead and behind by turns, so that scrolling finds slices in either direction.
      for (const k of [this.around + distance, this.around - distance]) {
        if (k >= 0 && k < slices && !this.asked.has(k)) return k;
      }
    }
    return null;
  }

  private next(): boolean {
    const k = this.stopped ? null : this.nearest();
    if (k === null) return false;
    this.asked.add(k);
    const imageId = this.source.imageIds[k];
    if (cache.isLoaded(imageId)) return true;
    this.running++;
    const done = () => {
      this.running--;
      this.fetched++;
      if (this.fetched % sweepEvery === 0) this.sweep();
      this.lookAt(this.around);
    };
    // A slice that can't be had is reported when it is looked at, and by series.failed.
    imageLoader.loadAndCacheImage(imageId, { priority: 0, requestType: 'prefetch' }).then(done, done);
    return true;
  }

  /** Lets go of what lies far away. */
  private sweep(): void {
    if (this.holdsAll || this.fits || this.stopped) return;
    const kept = new Set(this.onScreen());
    for (const [k, imageId] of this.source.imageIds.entries()) {
      if (Math.abs(k - this.around) <= this.reach + sweepEvery || kept.has(k)) continue;
      if (!cache.isLoaded(imageId)) continue;
      cache.removeImageLoadObject(imageId, { force: true });
      this.asked.delete(k);
    }
  }
}
