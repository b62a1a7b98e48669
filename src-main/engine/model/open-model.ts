/** From a container folder to a model that answers: files, memory, provider ladder, sessions, tokenizer, processor. */
import type { Provider } from '../../../src-contract/run-events.ts';
import { verifyContainer } from '../../checkpoint/verify.ts';
import { loadGenerationDefaults } from '../decode/generation-defaults.ts';
import type { ModelInfo, VisionLanguageModel } from '../language-model.ts';
import { loadChatTokenizer } from '../tokenizer/chat-tokenizer.ts';
import { VisionEncoder } from '../vision/encoder.ts';
import { QwenImageProcessor } from '../vision/image-processor.ts';
import { findFooting } from './footing.ts';
import { contextLimit } from './memory.ts';
import { physicalCores } from './threads.ts';

export interface OpenOptions {
  /** Tried in this order; the platform's own ladder when left out. Only what is listed is tried. */
  readonly providers?: readonly Provider[];
  /** Threads of the cpu provider; one a physical core when left out. */
  readonly threads?: number;
  /** Positions a decoder run, about. */
  readonly chunk?: number;
  /** Bytes of vision tokens kept for later questions. */
  readonly featureCacheBytes?: number;
  readonly signal?: AbortSignal;
  /** Graphs loaded so far; begins again where the next provider is tried. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** 32 slices of a 7B model are 37 MB. */
const defaultFeatureCacheBytes = 256e6;

/**
 * Positions a decoder run. Longer ones are quicker (784 positions of 252 M parameters, ms of processor time: 2,080 in
 * pieces of 256, 1,920 in two of 392, 1,870 in one; int4 1,900, 1,740, 1,600), but a cancel waits for them: a 7B on two
 * cores takes a quarter of a minute for 256. Decided by the model and not by its speed, so that a run can be repeated.
 */
function chunkFor(parameters: number): number {
  return parameters > 1e9 ? 256 : 512;
}

/**
 * Opens a container.
 * Throws 'container-incomplete', 'container-malformed', 'checkpoint-*' for its files; 'engine-out-of-memory' before
 * loading what can't fit; 'provider-unavailable' with every refusal in `detail` when no provider works; 'cancelled'.
 */
export async function openModel(folder: string, options: OpenOptions = {}): Promise<VisionLanguageModel> {
  const manifest = await verifyContainer(folder);
  const tokenizer = await loadChatTokenizer(folder);
  const processor = await QwenImageProcessor.load(folder);
  const generation = await loadGenerationDefaults(folder);
  const limit = contextLimit(manifest);
  const footing = await findFooting(
    { folder, manifest },
    {
      providers: options.providers,
      threads: options.threads ?? physicalCores(),
      chunk: options.chunk ?? chunkFor(manifest.parameters),
      limit,
      signal: options.signal,
      onProgress: options.onProgress,
    },
  );
  const encoder = new VisionEncoder({
    session: footing.vision,
    processor,
    vision: manifest.architecture.vision,
    activation: manifest.graphs.vision.activation,
    cacheBytes: options.featureCacheBytes ?? defaultFeatureCacheBytes,
  });
  const info: ModelInfo = {
    modelHash: manifest.source.sha256,
    name: manifest.source.name,
    precision: manifest.precision,
    provider: footing.provider,
    refused: footing.refused,
    notes: footing.notes,
    parameters: manifest.parameters,
    contextLimit: limit,
  };
  return {
    info,
    tokenizer,
    imageProcessor: processor,
    generation,
    context: footing.context,
    encodeImages: (images, hooks) => encoder.encode(images, hooks),
    async release() {
      encoder.release();
      await footing.release();
    },
  };
}
