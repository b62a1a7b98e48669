/**
 * Choosing the next token from a row of logits: greedy or sampled, as transformers' `generate()` does it, with a
 * random source of our own (torch's would not be reproducible here) and the log-probability the trace records.
 */
import type { Sampling } from '../../../src-contract/run-events.ts';
import {
  applyTemperature,
  firstMaximum,
  keepTopK,
  keepTopP,
  penaliseRepetition,
  suppress,
} from './logits-processors.ts';
import { seededRandom } from './random.ts';

export interface Choice {
  readonly id: number;
  /** Natural log of the model's own probability: softmax of the unprocessed logits, in float64. */
  readonly logprob: number;
}

export interface Sampler {
  /**
   * @param logits [vocab], left unchanged
   * @param context every id in the context, prompt and <|image_pad|> included: what HF calls input_ids
   */
  next(logits: Float32Array, context: Iterable<number>): Choice;
}

export interface SamplerOptions {
  /** Ids that are never chosen (the text-only preset suppresses <|box_start|>). */
  readonly suppressed?: readonly number[];
}

/** One sampler serves one run: its random numbers go on from token to token. */
export function createSampler(sampling: Sampling, options: SamplerOptions = {}): Sampler {
  const random = seededRandom(sampling.seed);
  const suppressed = options.suppressed ?? [];
  const process = (logits: Float32Array, context: Iterable<number>): Float32Array => {
    const scores = Float32Array.from(logits);
    penaliseRepetition(scores, context, sampling.repetitionPenalty);
    suppress(scores, suppressed);
    return scores;
  };
  const pick = (scores: Float32Array): number => {
    const best = firstMaximum(scores);
    if (sampling.temperature === 0) return best;
    applyTemperature(scores, sampling.temperature);
    // A temperature so small that scores overflow means greedy.
    if (!Number.isFinite(scores[best]!)) return best;
    keepTopK(scores, sampling.topK);
    keepTopP(scores, sampling.topP);
    return draw(scores, random());
  };
  return {
    next(logits, context) {
      const untouched = sampling.repetitionPenalty === 1 && suppressed.length === 0;
      const greedy = sampling.temperature === 0;
      const id = greedy && untouched ? firstMaximum(logits) : pick(process(logits, context));
      return { id, logprob: logProbability(logits, id) };
    },
  };
}

/** log softmax(logits)[id] in float64. */
export function logProbability(logits: Float32Array, id: number): number {
  return logits[id]! - logSumExp(logits);
}

/** The `count` most likely tokens by the unprocessed logits, best first; ties in order of id. */
export function topAlternatives(logits: Float32Array, count: number): Choice[] {
  const total = logSumExp(logits);
  const best: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    if (best.length === count && !(logits[id]! > logits[best[count - 1]!]!)) continue;
    let at = best.length;
    while (at > 0 && logits[id]! > logits[best[at - 1]!]!) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best.map((id) => ({ id, logprob: logits[id]! - total }));
}

function logSumExp(logits: Float32Array): number {
  const top = logits[firstMaximum(logits)]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - top);
  return top + Math.log(sum);
}

/** Inverse transform sampling over softmax(scores), in order of id. */
function draw(scores: Float32Array, uniform: number): number {
  const top = scores[firstMaximum(scores)]!;
  let total = 0;
  for (let i = 0; i < scores.length; i++) total += Math.exp(scores[i]! - top);
  let left = uniform * total;
  let last = 0;
  for (let i = 0; i < scores.length; i++) {
    const weight = Math.exp(scores[i]! - top);
    if (weight === 0) continue;
    last = i;
    left -= weight;
    if (left < 0) return i;
  }
  return last;
}
