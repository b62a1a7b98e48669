/**
 * The conversation as text and as tokens. The reference renders and tokenises all of it again in every round, so that
 * what the model wrote is read back through the tokenizer; doing the same here is what keeps the tokens equal. It is
 * text only: milliseconds, while the KV cache keeps the work.
 * Source of behaviour: IQuestLab/unireason-med code/inference/unireason_med_infer.py (compact_assistant_delimiter,
 * decode_assistant_text, _generate_with_grounding) at 77f447b.
 */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { ChatMessage, ChatTokenizer, ImageFeatures, Segment } from '../language-model.ts';
import { strip } from './python-text.ts';

const turnStart = '<|im_start|>assistant\n';
const turnEnd = '<|im_end|>';
const videoPad = '<|video_pad|>';
const boundary = `${turnEnd}\n${turnStart}`;

/** Makes one assistant turn of many: only the first boundary before an assistant turn stays. */
export function joinAssistantTurns(text: string): string {
  const first = text.indexOf(boundary);
  if (first < 0) return text;
  const after = first + boundary.length;
  return text.slice(0, after) + text.slice(after).replaceAll(boundary, '');
}

/** The reference's `response`: the assistant's turn out of the whole decoded sequence, special tokens kept. */
export function assistantResponse(sequence: string): string {
  const found = sequence.indexOf(turnStart);
  if (found < 0) return '';
  const start = found + turnStart.length;
  const end = sequence.lastIndexOf(turnEnd);
  return strip(end > start ? sequence.slice(start, end) : sequence.slice(start));
}

/** Grows by one assistant message a round: its words, then the crops that answer its box. */
export class Conversation {
  readonly #tokenizer: ChatTokenizer;
  readonly #messages: ChatMessage[];

  constructor(tokenizer: ChatTokenizer, opening: readonly ChatMessage[]) {
    this.#tokenizer = tokenizer;
    this.#messages = [...opening];
  }

  addRound(text: string, crops: number): void {
    const images = Array.from({ length: crops }, () => ({ type: 'image' as const }));
    this.#messages.push({ role: 'assistant', content: [{ type: 'text', text }, ...images] });
  }

  /** With the header of the assistant's turn, one <|image_pad|> an image. */
  render(): string {
    return joinAssistantTurns(this.#tokenizer.renderChat(this.#messages));
  }

  /**
   * @param features of all images in order of appearance
   * @throws ReadroomError 'input-invalid' when the text spells out <|image_pad|> or <|video_pad|>: the reference raises
   */
  segments(features: readonly ImageFeatures[]): Segment[] {
    const text = this.render();
    const videos = text.split(videoPad).length - 1;
    if (videos > 0) {
      throw new ReadroomError(
        'input-invalid',
        `The text has ${videos} places for videos, and there are none.`,
        {
          remedy: `Remove ${videoPad} from the question.`,
          detail: `ValueError('Found ${videos} ${videoPad} tokens in the text but no videos were passed.')`,
        },
      );
    }
    return this.#tokenizer.toSegments(text, features);
  }
}
