/** Generation flags as the engine takes them. */
import type { RunSettings } from '../runs/question-run.ts';
import type { GenerationOptions } from './options.ts';

export function runSettings(options: GenerationOptions): RunSettings {
  const { preset, temperature, topP, topK, seed, maxNewTokens, maxRounds, tokensPerRound } = options;
  return {
    preset,
    sampling: { temperature, topP, topK, seed },
    limits: { maxNewTokens, maxRounds, tokensPerRound },
  };
}
