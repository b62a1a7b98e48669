/** Events of a small run, for tests of what is drawn from them. */
import type { AffineChain } from '../../src-contract/geometry.ts';
import { identityAffine } from '../../src-contract/geometry.ts';
import type { RunEvent, RunEventOf, StopReason } from '../../src-contract/run-events.ts';

export const testChain: AffineChain = {
  sourceToPatient: null,
  canonicalToSource: [...identityAffine],
  gridToCanonical: [...identityAffine],
  processorToGrid: [...identityAffine],
  sourceSize: [56, 56, 32],
  canonicalSize: [56, 56, 32],
  gridSize: [56, 56, 32],
  processorSize: [56, 56, 32],
  serialization: 'anatomical',
};

export const started: RunEventOf<'run-started'> = {
  type: 'run-started',
  at: 0,
  runId: 'run',
  mode: '3d',
  preset: 'grounded',
  systemPrompt: '',
  promptText: '',
  rendered: '',
  model: {
    modelHash: 'ab',
    name: 'model',
    precision: 'fp32',
    provider: 'cpu',
    refused: [],
    notes: [],
    parameters: 1,
    contextLimit: 1,
    imageProcessor: 'P',
    generation: { repetitionPenalty: 1, topK: 0 },
  },
  sampling: { temperature: 0, topP: 1, topK: 0, repetitionPenalty: 1, seed: 0 },
  limits: { maxNewTokens: 512, maxRounds: 10, tokensPerRound: 128 },
};

export const token = (text: string, at = 0, logprob = -0.1): RunEventOf<'token'> => ({
  type: 'token',
  at,
  round: 0,
  index: 0,
  id: 0,
  logprob,
  text,
});

/** A box through the model's slices 4 to 6 (from 0). */
export const box = (step: number, at = 0): RunEventOf<'box'> => ({
  type: 'box',
  at,
  round: step,
  step,
  raw: [1, 2, 4, 20, 30, 7],
  clamped: { x1: 1, y1: 2, z1: 4, x2: 20, y2: 30, z2: 7 },
  located: { sourceVoxel: { min: [0.5, 1.5, 3.5], max: [19.5, 29.5, 6.5] }, patientCorners: null },
  sliceZeroOnly: false,
});

export const finished = (stopReason: StopReason): RunEventOf<'run-finished'> => ({
  type: 'run-finished',
  at: 9,
  stopReason,
  response: '',
  newTokens: 1,
  timings: {
    visionMs: 0,
    prefillMs: 0,
    decodeMs: 0,
    firstTokenMs: 1,
    totalMs: 1200,
    tokensPerSecond: 5,
  },
});

export const answered = (letters: [string | null, string | null, string | null]): RunEvent => ({
  type: 'answer',
  at: 8,
  text: 'B. ring lesion',
  answers: { inference: letters[0], reward: letters[1], strict: letters[2], formatReward: 1 },
});
