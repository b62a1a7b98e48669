/**
 * The events of one run as they came, outside of React: whoever draws the text reads from here at its own pace, so that
 * a token costs one push and no render.
 */
import type { RunEvent } from '../../src-contract/run-events.ts';

export class RunLog {
  readonly #events: RunEvent[] = [];
  readonly #listeners = new Set<() => void>();
  #tokens = 0;

  get events(): readonly RunEvent[] {
    return this.#events;
  }

  /** Tokens that came so far. */
  get tokens(): number {
    return this.#tokens;
  }

  push(event: RunEvent): void {
    this.#events.push(event);
    if (event.type === 'token') this.#tokens++;
    for (const listener of this.#listeners) listener();
  }

  /** Returns what stops listening. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
