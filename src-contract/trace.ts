/**
 * The one lossless record of a run: a header that says what was asked of which model about which pixels, and the
 * RunEvent stream as it happened. Everything else (steps, answers, exports) is derived from the events by the functions
 * here, so that a trace can't disagree with itself, and a replay shows what was shown.
 *
 * Versioning: `version` rises with every change that an older reader could not follow. Imported traces are not to be
 * trusted: `parseTrace` checks sizes, schema and consistency (order of events, numbering, boxes against the chain).
 */
import { z } from 'zod';
import { ReadroomError } from './errors.ts';
import { type AffineChain, affineChainSchema, locateBox } from './geometry.ts';
import {
  optionsSchema,
  type RunEvent,
  type RunEventOf,
  runEventSchema,
  type StopReason,
} from './run-events.ts';
import { seriesSchema, sourceFileSchema } from './study.ts';

export const traceFormat = 'readroom-trace';
export const traceVersion = 1;
export const researchNotice = 'Research use only. Not for clinical use.';

/** Bytes of JSON that `parseTrace` will look at, and events it will take. */
export const traceLimits = { bytes: 512 * 1024 * 1024, events: 200_000, sources: 100_000 } as const;

/** What is said of the series: no names, no dates. The files' paths and hashes are in `sources`. */
export const traceSeriesSchema = seriesSchema.pick({
  id: true,
  format: true,
  modality: true,
  kind: true,
  columns: true,
  rows: true,
  slices: true,
  channels: true,
  spacing: true,
  sourceToPatient: true,
  units: true,
});
export type TraceSeries = z.infer<typeof traceSeriesSchema>;

export const traceHeaderSchema = z.object({
  app: z.object({ name: z.literal('readroom'), version: z.string().max(100) }),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime(),
  /** True when anything in the pixels, or the case, is synthetic. Shown wherever the trace is. */
  synthetic: z.boolean(),
  sources: z.array(sourceFileSchema).max(traceLimits.sources),
  series: traceSeriesSchema.nullable(),
  chain: affineChainSchema,
  /** How the volume was normalised before it was cut to 8 bit, in words; null for images. */
  normalization: z.string().max(1000).nullable(),
  /** As asked, without choices and instruction. */
  question: z.string().max(1_000_000),
  options: optionsSchema,
  /** The right answer, where the case has one. */
  expected: z.enum(['A', 'B', 'C', 'D']).nullable(),
});
export type TraceHeader = z.infer<typeof traceHeaderSchema>;

export const traceSchema = z.object({
  format: z.literal(traceFormat),
  version: z.literal(traceVersion),
  notice: z.literal(researchNotice),
  ...traceHeaderSchema.shape,
  /** Model, prompts, sampling, limits, preset: in `run-started`. Stop reason, response, timings: in `run-finished`. */
  events: z.array(runEventSchema).max(traceLimits.events),
});
export type Trace = z.infer<typeof traceSchema>;

/** One box and what came of it. */
export interface TraceStep {
  readonly step: number;
  readonly round: number;
  /** The model's words since the step before, the box itself included, special tokens kept. */
  readonly text: string;
  readonly tokens: readonly { readonly id: number; readonly logprob: number }[];
  readonly box: RunEventOf<'box'>;
  readonly crop: RunEventOf<'crop'> | null;
  /** Milliseconds from the step's first token to its box. */
  readonly elapsedMs: number;
}

/** What a trace comes to. */
export interface TraceSummary {
  readonly started: RunEventOf<'run-started'> | null;
  readonly steps: readonly TraceStep[];
  /** The words after the last box. */
  readonly closingText: string;
  readonly closingTokens: readonly { readonly id: number; readonly logprob: number }[];
  readonly answer: RunEventOf<'answer'> | null;
  readonly finished: RunEventOf<'run-finished'> | null;
  /** Null while the run has not ended. */
  readonly stopReason: StopReason | null;
}

/** Reads steps and outcome out of the event stream; works on a stream that is still going on. */
export function summarizeEvents(events: readonly RunEvent[]): TraceSummary {
  let started: TraceSummary['started'] = null;
  let answer: TraceSummary['answer'] = null;
  let finished: TraceSummary['finished'] = null;
  const steps: TraceStep[] = [];
  let text = '';
  let tokens: { id: number; logprob: number }[] = [];
  let firstAt: number | null = null;
  for (const event of events) {
    switch (event.type) {
      case 'run-started':
        started = event;
        break;
      case 'token':
        firstAt ??= event.at;
        text += event.text;
        tokens.push({ id: event.id, logprob: event.logprob });
        break;
      case 'box':
        steps.push({
          step: event.step,
          round: event.round,
          text,
          tokens,
          box: event,
          crop: null,
          elapsedMs: event.at - (firstAt ?? event.at),
        });
        text = '';
        tokens = [];
        firstAt = null;
        break;
      case 'crop': {
        const step = steps[event.step];
        if (step) steps[event.step] = { ...step, crop: event };
        break;
      }
      case 'answer':
        answer = event;
        break;
      case 'run-finished':
        finished = event;
        break;
      default:
        break;
    }
  }
  return {
    started,
    steps,
    closingText: text,
    closingTokens: tokens,
    answer,
    finished,
    stopReason: finished?.stopReason ?? null,
  };
}

