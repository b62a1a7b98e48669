import type { ModelFacts } from '../../../src-contract/run-events.ts';
import type { VisionLanguageModel } from '../language-model.ts';

/** What events, traces and `info` say of a model. */
export function modelFacts(model: VisionLanguageModel): ModelFacts {
  const { info, generation, imageProcessor } = model;
  return {
    modelHash: info.modelHash,
    name: info.name,
    precision: info.precision,
    provider: info.provider,
    refused: info.refused.map(({ provider, reason }) => ({ provider, reason })),
    notes: [...info.notes],
    parameters: info.parameters,
    contextLimit: info.contextLimit,
    imageProcessor: imageProcessor.type,
    generation: { repetitionPenalty: generation.repetitionPenalty, topK: generation.topK },
  };
}
