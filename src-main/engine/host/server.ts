/** The child's side of the engine protocol (rules in src-contract/engine-protocol.ts): one model, one call at a time. */
import type { z } from 'zod';
import {
  type ChildMessage,
  type EngineMethod,
  type EngineResult,
  engineMethodSchema,
  engineMethods,
  engineProtocolVersion,
  type LoadParams,
  parentMessageSchema,
} from '../../../src-contract/engine-protocol.ts';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { RunEvent } from '../../../src-contract/run-events.ts';
import { runGrounded } from '../grounding/loop.ts';
import { modelFacts } from '../grounding/model-facts.ts';
import { preparePrompt } from '../grounding/prepare.ts';
import { Stopwatch } from '../grounding/stopwatch.ts';
import type { VisionLanguageModel } from '../language-model.ts';
import { engineError } from '../model/session-run.ts';
import type { ParentPort } from './transport.ts';

/** Opens a container; the server's only way to a model. */
export type OpenModel = (
  params: LoadParams,
  hooks: { readonly signal: AbortSignal; readonly onProgress: (done: number, total: number) => void },
) => Promise<VisionLanguageModel>;

/** Params after the schema has filled in the defaults. */
type Checked<M extends EngineMethod> = z.output<(typeof engineMethods)[M]['params']>;

interface CallContext {
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

type Handlers = { [M in EngineMethod]: (params: Checked<M>, call: CallContext) => Promise<EngineResult<M>> };

/** A call that is not answered yet. */
interface OpenCall {
  readonly controller: AbortController;
  started: boolean;
}

/** Serves until the port closes, then calls `onClose`. */
export function serveEngine(port: ParentPort, open: OpenModel, onClose: () => void): void {
  const handlers = createHandlers(open);
  const calls = new Map<number, OpenCall>();
  let queue: Promise<unknown> = Promise.resolve();
  const send = (message: ChildMessage): void => port.send(message);
  const answer = (id: number, value: unknown): void => {
    calls.delete(id);
    send({ kind: 'result', id, value });
  };
  const fail = (id: number, thrown: unknown): void => {
    calls.delete(id);
    send({ kind: 'error', id, error: engineError(thrown, toReadroomError(thrown).message).toPayload() });
  };

  const perform = async (id: number, method: EngineMethod, given: unknown): Promise<void> => {
    const call = calls.get(id);
    // Cancelled, and answered, while it waited.
    if (!call) return;
    call.started = true;
    const emit = (event: RunEvent): void => send({ kind: 'event', id, event });
    try {
      const handle = handlers[method] as (params: unknown, context: CallContext) => Promise<unknown>;
      answer(id, await handle(checkParams(method, given), { signal: call.controller.signal, emit }));
    } catch (thrown) {
      fail(id, thrown);
    }
  };

  const cancel = (id: number): void => {
    const call = calls.get(id);
    if (call?.started) call.controller.abort();
    else if (call) fail(id, new ReadroomError('cancelled', 'The call was cancelled before it began.'));
  };

  port.onMessage((raw) => {
    const message = parentMessageSchema.safeParse(raw).data;
    if (!message || (message.kind === 'call' && calls.has(message.id))) return;
    if (message.kind === 'cancel') {
      cancel(message.id);
      return;
    }
    const { id, params } = message;
    const method = engineMethodSchema.safeParse(message.method).data;
    if (!method) {
      const text = `The engine has no method '${message.method}'.`;
      fail(id, new ReadroomError('input-invalid', text, { field: 'method' }));
      return;
    }
    calls.set(id, { controller: new AbortController(), started: false });
    if (method === 'info') void perform(id, method, params);
    else queue = queue.then(() => perform(id, method, params));
  });
  port.onClose(onClose);
  send({ kind: 'ready', protocol: engineProtocolVersion, pid: process.pid });
}

function checkParams<M extends EngineMethod>(method: M, given: unknown): Checked<M> {
  const parsed = engineMethods[method].params.safeParse(given);
  if (parsed.success) return parsed.data as Checked<M>;
  const [issue] = parsed.error.issues;
  const field = issue.path.join('.');
  throw new ReadroomError(
    'input-invalid',
    `The engine's ${method} was called wrongly: ${field} ${issue.message}`,
    {
      field,
    },
  );
}

function createHandlers(open: OpenModel): Handlers {
  let model: VisionLanguageModel | null = null;
  const loaded = (): VisionLanguageModel => {
    if (model) return model;
    throw new ReadroomError('input-invalid', 'No model is loaded.', { remedy: 'Load a model first.' });
  };
  const unload = async (): Promise<void> => {
    const old = model;
    model = null;
    await old?.release();
  };
  return {
    async load(params, { signal, emit }) {
      // Two models may not fit into memory together.
      await unload();
      const watch = new Stopwatch();
      const onProgress = (done: number, total: number): void =>
        emit({ type: 'progress', at: watch.now(), phase: 'load', done, total });
      model = await open(params, { signal, onProgress });
      return modelFacts(model);
    },
    async unload() {
      await unload();
      return {};
    },
    async info() {
      const rssBytes = process.memoryUsage.rss();
      return { pid: process.pid, model: model ? modelFacts(model) : null, rssBytes };
    },
    processedSize: async ({ width, height }) => loaded().imageProcessor.referenceAlignedSize(width, height),
    prepare: (params, { signal }) => preparePrompt(loaded(), params, signal),
    run: (params, { signal, emit }) => runGrounded(loaded(), params, emit, signal),
  };
}
