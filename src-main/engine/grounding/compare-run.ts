/** For tests: replays a recorded run and compares every round with what the original libraries gave. */
import { expect } from 'vitest';
import { runRequestSchema } from '../../../src-contract/engine-protocol.ts';
import { type RunEvent, type RunEventOf, runEventSchema } from '../../../src-contract/run-events.ts';
import { findInconsistency } from '../../../src-contract/trace.ts';
import type { VisionLanguageModel } from '../language-model.ts';
import { runGrounded } from './loop.ts';
import { formatPrompt } from './prompts.ts';
import { type RecordedRun, recordedInput } from './recorded-runs.ts';

const stopReasons: Record<string, string> = {
  'end-of-turn': 'end-of-turn',
  'invalid-box': 'invalid-box',
  'round-cap': 'round-token-limit',
  'total-cap': 'token-limit',
  'max-rounds': 'round-limit',
  crash: 'failed',
};

/** A run that crashed would have had another round: with a list that ends there, it ends for want of tokens. */
function forcedIn(run: RecordedRun): number[] {
  const taken = run.rounds.flatMap(({ ids }) => ids);
  return run.error ? [...taken, 0] : taken;
}

async function play(model: VisionLanguageModel, run: RecordedRun, reencode: boolean) {
  const { images, chain } = await recordedInput(run, async (width, height) =>
    model.imageProcessor.referenceAlignedSize(width, height),
  );
  const mode = run.volume ? '3d' : '2d';
  expect(formatPrompt(mode, run.question, run.choices)).toBe(run.text);
  const request = runRequestSchema.parse({
    runId: run.name,
    mode,
    images,
    promptText: run.text,
    options: run.choices,
    limits: {
      maxNewTokens: run.maxNewTokens,
      maxRounds: run.maxRounds,
      tokensPerRound: run.tokensPerRound,
    },
    chain,
    ...(run.forced ? { forcedTokens: forcedIn(run) } : {}),
    ...(run.name.endsWith('/without-penalty') ? { sampling: { repetitionPenalty: 1 } } : {}),
    reencode,
  });
  const events: RunEvent[] = [];
  const prompts: number[][] = [];
  const outcome = await runGrounded(model, request, (event) => {
    if (event.type === 'round-started') prompts.push([...model.context.ids]);
    events.push(runEventSchema.parse(event));
  });
  expect(findInconsistency(events, request.chain)).toBeNull();
  const of = <T extends RunEvent['type']>(type: T) =>
    events.filter((event): event is RunEventOf<T> => event.type === type);
  return { outcome, prompts, of };
}

/**
 * Tokens, prompts, texts, log-probabilities, crops, stop reason, response and answers of one run.
 * @param reencode the reference's own algorithm in place of the incremental one
 */
export async function compare(
  model: VisionLanguageModel,
  run: RecordedRun,
  reencode: boolean,
): Promise<void> {
  const { outcome, prompts, of } = await play(model, run, reencode);
  const tokens = run.rounds.map((_, round) => of('token').filter((event) => event.round === round));
  expect(tokens.map((round) => round.map(({ id }) => id))).toEqual(run.rounds.map(({ ids }) => ids));
  expect(prompts).toEqual(run.rounds.map(({ promptIds }) => promptIds));
  expect(tokens.map((round) => round.map(({ text }) => text).join(''))).toEqual(
    run.rounds.map(({ text }) => text),
  );
  for (const [round, { logProbs }] of run.rounds.entries()) {
    for (const [index, expected] of logProbs.entries()) {
      expect(tokens[round][index].logprob).toBeCloseTo(expected, 3);
    }
  }
  const cut = run.rounds.flatMap(({ crops }) => (crops ? [crops] : []));
  expect(
    of('crop').map(({ box, images }) =>
      images.map(({ slice, sha256 }) => ({ slice, cut: [box.x1, box.y1, box.x2, box.y2], sha256 })),
    ),
  ).toEqual(cut);
  expect(outcome).toMatchObject({
    stopReason: stopReasons[run.stopReason],
    response: run.response,
    newTokens: run.newTokens,
    rounds: run.rounds.length,
  });
  if (run.error) {
    expect(outcome.error?.code).toBe('input-invalid');
    // The messages about image places are transformers' own, and differ between its versions.
    if (!run.error.includes('image_pad')) expect(outcome.error?.detail).toBe(run.error);
  } else {
    const { answers } = of('answer')[0];
    expect(answers).toMatchObject({ inference: run.prediction, reward: run.rewardChoice || null });
  }
}
