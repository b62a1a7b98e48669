/**
 * The WebAssembly codecs, behind one function. They run in a worker that is ended when a frame takes too long: CharLS,
 * for one, can be made to count to 2^31 by a stream that is cut at the right byte.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { codecWorkerSource } from './codec-worker-source.ts';

interface CodecFrame {
  width: number;
  height: number;
  bitsPerSample: number;
  componentCount: number;
}

export interface CodecResult {
  bytes: Uint8Array;
  frame: CodecFrame;
  /** JPEG-LS: 0 planes, 1 lines, 2 pixels. */
  interleave: number;
}

const codecs = {
  'jpeg-8-bit': { path: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs', decoder: 'JPEGDecoder' },
  'jpeg-ls': { path: '@cornerstonejs/codec-charls/decodewasmjs', decoder: 'JpegLSDecoder' },
  'jpeg-2000': { path: '@cornerstonejs/codec-openjpeg/decodewasmjs', decoder: 'J2KDecoder' },
  'ht-jpeg-2000': { path: '@cornerstonejs/codec-openjph/wasmjs', decoder: 'HTJ2KDecoder' },
} as const;

export type CodecName = keyof typeof codecs;

/** Memory that a codec keeps between frames; beyond it, the module is dropped. */
const maxKeptBytes = 128 * 1024 ** 2;

/** Milliseconds for a frame: a tenth of the speed that the slowest codec has on an old machine. */
function deadline(samples: number): number {
  return 1000 + samples / 4000;
}

/** On a machine that is busy with other things, waiting is not working: this much longer, and no more. */
const patience = 60;

// Not named "require": electron-vite puts a declaration of that name on top of the bundle.
const requireFromHere = createRequire(import.meta.url);

/** Decodes one frame of `samples` samples. Throws Error with the codec's own words when it can't. */
export function runCodec(name: CodecName, encoded: Uint8Array, samples: number): Promise<CodecResult> {
  // One after the other: frames share the worker, and a late one must not use up the time of the next.
  const result = queue.then(() => runNow(name, encoded, samples));
  queue = result.then(
    () => {},
    () => {},
  );
  return result;
}

let queue: Promise<void> = Promise.resolve();
let current: CodecWorker | undefined;

async function runNow(name: CodecName, encoded: Uint8Array, samples: number): Promise<CodecResult> {
  current ??= new CodecWorker();
  const worker = current;
  try {
    return await worker.decode(name, encoded, deadline(samples));
  } catch (thrown) {
    // An error that the codec reported leaves the worker sound; anything else does not.
    if (!(thrown instanceof CodecError)) {
      worker.end();
      if (current === worker) current = undefined;
    }
    throw thrown;
  }
}

/** A frame that the codec refused. */
class CodecError extends Error {}

type Answer = { ready: true } | { id: number; error: string } | ({ id: number } & CodecResult);

/** One worker with one frame in it at a time. */
class CodecWorker {
  readonly #worker = new Worker(codecWorkerSource, { eval: true, workerData: { maxKeptBytes } });
  readonly #ready: Promise<void>;
  #settle: { resolve(answer: CodecResult): void; reject(error: Error): void } | undefined;
  #lastId = 0;

  constructor() {
    this.#ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (answer: Answer) => {
        if ('ready' in answer) resolve();
        else if (answer.id !== this.#lastId) return;
        else if ('error' in answer) this.#settle?.reject(new CodecError(answer.error));
        else this.#settle?.resolve(answer);
      });
      const fail = (why: Error) => {
        reject(why);
        this.#settle?.reject(why);
      };
      this.#worker.on('error', fail);
      this.#worker.on('exit', () => fail(new Error('the codec ended its worker')));
    });
    // Told to the first caller that waits; without a caller it is nobody's concern.
    this.#ready.catch(() => {});
  }

  async decode(name: CodecName, encoded: Uint8Array, milliseconds: number): Promise<CodecResult> {
    this.#worker.ref();
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.#ready;
      const { path, decoder } = codecs[name];
      const copy = Uint8Array.from(encoded);
      return await new Promise<CodecResult>((resolve, reject) => {
        this.#settle = { resolve, reject };
        const started = performance.now();
        const before = process.cpuUsage();
        timer = setInterval(() => {
          const { user, system } = process.cpuUsage(before);
          // Both clocks: processor time alone would count what other threads of this process do.
          const elapsed = performance.now() - started;
          const worked = Math.min(elapsed, (user + system) / 1000);
          if (worked < milliseconds && elapsed < milliseconds * patience) return;
          reject(new Error('the codec did not come to an end'));
        }, 100);
        const request = { id: ++this.#lastId, path: requireFromHere.resolve(path), decoder, encoded: copy };
        this.#worker.postMessage(request, [copy.buffer]);
      });
    } finally {
      clearInterval(timer);
      this.#settle = undefined;
      // Waiting for work must not keep the program from ending.
      this.#worker.unref();
    }
  }

  end(): void {
    void this.#worker.terminate();
  }
}
