/** Vision tokens of images seen lately, bounded by bytes: the next question on a study needs them again. */
import type { ImageFeatures } from '../language-model.ts';

export class FeatureCache {
  readonly #limit: number;
  /** In order of use, oldest first: a Map keeps insertion order. */
  readonly #entries = new Map<string, ImageFeatures>();
  #bytes = 0;

  /** @param limit bytes of features kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): ImageFeatures | undefined {
    const found = this.#entries.get(key);
    if (found) {
      this.#entries.delete(key);
      this.#entries.set(key, found);
    }
    return found;
  }

  set(features: ImageFeatures): void {
    this.#drop(features.key);
    this.#entries.set(features.key, features);
    this.#bytes += features.data.byteLength;
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#drop(key);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #drop(key: string): void {
    const found = this.#entries.get(key);
    if (!found) return;
    this.#entries.delete(key);
    this.#bytes -= found.data.byteLength;
  }
}
