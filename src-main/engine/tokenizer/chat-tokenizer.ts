/**
 * The checkpoint's tokenizer and chat template behind the seam `ChatTokenizer`: encoding by @huggingface/tokenizers
 * (pure JavaScript), decoding by our own byte decoder, which is exact where the library is not (ids past the
 * vocabulary, which padded embeddings can produce, and characters spread over tokens around special tokens).
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { ChatMessage, ChatTokenizer, ImageFeatures, Segment, TextStream } from '../language-model.ts';
import { ByteDecoder } from './byte-decoder.ts';
import { type ChatTemplate, loadChatTemplate } from './chat-template.ts';
import { splitAtImages } from './segments.ts';
import {
  readChecked,
  type TokenizerConfig,
  textOfToken,
  tokenizerConfigSchema,
  tokenizerFileSchema,
} from './tokenizer-files.ts';

/** Names as the released Qwen2.5-VL tokenizers have them; the end of turn is whatever the config calls eos. */
const specialNames = {
  boxStart: '<|box_start|>',
  boxEnd: '<|box_end|>',
  visionStart: '<|vision_start|>',
  visionEnd: '<|vision_end|>',
  imagePad: '<|image_pad|>',
} as const;
const defaultEndOfTurn = '<|im_end|>';

/**
 * Loads tokenizer.json, tokenizer_config.json and the chat template of a folder (checkpoint or container).
 * Throws 'checkpoint-missing-file', 'checkpoint-malformed', or 'checkpoint-unsupported' naming the token or field.
 */
export async function loadChatTokenizer(folder: string): Promise<ChatTokenizer> {
  const config = await readChecked(folder, 'tokenizer_config.json', tokenizerConfigSchema);
  const file = await readChecked(folder, 'tokenizer.json', tokenizerFileSchema);
  if (file.decoder?.type !== 'ByteLevel') {
    throw new ReadroomError(
      'checkpoint-unsupported',
      'tokenizer.json: only byte-level tokenizers are supported.',
      {
        file: 'tokenizer.json',
        field: 'decoder.type',
        detail: `found ${file.decoder?.type ?? 'none'}`,
      },
    );
  }
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(file, config);
  } catch (thrown) {
    throw new ReadroomError('checkpoint-malformed', 'tokenizer.json can not be used.', {
      file: 'tokenizer.json',
      detail: toReadroomError(thrown).message,
    });
  }
  let vocabSize = 0;
  for (const id of Object.values(file.model.vocab)) vocabSize = Math.max(vocabSize, id + 1);
  for (const token of file.added_tokens) vocabSize = Math.max(vocabSize, token.id + 1);
  return new ByteLevelChatTokenizer(tokenizer, vocabSize, config, await loadChatTemplate(folder, config));
}

class ByteLevelChatTokenizer implements ChatTokenizer {
  readonly vocabSize: number;
  readonly specials: ChatTokenizer['specials'];
  readonly #tokenizer: Tokenizer;
  readonly #template: ChatTemplate;
  readonly #decoder: ByteDecoder;

  constructor(tokenizer: Tokenizer, vocabSize: number, config: TokenizerConfig, template: ChatTemplate) {
    this.#tokenizer = tokenizer;
    this.vocabSize = vocabSize;
    this.#template = template;
    this.#decoder = new ByteDecoder((id) => tokenizer.id_to_token(id));
    const idOf = (name: string): number => {
      const id = tokenizer.token_to_id(name);
      if (id !== undefined) return id;
      throw new ReadroomError('checkpoint-unsupported', `The tokenizer has no token ${name}.`, {
        file: 'tokenizer.json',
        field: name,
        remedy: 'Use a checkpoint with the Qwen2.5-VL special tokens.',
      });
    };
    this.specials = {
      endOfTurn: idOf(textOfToken(config.eos_token) ?? defaultEndOfTurn),
      boxStart: idOf(specialNames.boxStart),
      boxEnd: idOf(specialNames.boxEnd),
      visionStart: idOf(specialNames.visionStart),
      visionEnd: idOf(specialNames.visionEnd),
      imagePad: idOf(specialNames.imagePad),
    };
  }

  encode(text: string): number[] {
    return text === '' ? [] : this.#tokenizer.encode(text).ids;
  }

  decode(ids: readonly number[]): string {
    return this.#decoder.decode(ids);
  }

  textStream(): TextStream {
    return this.#decoder.stream();
  }

  renderChat(messages: readonly ChatMessage[]): string {
    return this.#template(messages);
  }

  toSegments(text: string, images: readonly ImageFeatures[]): Segment[] {
    return splitAtImages(this.encode(text), this.specials.imagePad, images);
  }
}
