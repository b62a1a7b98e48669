import { describe, expect, it } from 'vitest';
import type { Sampling } from '../../../src-contract/run-events.ts';
import {
  applyTemperature,
  firstMaximum,
  keepTopK,
  keepTopP,
  penaliseRepetition,
} from './logits-processors.ts';
import { seededRandom } from './random.ts';
import { createSampler, logProbability, topAlternatives } from './sampler.ts';

const greedy: Sampling = { temperature: 0, topP: 1, topK: 0, repetitionPenalty: 1, seed: 0 };

function probabilities(scores: Float32Array): number[] {
  const top = Math.max(...scores);
  const weights = [...scores].map((score) => Math.exp(score - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

// Made by transformers 5.23: RepetitionPenalty, Temperature, TopK, TopP processors one after another, then softmax.
const transformersCases = [
  {
    logits: [2.41, 0.52, 0.27, -1.84, 0.14, -4.1, 1.01, 3.03, -4.31, 2.93, 1.57, 3.71],
    ids: [0, 2, 5, 6, 10],
    sampling: { repetitionPenalty: 1.05, temperature: 0.7, topK: 5, topP: 0.9 },
    expected: [0, 0, 0, 0, 0, 0, 0, 0.2217986, 0, 0.1922723, 0, 0.585929],
  },
  {
    logits: [2.82, -1.59, -0.65, 0.4, 1.17, 0.26, -2.71, 1.34, 0.8, 0.19, -0.94, -2.8],
    ids: [0, 2, 1, 9, 7],
    sampling: { repetitionPenalty: 1.3, temperature: 1, topK: 0, topP: 0.5 },
    expected: [0.7309073, 0, 0, 0, 0.2690927, 0, 0, 0, 0, 0, 0, 0],
  },
  {
    // Three scores tie for the fourth place: all of them stay.
    logits: [
      -4.73, 1.52, 0.61, 1.52, -1.24, 2.06, -0.23, -1.27, -0.36, 1.52, -5.86, -3.66, -0.99, -1.27, 1.54,
      -0.06,
    ],
    ids: [13, 14, 1, 1, 1],
    sampling: { repetitionPenalty: 1, temperature: 1.5, topK: 4, topP: 1 },
    expected: [0, 0.1835956, 0, 0.1835956, 0, 0.263153, 0, 0, 0, 0.1835956, 0, 0, 0, 0, 0.18606, 0],
  },
  {
    logits: [-0.17, -4.32, -3.64, 3.28, -1.49, 2.27, -2.04, 2.52],
    ids: [4, 3, 1, 5, 1],
    sampling: { repetitionPenalty: 1.05, temperature: 1, topK: 3, topP: 0.01 },
    expected: [0, 0, 0, 1, 0, 0, 0, 0],
  },
];

describe('logits processors', () => {
  it.each(transformersCases)('gives the distribution of transformers: $sampling', (example) => {
    const scores = Float32Array.from(example.logits);
    penaliseRepetition(scores, example.ids, example.sampling.repetitionPenalty);
    applyTemperature(scores, example.sampling.temperature);
    keepTopK(scores, example.sampling.topK);
    keepTopP(scores, example.sampling.topP);
    for (const [i, p] of probabilities(scores).entries()) expect(p).toBeCloseTo(example.expected[i]!, 5);
  });

  it('keeps the same nucleus with a vocabulary so large that most of it is dropped unsorted', () => {
    const random = seededRandom(9);
    const logits = Float32Array.from({ length: 50_000 }, () => random() * 20);
    const kept = Float32Array.from(logits);
    keepTopP(kept, 0.8);
    const order = [...logits.keys()].sort((a, b) => logits[a]! - logits[b]! || a - b);
    const p = probabilities(logits);
    let removed = 0;
    for (const id of order) {
      removed += p[id]!;
      expect(kept[id] === -Infinity).toBe(removed <= 1 - 0.8);
    }
  });

  it('takes the first of equal maxima, as torch.argmax does', () => {
    expect(firstMaximum(Float32Array.from([1, 3, 2, 3]))).toBe(1);
    expect(firstMaximum(Float32Array.from([-Infinity, -Infinity]))).toBe(0);
  });
});

describe('sampler', () => {
  it('is greedy at temperature 0 and reports the probability of the unprocessed logits', () => {
    const logits = Float32Array.from([1, 2, 1.99]);
    const choice = createSampler({ ...greedy, repetitionPenalty: 1.05 }).next(logits, [1, 1]);
    expect(choice.id).toBe(2);
    expect(choice.logprob).toBeCloseTo(Math.log(probabilities(logits)[2]!), 10);
    expect([...logits]).toEqual([1, 2, Math.fround(1.99)]);
  });

  it('never chooses a suppressed token', () => {
    const logits = Float32Array.from([5, 9, 1]);
    expect(createSampler(greedy, { suppressed: [1] }).next(logits, []).id).toBe(0);
    const sampler = createSampler({ ...greedy, temperature: 50, seed: 3 }, { suppressed: [1] });
    for (let i = 0; i < 200; i++) expect(sampler.next(logits, []).id).not.toBe(1);
  });

  it('repeats itself with one seed and differs with another', () => {
    const logits = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
    const run = (seed: number) => {
      const sampler = createSampler({ ...greedy, temperature: 1, seed });
      return Array.from({ length: 30 }, () => sampler.next(logits, []).id);
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(run(7)).not.toEqual(run(7 + 2 ** 32));
  });

  it('draws in proportion to the probabilities', () => {
    const logits = Float32Array.from([0, 1, -1, 2]);
    const sampler = createSampler({ ...greedy, temperature: 1, seed: 1 });
    const counts = [0, 0, 0, 0];
    const draws = 20_000;
    for (let i = 0; i < draws; i++) counts[sampler.next(logits, []).id]!++;
    for (const [i, p] of probabilities(logits).entries()) {
      expect(Math.abs(counts[i]! / draws - p)).toBeLessThan(0.012);
    }
  });

  it('falls back to the best token when the temperature overflows the scores', () => {
    const sampler = createSampler({ ...greedy, temperature: 1e-45, topP: 0.5, seed: 1 });
    expect(sampler.next(Float32Array.from([1, 5, 2]), []).id).toBe(1);
  });

  it('lists alternatives best first', () => {
    const logits = Float32Array.from([1, 4, 2, 4, 3]);
    const alternatives = topAlternatives(logits, 3);
    expect(alternatives.map((choice) => choice.id)).toEqual([1, 3, 4]);
    expect(alternatives[2]!.logprob).toBeCloseTo(logProbability(logits, 4), 12);
  });
});

describe('random source', () => {
  it('is fixed for good: traces depend on it', () => {
    const random = seededRandom(42);
    expect([random(), random(), random()]).toMatchInlineSnapshot(`
      [
        0.15377165265745885,
        0.018084542542176507,
        0.5348906284683476,
      ]
    `);
  });
});
