/** Where the next token comes from: the sampler, or, in benches, a list. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Sampling } from '../../../src-contract/run-events.ts';
import { type Choice, createSampler, logProbability } from '../decode/sampler.ts';

export interface TokenSource {
  /**
   * @param context every id in the context, prompt and <|image_pad|> included
   * @returns null when a forced list is used up
   */
  next(logits: Float32Array, context: readonly number[]): Choice | null;
  /** True when `next` can only return null. */
  exhausted(): boolean;
}

export function createTokenSource(
  sampling: Sampling,
  suppressed: readonly number[],
  forced?: readonly number[],
): TokenSource {
  if (forced) return forcedSource(forced);
  const sampler = createSampler(sampling, { suppressed });
  return { next: (logits, context) => sampler.next(logits, context), exhausted: () => false };
}

function forcedSource(ids: readonly number[]): TokenSource {
  let used = 0;
  return {
    next(logits) {
      if (used >= ids.length) return null;
      const id = ids[used++];
      if (id >= logits.length) {
        throw new ReadroomError(
          'input-invalid',
          `Forced token ${id} is not in the vocabulary of ${logits.length}.`,
          {
            field: 'forcedTokens',
          },
        );
      }
      return { id, logprob: logProbability(logits, id) };
    },
    exhausted: () => used >= ids.length,
  };
}
