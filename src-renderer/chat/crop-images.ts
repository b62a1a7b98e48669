/** Crops as pictures: base64 PNG of an event to a blob URL, made once per event and given back with the run's view. */
import type { RunEventOf } from '../../src-contract/run-events.ts';

type CropImage = RunEventOf<'crop'>['images'][number];

/** Pictures of a strip: a box through thirty slices needs no thirty thumbnails to be recognised. */
const stripLength = 6;

/** Evenly spaced, first and last included. */
export function stripOf<T>(images: readonly T[], length = stripLength): T[] {
  if (images.length <= length) return [...images];
  return Array.from({ length }, (_, n) => images[Math.round((n * (images.length - 1)) / (length - 1))]);
}

/** Milliseconds in which a picture that was begun has loaded. */
const releaseAfter = 10_000;

export class CropImages {
  readonly #urls = new Map<CropImage, string>();

  url(image: CropImage): string {
    let url = this.#urls.get(image);
    if (!url) {
      const bytes = Uint8Array.from(atob(image.png), (character) => character.charCodeAt(0));
      url = URL.createObjectURL(new Blob([bytes], { type: 'image/png' }));
      this.#urls.set(image, url);
    }
    return url;
  }

  release(): void {
    const urls = [...this.#urls.values()];
    this.#urls.clear();
    // A picture that is still loading would complain that its bytes are gone.
    setTimeout(() => {
      for (const url of urls) URL.revokeObjectURL(url);
    }, releaseAfter);
  }
}
