/** From a container folder to a model that answers: files, memory, provider ladder, sessions, tokenizer, processor. */
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { Provider } from '../../../src-contract/run-events.ts';
import { verifyContainer } from '../../checkpoint/verify.ts';
import { OnnxDecodeContext } from '../decode/decode-context.ts';
import { DeviceKvCache } from '../decode/device-kv-cache.ts';
import { Embedder } from '../decode/embedder.ts';
import { loadGenerationDefaults } from '../decode/generation-defaults.ts';
import { HostKvCache } from '../decode/host-kv-cache.ts';
import type { KvCache } from '../decode/kv-cache.ts';
import type { ModelInfo, VisionLanguageModel } from '../language-model.ts';
import { loadChatTokenizer } from '../tokenizer/chat-tokenizer.ts';
import { VisionEncoder } from '../vision/encoder.ts';
import { QwenImageProcessor } from '../vision/image-processor.ts';
import { chunkThatWorks } from './chunk-check.ts';
import { contextLimit } from './memory.ts';
import { defaultProviders, refusalBeforeLoading } from './providers.ts';
import { type Container, createSessions, releaseSessions, type Sessions } from './sessions.ts';
import { physicalCores } from './threads.ts';

export interface OpenOptions {
  /** Tried in this order; the platform's own ladder when left out. Only what is listed is tried. */
  readonly providers?: readonly Provider[];
  /** Threads of the cpu provider; one a physical core when left out. */
  readonly threads?: number;
  /** Positions a decoder run at most. */
  readonly chunk?: number;
  /** Bytes of vision tokens kept for later questions. */
  readonly featureCacheBytes?: number;
  readonly signal?: AbortSignal;
  /** Graphs loaded so far. */
  readonly onProgress?: (done: number, total: number) => void;
}

const defaultChunk = 256;
/** 32 slices of a 7B model are 37 MB. */
const defaultFeatureCacheBytes = 256e6;

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

  const { provider, refused, sessions } = await climb({ folder, manifest }, options);
  const { architecture, graphs } = manifest;
  const { text, vision } = architecture;
  const activation = graphs.decoder.activation;
  const caches: KvCache[] = [];
  const makeContext = (chunk: number): OnnxDecodeContext => {
    const cache =
      provider === 'webgpu'
        ? new DeviceKvCache(text, activation, limit)
        : new HostKvCache(text, activation, limit);
    caches.push(cache);
    return new OnnxDecodeContext({
      decoder: sessions.decoder,
      embedder: new Embedder(sessions.embed, graphs.embed.activation, text.hidden),
      cache,
      text,
      activation,
      mergeSize: vision.mergeSize,
      imagePad: architecture.tokens.imagePad,
      limit,
      chunk,
    });
  };
  const wanted = options.chunk ?? defaultChunk;
  const notes: string[] = [];
  let chunk = wanted;
  try {
    if (provider !== 'cpu') {
      chunk = await chunkThatWorks(wanted, text.vocab, makeContext);
      for (const cache of caches.splice(0)) cache.release();
      if (chunk < wanted) {
        notes.push(
          `long runs give wrong results on this ${provider} device: prompts are read ${chunk} tokens at a time`,
        );
      }
    }
  } catch (thrown) {
    await releaseSessions(sessions);
    throw thrown;
  }
  const encoder = new VisionEncoder({
    session: sessions.vision,
    processor,
    vision,
    activation: graphs.vision.activation,
    cacheBytes: options.featureCacheBytes ?? defaultFeatureCacheBytes,
  });
  const info: ModelInfo = {
    modelHash: manifest.source.sha256,
    name: manifest.source.name,
    precision: manifest.precision,
    provider,
    refused,
    notes,
    parameters: manifest.parameters,
    contextLimit: limit,
  };
  return {
    info,
    tokenizer,
    imageProcessor: processor,
    generation,
    context: makeContext(chunk),
    encodeImages: (images, hooks) => encoder.encode(images, hooks),
    async release() {
      encoder.release();
      for (const cache of caches) cache.release();
      await releaseSessions(sessions);
    },
  };
}

interface Footing {
  readonly provider: Provider;
  readonly refused: { readonly provider: Provider; readonly reason: string }[];
  readonly sessions: Sessions;
}

/** Tries providers until one loads all graphs; keeps the reason of every refusal. */
async function climb(container: Container, options: OpenOptions): Promise<Footing> {
  const ladder = options.providers ?? defaultProviders();
  const chosen = options.providers !== undefined;
  const refused: Footing['refused'] = [];
  for (const provider of ladder) {
    const reason = refusalBeforeLoading(provider, container.manifest.precision, chosen);
    if (reason !== undefined) {
      refused.push({ provider, reason });
      continue;
    }
    try {
      const sessions = await createSessions(container, {
        provider,
        threads: options.threads ?? physicalCores(),
        signal: options.signal,
        onProgress: options.onProgress,
      });
      return { provider, refused, sessions };
    } catch (thrown) {
      const error = toReadroomError(thrown);
      // On the last rung memory is the answer; above it, a device's small memory is no reason to give up.
      const last = provider === ladder[ladder.length - 1];
      if (error.code === 'cancelled' || (last && error.code === 'engine-out-of-memory')) throw error;
      refused.push({ provider, reason: firstLine(error.detail ?? error.message) });
    }
  }
  throw new ReadroomError(
    'provider-unavailable',
    `The model can not run on ${ladder.join(', ') || 'no provider'} here.`,
    {
      detail: refused.map(({ provider, reason }) => `${provider}: ${reason}`).join('\n'),
      remedy: 'Choose the provider cpu: it works everywhere.',
    },
  );
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]!.slice(0, 400);
}
