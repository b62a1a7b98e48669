/** Work that every question on a study shares, done before the first one is asked. */
import type { EngineParams } from '../../../src-contract/engine-protocol.ts';
import type { VisionLanguageModel } from '../language-model.ts';
import { flatIds } from '../tokenizer/segments.ts';
import { Conversation } from './conversation.ts';
import { openingMessages, systemPrompts } from './prompts.ts';

/**
 * Encodes the images and prefills the prompt up to the end of the last one.
 * @returns positions in the cache, and how many of them were there already
 * @throws ReadroomError 'cancelled', 'context-too-long'
 */
export async function preparePrompt(
  model: VisionLanguageModel,
  { mode, images, systemPrompt = systemPrompts[mode] }: EngineParams<'prepare'>,
  signal: AbortSignal,
): Promise<{ tokens: number; reused: number }> {
  const { features } = await model.encodeImages(images, { signal });
  const opening = openingMessages(systemPrompt, images.length, '');
  const segments = new Conversation(model.tokenizer, opening).segments(features);
  const lastImage = segments.findLastIndex((segment) => segment.kind === 'image');
  const shared = segments.slice(0, lastImage + 1);
  const { reused } = await model.context.setPrompt(shared, { signal });
  return { tokens: flatIds(shared, model.tokenizer.specials.imagePad).length, reused };
}
