/**
 * The seam between the grounded loop (engine/grounding) and what runs the network (engine/decode, engine/vision,
 * engine/tokenizer). The loop knows tokens, images and logits; it knows nothing of ONNX Runtime.
 */
import type { Precision, Provider } from '../../src-contract/run-events.ts';

/** 8-bit pixels, row by row, channels interleaved: data.length === width * height * channels. */
export interface ImagePixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** Vision tokens of one image: `data` is [tokens, hidden] row-major; tokens = gridHeight * gridWidth / merge^2. */
export interface ImageFeatures {
  /** Patch grid (patches of 14 px), before the 2x2 merge: image_grid_thw = [1, gridHeight, gridWidth]. */
  readonly gridHeight: number;
  readonly gridWidth: number;
  readonly tokens: number;
  readonly data: Float32Array;
  /** Identifies the image: equal keys mean equal features, which is what prefix matching compares. */
  readonly key: string;
}

/** A piece of the context. Images carry only their <|image_pad|> run; vision_start / vision_end are tokens. */
export type Segment =
  | { readonly kind: 'tokens'; readonly ids: readonly number[] }
  | { readonly kind: 'image'; readonly features: ImageFeatures };

export interface StepHooks {
  /** Checked between tokens and between prefill chunks; aborting throws ReadroomError 'cancelled'. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** The KV cache and the position bookkeeping of one sequence (batch 1). */
export interface DecodeContext {
  /** Positions in the cache. */
  readonly length: number;
  /** Token ids in the cache, <|image_pad|> repeated for image positions (what HF calls input_ids). */
  readonly ids: readonly number[];
  /**
   * Appends and returns the logits [vocab] after the last position. Prefill is chunked; a cancel between chunks leaves
   * the cache at a whole chunk, less an image that was cut in two. Throws 'context-too-long' before touching the cache when it would not fit.
   */
  append(segments: readonly Segment[], hooks?: StepHooks): Promise<Float32Array>;
  /**
   * Makes the cache hold exactly `segments`, keeping the longest common prefix that is there (equal ids, equal image
   * keys), and returns the logits after the last position and how many positions were reused.
   * At least the last position is always computed.
   */
  setPrompt(
    segments: readonly Segment[],
    hooks?: StepHooks,
  ): Promise<{ logits: Float32Array; reused: number }>;
  /** Drops everything after the first `length` positions. RangeError when longer than the cache or inside an image. */
  rewind(length: number): void;
}

/** Text that becomes certain with each token; all pieces and `end()` joined equal `decode` of all ids. */
export interface TextStream {
  /** '' while a multi-byte character is incomplete. */
  push(id: number): string;
  /** U+FFFD for a character that never became complete, else ''. */
  end(): string;
}

/** The checkpoint's tokenizer and chat template. */
export interface ChatTokenizer {
  readonly vocabSize: number;
  readonly specials: {
    readonly endOfTurn: number;
    readonly boxStart: number;
    readonly boxEnd: number;
    readonly visionStart: number;
    readonly visionEnd: number;
    readonly imagePad: number;
  };
  encode(text: string): number[];
  /** Special tokens kept, no clean-up of spaces: the reference's batch_decode(skip_special_tokens=False). */
  decode(ids: readonly number[]): string;
  /** A decoder for one growing sequence: what RunEvent 'token' calls text. */
  textStream(): TextStream;
  /** Chat template with add_generation_prompt=true, as text; every image is one <|image_pad|> in vision brackets. */
  renderChat(messages: readonly ChatMessage[]): string;
  /** Splits rendered text into segments, one image segment a <|image_pad|>, in order. */
  toSegments(text: string, images: readonly ImageFeatures[]): Segment[];
}

export type ChatContent = { readonly type: 'text'; readonly text: string } | { readonly type: 'image' };
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string | readonly ChatContent[];
}

/** What the checkpoint's preprocessor_config.json says of resizing; sizes in pixels. */
export interface ImageProcessor {
  /** E.g. 'Qwen2VLImageProcessor' (PIL) or 'Qwen2VLImageProcessorFast' (torchvision). Named in the trace. */
  readonly type: string;
  /** The model's own resize: multiples of patch * merge within min/max pixels. */
  processedSize(width: number, height: number): { width: number; height: number };
  /** Of the image that crops are cut from: the same, but for images with a side shorter than patch * merge. */
  referenceAlignedSize(width: number, height: number): { width: number; height: number };
}

export interface GenerationDefaults {
  readonly repetitionPenalty: number;
  /** top_k that generate() would use when sampling: the checkpoint's, else 50. */
  readonly topK: number;
}

export interface ModelInfo {
  /** sha256 over the source checkpoint, from the container's manifest. */
  readonly modelHash: string;
  readonly name: string;
  readonly precision: Precision;
  readonly provider: Provider;
  /** Why each provider before the chosen one was refused. */
  readonly refused: readonly { readonly provider: Provider; readonly reason: string }[];
  /** What else a reader of a trace should know of how the model is run; usually empty. */
  readonly notes: readonly string[];
  readonly parameters: number;
  readonly contextLimit: number;
}

export interface VisionLanguageModel {
  readonly info: ModelInfo;
  readonly tokenizer: ChatTokenizer;
  readonly imageProcessor: ImageProcessor;
  readonly generation: GenerationDefaults;
  readonly context: DecodeContext;
  /**
   * Resizes (bicubic), normalises and encodes. Images of one processed size run as one batch; results of earlier calls
   * are reused by pixel hash, unless `fresh` (benches measure the reference's algorithm, which encodes every time).
   * `cached` counts images that needed no work.
   */
  encodeImages(
    images: readonly ImagePixels[],
    hooks?: StepHooks & { readonly fresh?: boolean },
  ): Promise<{ features: ImageFeatures[]; cached: number }>;
  /** Frees sessions and caches. */
  release(): Promise<void>;
}
