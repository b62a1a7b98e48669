/** One round: tokens until the model closes a box, ends its turn, or has no room left. One call of generate(). */
import { setImmediate as nextTick } from 'node:timers/promises';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { VisionLanguageModel } from '../language-model.ts';
import type { TokenSource } from './token-source.ts';

export type RoundEnd = 'box-end' | 'end-of-turn' | 'round-token-limit' | 'token-limit';

export interface RoundInput {
  readonly model: VisionLanguageModel;
  readonly tokens: TokenSource;
  /** Ids in the cache, <|image_pad|> repeated. */
  readonly prompt: readonly number[];
  /** Logits after the prompt. */
  readonly firstLogits: Float32Array;
  /** Tokens this round may have, and what it is called when they are used up. */
  readonly room: number;
  readonly atRoom: RoundEnd;
  readonly signal: AbortSignal;
  readonly onToken: (id: number, logprob: number, text: string) => void;
  /** A token went through the decoder. The last token of a round does not: nothing asks what follows it. */
  readonly onStep: () => void;
}

/**
 * @throws ReadroomError 'cancelled', 'context-too-long' (the context is full), 'engine-failed' (logits are no numbers)
 */
export async function generateRound(input: RoundInput): Promise<RoundEnd> {
  const { model, tokens, signal, room } = input;
  const { endOfTurn, boxEnd } = model.tokenizer.specials;
  const stream = model.tokenizer.textStream();
  const context = [...input.prompt];
  let logits = input.firstLogits;
  for (let taken = 1; taken <= room; taken++) {
    if (signal.aborted) throw new ReadroomError('cancelled', 'The run was cancelled.');
    const choice = tokens.next(logits, context);
    if (choice === null) return 'token-limit';
    const { id, logprob } = choice;
    if (!Number.isFinite(logprob)) {
      throw new ReadroomError('engine-failed', "The model's output is not a number.", {
        remedy: 'Use another precision (fp32) or another provider.',
      });
    }
    context.push(id);
    const last = id === endOfTurn || id === boxEnd || taken === room;
    input.onToken(id, logprob, stream.push(id) + (last ? stream.end() : ''));
    // Lets a cancel come in and events go out: ONNX Runtime holds the thread while it works.
    await nextTick();
    if (id === endOfTurn) return 'end-of-turn';
    if (id === boxEnd) return 'box-end';
    if (last) break;
    logits = await model.context.append([{ kind: 'tokens', ids: [id] }], { signal });
    input.onStep();
  }
  return input.atRoom;
}
