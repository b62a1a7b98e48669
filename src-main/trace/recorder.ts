/**
 * Keeps the trace of one run while it happens: consumes the same events as the screen, can give a valid trace at any
 * moment, and closes the stream itself when the engine could not.
 */
import type { ErrorPayload, ReadroomError } from '../../src-contract/errors.ts';
import type { RunEvent, RunEventOf, StopReason } from '../../src-contract/run-events.ts';
import {
  researchNotice,
  serializeTrace,
  summarizeEvents,
  type Trace,
  type TraceHeader,
  traceFormat,
  traceVersion,
} from '../../src-contract/trace.ts';
import { writeFileAtomically } from './atomic-write.ts';

export class TraceRecorder {
  readonly #header: TraceHeader;
  readonly #events: RunEvent[] = [];

  constructor(header: TraceHeader) {
    this.#header = header;
  }

  /** True once the run has ended; nothing more is recorded then. */
  get finished(): boolean {
    return this.#events.at(-1)?.type === 'run-finished';
  }

  record(event: RunEvent): void {
    if (!this.finished) this.#events.push(event);
  }

  /** What has happened so far; complete when the last event is `run-finished`. */
  trace(): Trace {
    return {
      format: traceFormat,
      version: traceVersion,
      notice: researchNotice,
      ...this.#header,
      events: [...this.#events],
    };
  }

  /**
   * Ends a stream that broke off (the engine died, the call was refused), so that the record says how the run ended.
   * @returns the events that were added, for others who watch the run; none when it had ended, or never begun
   */
  close(error: ReadroomError): RunEvent[] {
    const last = this.#events.at(-1);
    if (!last || this.finished) return [];
    const stopReason = error.code === 'cancelled' ? 'cancelled' : 'failed';
    const added: RunEvent[] = [];
    const round = openRound(this.#events);
    if (round) {
      const { at } = last;
      added.push({ type: 'round-finished', at, ...round, reason: stopReason, retokenised: false });
    }
    added.push(brokenOff(this.#events, last.at, stopReason, error.toPayload()));
    for (const event of added) this.record(event);
    return added;
  }

  /** Writes the trace so far; a reader sees the old file or the whole new one. */
  async save(file: string): Promise<void> {
    await writeFileAtomically(file, serializeTrace(this.trace()));
  }
}

/** The round that was never finished, and how many tokens it had. */
function openRound(events: readonly RunEvent[]): { round: number; tokens: number } | null {
  const start = events.findLastIndex((event) => event.type === 'round-started');
  const end = events.findLastIndex((event) => event.type === 'round-finished');
  if (start <= end) return null;
  const { round } = events[start] as RunEventOf<'round-started'>;
  return { round, tokens: events.slice(start).filter(({ type }) => type === 'token').length };
}

function brokenOff(
  events: readonly RunEvent[],
  at: number,
  stopReason: StopReason,
  error: ErrorPayload,
): RunEventOf<'run-finished'> {
  const { steps, closingText } = summarizeEvents(events);
  const tokens = events.filter((event): event is RunEventOf<'token'> => event.type === 'token');
  return {
    type: 'run-finished',
    at,
    stopReason,
    // As a run that the loop itself ends: a failed one has no response, a cancelled one what was said.
    response: stopReason === 'failed' ? '' : steps.map(({ text }) => text).join('') + closingText,
    newTokens: tokens.length,
    timings: {
      visionMs: 0,
      prefillMs: 0,
      decodeMs: 0,
      firstTokenMs: tokens[0]?.at ?? null,
      totalMs: at,
      tokensPerSecond: null,
    },
    ...(stopReason === 'failed' ? { error } : {}),
  };
}
