/**
 * A scripted VisionLanguageModel for tests of the loop and the host: it "reads" characters and says what its script
 * says. Tokens are one character each, special tokens one each, and, so that re-tokenisation can be seen, the pair "ab"
 * encodes to one token though the model may write it as two.
 */
import { createHash } from 'node:crypto';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type {
  ChatMessage,
  ChatTokenizer,
  ImageFeatures,
  Segment,
  VisionLanguageModel,
} from '../language-model.ts';
import { flatIds, splitAtImages } from '../tokenizer/segments.ts';

const specialTexts = [
  '<|im_start|>',
  '<|im_end|>',
  '<|box_start|>',
  '<|box_end|>',
  '<|vision_start|>',
  '<|vision_end|>',
  '<|image_pad|>',
] as const;
export const pairToken = 7;
const firstCharacter = 10;
const vocabSize = 300;

export const fakeSpecials = {
  endOfTurn: 1,
  boxStart: 2,
  boxEnd: 3,
  visionStart: 4,
  visionEnd: 5,
  imagePad: 6,
} as const;

/** Ids as the model would write them: "ab" as two characters. */
export function written(text: string): number[] {
  const ids: number[] = [];
  for (let at = 0; at < text.length; ) {
    const special = specialTexts.findIndex((each) => text.startsWith(each, at));
    ids.push(special >= 0 ? special : firstCharacter + text.charCodeAt(at));
    at += special >= 0 ? specialTexts[special].length : 1;
  }
  return ids;
}

const fakeTokenizer: ChatTokenizer = {
  vocabSize,
  specials: fakeSpecials,
  encode(text) {
    const ids: number[] = [];
    for (const id of written(text)) {
      const pair = id === firstCharacter + 98 && ids.at(-1) === firstCharacter + 97;
      if (pair) ids[ids.length - 1] = pairToken;
      else ids.push(id);
    }
    return ids;
  },
  decode: (ids) => ids.map(textOf).join(''),
  textStream: () => ({ push: textOf, end: () => '' }),
  renderChat(messages: readonly ChatMessage[]) {
    const turns = messages.map(({ role, content }) => {
      const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
      const body = parts.map((part) =>
        part.type === 'text' ? part.text : '<|vision_start|><|image_pad|><|vision_end|>',
      );
      return `<|im_start|>${role}\n${body.join('')}<|im_end|>\n`;
    });
    return `${turns.join('')}<|im_start|>assistant\n`;
  },
  toSegments(text, images) {
    return splitAtImages(this.encode(text), fakeSpecials.imagePad, images);
  },
};

function textOf(id: number): string {
  if (id === pairToken) return 'ab';
  return id < firstCharacter ? specialTexts[id] : String.fromCharCode(id - firstCharacter);
}

export interface FakeOptions {
  /** What the model says, round by round; after the last it repeats 'x'. The text of a round ends at its stop token. */
  readonly script: readonly string[];
  readonly contextLimit?: number;
  /** Called before each decoder step, e.g. to cancel, to wait, or to throw. */
  readonly onStep?: (step: number) => void | Promise<void>;
  readonly repetitionPenalty?: number;
}

export interface FakeModel extends VisionLanguageModel {
  /** What was done, for assertions. */
  readonly log: { encoded: number; prompts: { length: number; reused: number }[]; appended: number[][] };
}

/** Images are processed to their own size rounded up to 28; an image is one token a 28 x 28 square. */
export function createFakeModel({
  script,
  contextLimit = 100_000,
  onStep,
  repetitionPenalty = 1,
}: FakeOptions): FakeModel {
  const log: FakeModel['log'] = { encoded: 0, prompts: [], appended: [] };
  const queue = script.map((text) => written(text));
  let cache: string[] = [];
  let ids: number[] = [];
  let round = -1;
  let step = 0;

  const upTo28 = (side: number): number => Math.max(28, Math.ceil(side / 28) * 28);
  /** One-hot logits for what the script says next. */
  const speak = (): Float32Array => {
    const logits = new Float32Array(vocabSize);
    logits[queue[round]?.shift() ?? firstCharacter + 120] = 20;
    return logits;
  };
  const keysOf = (segments: readonly Segment[]): string[] =>
    segments.flatMap((segment) =>
      segment.kind === 'tokens'
        ? segment.ids.map(String)
        : Array.from({ length: segment.features.tokens }, () => segment.features.key),
    );
  const check = (length: number): void => {
    if (length > contextLimit) throw new ReadroomError('context-too-long', 'The context is full.');
  };

  return {
    log,
    info: {
      modelHash: 'f'.repeat(64),
      name: 'fake',
      precision: 'fp32',
      provider: 'cpu',
      refused: [{ provider: 'webgpu', reason: 'there is none' }],
      notes: [],
      parameters: 1,
      contextLimit,
    },
    tokenizer: fakeTokenizer,
    imageProcessor: {
      type: 'FakeImageProcessor',
      processedSize: (width, height) => ({ width: upTo28(width), height: upTo28(height) }),
      referenceAlignedSize: (width, height) => ({ width: upTo28(width), height: upTo28(height) }),
    },
    generation: { repetitionPenalty, topK: 50 },
    context: {
      get length() {
        return cache.length;
      },
      get ids() {
        return ids;
      },
      async append(segments, hooks) {
        if (hooks?.signal?.aborted) throw new ReadroomError('cancelled', 'The run was cancelled.');
        await onStep?.(step++);
        check(cache.length + keysOf(segments).length);
        cache.push(...keysOf(segments));
        ids.push(...flatIds(segments, fakeSpecials.imagePad));
        log.appended.push(flatIds(segments, fakeSpecials.imagePad));
        return speak();
      },
      async setPrompt(segments, hooks) {
        if (hooks?.signal?.aborted) throw new ReadroomError('cancelled', 'The run was cancelled.');
        const wanted = keysOf(segments);
        check(wanted.length);
        let reused = 0;
        while (reused < wanted.length - 1 && cache[reused] === wanted[reused]) reused++;
        cache = wanted;
        ids = flatIds(segments, fakeSpecials.imagePad);
        round++;
        log.prompts.push({ length: wanted.length, reused });
        return { logits: speak(), reused };
      },
      rewind(length) {
        cache.length = length;
        ids.length = length;
      },
    },
    async encodeImages(images) {
      log.encoded += images.length;
      const features = images.map((image): ImageFeatures => {
        const tokens = (upTo28(image.width) / 28) * (upTo28(image.height) / 28);
        const key = createHash('sha256')
          .update(`${image.width}x${image.height}`)
          .update(image.data)
          .digest('hex');
        return { gridHeight: 2, gridWidth: tokens * 2, tokens, data: new Float32Array(tokens), key };
      });
      return { features, cached: 0 };
    },
    async release() {},
  };
}
