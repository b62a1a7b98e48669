/** The provider ladder: which provider the graphs end up on, how they may be driven there, and why not the others. */
import type { InferenceSession } from 'onnxruntime-node';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { Provider } from '../../../src-contract/run-events.ts';
import { OnnxDecodeContext } from '../decode/decode-context.ts';
import { DeviceKvCache } from '../decode/device-kv-cache.ts';
import { Embedder } from '../decode/embedder.ts';
import { HostKvCache } from '../decode/host-kv-cache.ts';
import { chunksAgree, shortChunk } from './chunk-check.ts';
import { defaultProviders, refusalBeforeLoading } from './providers.ts';
import { type Container, createSession } from './sessions.ts';

export interface FootingOptions {
  /** Tried in this order; undefined for the platform's own ladder. */
  readonly providers: readonly Provider[] | undefined;
  readonly threads: number;
  /** Positions a decoder run, about. */
  readonly chunk: number;
  /** Positions a context at most. */
  readonly limit: number;
  readonly signal?: AbortSignal;
  /** Graphs loaded so far. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Footing {
  readonly provider: Provider;
  readonly refused: readonly { readonly provider: Provider; readonly reason: string }[];
  readonly notes: readonly string[];
  readonly vision: InferenceSession;
  /** A new context; its memory goes back with `release`. */
  readonly context: OnnxDecodeContext;
  release(): Promise<void>;
}

const graphCount = 3;

/** Sessions made so far, given back together. */
class Made {
  readonly sessions: InferenceSession[] = [];

  async add(session: Promise<InferenceSession>): Promise<InferenceSession> {
    const made = await session;
    this.sessions.push(made);
    return made;
  }

  async release(): Promise<void> {
    for (const session of this.sessions.splice(0)) await session.release();
  }
}

/**
 * Tries providers until one runs the model. `create` blocks its thread, so a cancel is heeded between graphs.
 * Throws 'cancelled'; 'engine-out-of-memory' where the last provider lacks memory; 'provider-unavailable' with every
 * reason as detail.
 */
export async function findFooting(container: Container, options: FootingOptions): Promise<Footing> {
  const ladder = options.providers ?? defaultProviders();
  const refused: { provider: Provider; reason: string }[] = [];
  for (const provider of ladder) {
    const { precision } = container.manifest;
    const reason = refusalBeforeLoading(provider, precision, options.providers !== undefined);
    if (reason !== undefined) {
      refused.push({ provider, reason });
      continue;
    }
    const made = new Made();
    try {
      return { ...(await stand(container, provider, options, made)), provider, refused };
    } catch (thrown) {
      await made.release();
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

/** Loads all graphs for one provider and checks what it computes. */
async function stand(
  container: Container,
  provider: Provider,
  options: FootingOptions,
  made: Made,
): Promise<Omit<Footing, 'provider' | 'refused'>> {
  let loaded = 0;
  const load = async (graph: 'embed' | 'decoder' | 'vision', on: Provider) => {
    throwIfAborted(options.signal);
    const session = await made.add(createSession(container, graph, on, options.threads));
    options.onProgress?.(++loaded, graphCount);
    return session;
  };
  // The embedding table is always read on the cpu: its rows meet the image features in this process's memory.
  const embed = await load('embed', 'cpu');
  const decoder = await load('decoder', provider);
  const makeContext = (chunk: number) =>
    newContext(container, provider, embed, decoder, options.limit, chunk);

  const notes: string[] = [];
  let { chunk } = options;
  const trusted = provider === 'cpu' || (await chunksAgree(chunk, container.manifest, makeContext));
  if (!trusted) {
    const what = `attention over long inputs gives wrong numbers on this ${provider} device`;
    // Asked for by name it is still driven, in the ways that are right; on the ladder the next one is better.
    if (options.providers?.length !== 1) throw new ReadroomError('provider-unavailable', what);
    chunk = shortChunk;
    notes.push(`${what}: prompts are read ${chunk} tokens at a time, and images are encoded on the cpu`);
  }
  const vision = await load('vision', trusted ? provider : 'cpu');
  const context = makeContext(chunk);
  return {
    notes,
    vision,
    context,
    async release() {
      context.release();
      await made.release();
    },
  };
}

function newContext(
  { manifest }: Container,
  provider: Provider,
  embed: InferenceSession,
  decoder: InferenceSession,
  limit: number,
  chunk: number,
): OnnxDecodeContext {
  const { architecture, graphs } = manifest;
  const { text, vision, tokens } = architecture;
  const activation = graphs.decoder.activation;
  const Cache = provider === 'webgpu' ? DeviceKvCache : HostKvCache;
  return new OnnxDecodeContext({
    decoder,
    embedder: new Embedder(embed, graphs.embed.activation, text.hidden),
    cache: new Cache(text, activation, limit),
    text,
    activation,
    mergeSize: vision.mergeSize,
    imagePad: tokens.imagePad,
    limit,
    chunk,
  });
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ReadroomError('cancelled', 'Cancelled.');
}

/** What ONNX Runtime said, less where in its sources it said so and which condition was not met. */
function firstLine(text: string): string {
  const line = text.trim().split('\n')[0]!;
  return line.replace(/^\S*onnxruntime\S*\.(?:cc|h):\d+ .*? was false\. /, '').slice(0, 400);
}
