/** Traces of small runs for tests and benchmarks of projects: consistent, with as many boxes as wanted. */
import { type AffineChain, identityAffine, locateBox } from '../../../../src-contract/geometry.ts';
import type { OptionLetter, RunEvent, StopReason } from '../../../../src-contract/run-events.ts';
import type { SourceFile } from '../../../../src-contract/study.ts';
import { researchNotice, type Trace, traceFormat, traceVersion } from '../../../../src-contract/trace.ts';

export interface TraceWish {
  readonly runId: string;
  /** Two runs with the same `pixels` are of one case. */
  readonly pixels?: string;
  readonly steps?: number;
  readonly slice?: number;
  readonly question?: string;
  readonly answer?: OptionLetter | null;
  readonly modality?: string;
  readonly createdAt?: string;
  readonly stopReason?: StopReason;
  readonly sources?: SourceFile[];
}

const size: [number, number, number] = [56, 56, 32];

const volumeChain: AffineChain = {
  sourceToPatient: [0.7, 0, 0, -20, 0, 0.7, 0, -20, 0, 0, 2, 5],
  canonicalToSource: [...identityAffine],
  gridToCanonical: [...identityAffine],
  processorToGrid: [...identityAffine],
  sourceSize: size,
  canonicalSize: size,
  gridSize: size,
  processorSize: size,
  serialization: 'anatomical',
};

/** One slice of the same volume as an image of its own. */
const sliceChain = (slice: number): AffineChain => ({
  ...volumeChain,
  canonicalToSource: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, slice],
  canonicalSize: [56, 56, 1],
  gridSize: [56, 56, 1],
  processorSize: [56, 56, 1],
  serialization: 'image',
});

const hexOf = (text: string): string =>
  Array.from(text.padEnd(32, '.').slice(-32), (letter) =>
    (letter.charCodeAt(0) & 0xff).toString(16).padStart(2, '0'),
  ).join('');

export function makeTrace(wish: TraceWish): Trace {
  const { runId, pixels = 'pixels', steps = 2, slice, answer = 'A', modality = 'CT' } = wish;
  const chain = slice === undefined ? volumeChain : sliceChain(slice);
  const mode = slice === undefined ? '3d' : '2d';
  const events: RunEvent[] = [
    {
      type: 'run-started',
      at: 0,
      runId,
      mode,
      preset: 'grounded',
      systemPrompt: 'system',
      promptText: 'prompt',
      rendered: 'rendered',
      model: {
        modelHash: 'ab',
        name: 'test-model',
        precision: 'fp32',
        provider: 'cpu',
        refused: [],
        notes: [],
        parameters: 1,
        contextLimit: 1_000,
        imageProcessor: 'Qwen2VLImageProcessor',
        generation: { repetitionPenalty: 1, topK: 0 },
      },
      sampling: { temperature: 0, topP: 1, topK: 0, repetitionPenalty: 1, seed: 0 },
      limits: { maxNewTokens: 512, maxRounds: 10, tokensPerRound: 128 },
    },
  ];
  let at = 1;
  let index = 0;
  const say = (round: number, text: string): void => {
    events.push({ type: 'token', at: at++, round, index: index++, id: 1, logprob: -0.1, text });
  };
  for (let step = 0; step < steps; step++) {
    const z1 = mode === '3d' ? 1 + step : 0;
    const clamped = { x1: 4 + step, y1: 8, z1, x2: 24 + step, y2: 30, z2: z1 + (mode === '3d' ? 4 : 1) };
    const raw = mode === '3d' ? [4 + step, 8, z1, 24 + step, 30, z1 + 4] : [4 + step, 8, 24 + step, 30];
    events.push({ type: 'round-started', at: at++, round: step, contextTokens: 100 + step });
    say(step, `Finding ${step + 1} is here: `);
    const located = locateBox(chain, clamped);
    events.push({ type: 'box', at: at++, round: step, step, raw, clamped, located, sliceZeroOnly: false });
    events.push({
      type: 'round-finished',
      at: at++,
      round: step,
      tokens: 1,
      reason: 'box',
      retokenised: false,
    });
  }
  events.push({ type: 'round-started', at: at++, round: steps, contextTokens: 100 + steps });
  say(steps, 'So it is there.');
  events.push({
    type: 'round-finished',
    at: at++,
    round: steps,
    tokens: 1,
    reason: 'end-of-turn',
    retokenised: false,
  });
  const answers = { inference: answer, reward: answer, strict: answer, formatReward: 1 };
  events.push({ type: 'answer', at: at++, text: answer ? `${answer}.` : '', answers });
  events.push({
    type: 'run-finished',
    at: at++,
    stopReason: wish.stopReason ?? 'end-of-turn',
    response: 'response',
    newTokens: index,
    timings: {
      visionMs: 1,
      prefillMs: 1,
      decodeMs: 1,
      firstTokenMs: 1,
      totalMs: at,
      tokensPerSecond: 5,
    },
  });
  return {
    format: traceFormat,
    version: traceVersion,
    notice: researchNotice,
    app: { name: 'readroom', version: '0.1.0' },
    createdAt: wish.createdAt ?? '2026-01-02T03:04:05.000Z',
    synthetic: true,
    sources: wish.sources ?? [{ path: `/images/${pixels}.nii`, bytes: 12, sha256: hexOf(pixels) }],
    series: {
      id: `series-${pixels}`.slice(0, 60),
      format: 'nifti',
      modality,
      kind: 'volume',
      columns: 56,
      rows: 56,
      slices: 32,
      channels: 1,
      spacing: [0.7, 0.7, 2],
      sourceToPatient: volumeChain.sourceToPatient,
      units: 'HU',
    },
    chain,
    normalization: null,
    question: wish.question ?? 'Where is the lesion?',
    options: { A: 'left', B: 'right' },
    expected: null,
    events,
  };
}
