/** What transformers' `generate()` takes from generation_config.json when the caller does not say. */
import { z } from 'zod';
import type { GenerationDefaults } from '../language-model.ts';
import { readChecked, readOptional } from '../tokenizer/tokenizer-files.ts';

const generationConfigSchema = z.looseObject({
  repetition_penalty: z.number().positive().nullish(),
  top_k: z.number().int().min(0).nullish(),
});

/**
 * The repetition penalty holds for greedy runs too: the reference passes none, so the checkpoint's applies in every
 * round. Without the file, or without the fields, the library's own defaults: 1 and 50.
 * Throws 'checkpoint-malformed' naming the field.
 */
export async function loadGenerationDefaults(folder: string): Promise<GenerationDefaults> {
  const present = (await readOptional(folder, 'generation_config.json')) !== undefined;
  const config = present ? await readChecked(folder, 'generation_config.json', generationConfigSchema) : {};
  return { repetitionPenalty: config.repetition_penalty ?? 1, topK: config.top_k ?? 50 };
}