/** The event stream of a trace, as it was recorded. */
export function replay(trace: Trace): readonly RunEvent[] {
  return trace.events;
}

/** JSON of a trace: one event a line, so that it can be read by eye and compared by line. */
export function serializeTrace(trace: Trace): string {
  const { events, ...header } = trace;
  const head = JSON.stringify(header, null, 2).slice(0, -2);
  const lines = events.map((event) => `    ${JSON.stringify(event)}`).join(',\n');
  return `${head},\n  "events": [${lines ? `\n${lines}\n  ` : ''}]\n}\n`;
}

/**
 * Reads a trace that may come from anywhere.
 * @param text JSON
 * @param file named in errors
 * @throws ReadroomError 'file-too-large', 'file-malformed' (with the field), 'format-unsupported' (other version)
 */
export function parseTrace(text: string, file?: string): Trace {
  if (text.length > traceLimits.bytes) {
    throw new ReadroomError('file-too-large', `The trace is larger than ${traceLimits.bytes} bytes.`, {
      file,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ReadroomError('file-malformed', 'The trace is not valid JSON.', { file, detail });
  }
  const kind = z.object({ format: z.literal(traceFormat), version: z.number() }).safeParse(value);
  if (!kind.success) throw new ReadroomError('file-malformed', 'The file is not a Readroom trace.', { file });
  if (kind.data.version !== traceVersion) {
    throw new ReadroomError(
      'format-unsupported',
      `The trace has version ${kind.data.version}; this Readroom reads version ${traceVersion}.`,
      { file, remedy: 'Open it with the Readroom version that wrote it.' },
    );
  }
  const parsed = traceSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue.path.join('.');
    throw new ReadroomError('file-malformed', `The trace is damaged at ${field}: ${issue.message}`, {
      file,
      field,
    });
  }
  const problem = findInconsistency(parsed.data.events, parsed.data.chain);
  if (problem)
    throw new ReadroomError('file-malformed', `The trace contradicts itself: ${problem}`, { file });
  return parsed.data;
}

/** What in a stream can't have happened, in words; null when it is consistent. */
export function findInconsistency(events: readonly RunEvent[], chain: AffineChain): string | null {
  let at = 0;
  let round = -1;
  let roundOpen = false;
  let tokens = 0;
  let boxes = 0;
  let crops = 0;
  for (const [number, event] of events.entries()) {
    const where = `event ${number} (${event.type})`;
    if (event.at < at) return `${where} is earlier than the one before`;
    at = event.at;
    if ((event.type === 'run-started') !== (number === 0)) return `${where} is out of place`;
    if (event.type === 'run-finished' && number !== events.length - 1) return `${where} is not the last`;
    switch (event.type) {
      case 'round-started':
        if (roundOpen || event.round !== round + 1) return `${where} is out of order`;
        round = event.round;
        roundOpen = true;
        break;
      case 'token':
        if (!roundOpen || event.round !== round || event.index !== tokens) return `${where} is out of order`;
        tokens++;
        break;
      case 'box': {
        if (!roundOpen || event.round !== round || event.step !== boxes) return `${where} is out of order`;
        boxes++;
        const problem = wrongBox(event, chain);
        if (problem) return `${where} ${problem}`;
        break;
      }
      case 'crop':
        if (crops >= boxes || event.step !== crops) return `${where} has no box`;
        crops++;
        break;
      case 'round-finished':
        if (!roundOpen || event.round !== round) return `${where} is out of order`;
        roundOpen = false;
        break;
      default:
        break;
    }
  }
  return null;
}

function wrongBox(event: RunEventOf<'box'>, chain: AffineChain): string | null {
  const { clamped } = event;
  const [width, height, depth] = chain.processorSize;
  const inside =
    clamped.x1 >= 0 &&
    clamped.x1 < clamped.x2 &&
    clamped.x2 <= width &&
    clamped.y1 >= 0 &&
    clamped.y1 < clamped.y2 &&
    clamped.y2 <= height &&
    clamped.z1 >= 0 &&
    clamped.z1 < clamped.z2 &&
    clamped.z2 <= depth;
  if (!inside) return 'lies outside the image';
  const expected = locateBox(chain, clamped);
  const pairs = [
    ...expected.sourceVoxel.min.map((value, axis) => [value, event.located.sourceVoxel.min[axis]]),
    ...expected.sourceVoxel.max.map((value, axis) => [value, event.located.sourceVoxel.max[axis]]),
    ...(expected.patientCorners ?? []).flatMap((corner, index) =>
      corner.map((value, axis) => [value, event.located.patientCorners?.[index]?.[axis] ?? Number.NaN]),
    ),
  ];
  const agrees = pairs.every(([a, b]) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a)));
  if (!agrees || (expected.patientCorners === null) !== (event.located.patientCorners === null)) {
    return "does not lie where the trace's own affine chain puts it";
  }
  return null;
}
