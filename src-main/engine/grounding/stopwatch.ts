/** Where a run's time goes: the phases of `run-finished`.timings, in milliseconds since the run started. */
import type { RunEventOf } from '../../../src-contract/run-events.ts';

type Phase = 'vision' | 'prefill' | 'decode';

export class Stopwatch {
  readonly #start = performance.now();
  readonly #spent: Record<Phase, number> = { vision: 0, prefill: 0, decode: 0 };
  #firstTokenMs: number | null = null;
  #decoded = 0;

  /** To the microsecond: more digits would only be noise in traces. */
  now(): number {
    return Math.round((performance.now() - this.#start) * 1000) / 1000;
  }

  async measure<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      return await work();
    } finally {
      this.#spent[phase] += performance.now() - from;
    }
  }

  token(): void {
    this.#firstTokenMs ??= this.now();
  }

  /** A token that went through the decoder by itself: what tokens per second counts. */
  decoderStep(): void {
    this.#decoded++;
  }

  timings(): RunEventOf<'run-finished'>['timings'] {
    const { vision, prefill, decode } = this.#spent;
    return {
      visionMs: vision,
      prefillMs: prefill,
      decodeMs: decode,
      firstTokenMs: this.#firstTokenMs,
      totalMs: this.now(),
      tokensPerSecond: this.#decoded > 0 && decode > 0 ? (this.#decoded * 1000) / decode : null,
    };
  }
}
