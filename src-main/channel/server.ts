/** The child's side of a method channel (rules in src-contract/method-channel.ts). */
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import {
  type ChildMessage,
  type MethodName,
  type MethodParams,
  type MethodResult,
  type Methods,
  parentMessageSchema,
} from '../../src-contract/method-channel.ts';
import type { ParentPort } from '../engine/host/transport.ts';

export type MethodHandlers<M extends Methods> = {
  readonly [N in MethodName<M>]: (
    params: MethodParams<M, N>,
    signal: AbortSignal,
  ) => Promise<MethodResult<M, N>> | MethodResult<M, N>;
};

export interface ServeOptions<M extends Methods, Event> {
  readonly methods: M;
  /** Gets the way to send events. */
  readonly handlers: (emit: (event: Event) => void) => MethodHandlers<M>;
  /** The parent went away. */
  readonly onClose: () => void;
  /** What a call has to wait for before it begins, and nothing where it may begin. Asked again after each wait. */
  readonly gate?: (method: MethodName<M>) => Promise<void> | null;
  /** What a thrown value means to a person; the default keeps ReadroomErrors and calls the rest 'internal'. */
  readonly errorOf?: (thrown: unknown) => ReadroomError;
}

/** Serves one parent until the port closes. */
export function serveMethods<M extends Methods, Event>(
  port: ParentPort,
  {
    methods,
    handlers: handlersOf,
    onClose,
    gate = () => null,
    errorOf = (thrown) => toReadroomError(thrown),
  }: ServeOptions<M, Event>,
): void {
  const send = (message: ChildMessage): void => port.send(message);
  const handlers = handlersOf((event) => send({ kind: 'event', event }));
  const underWay = new Map<number, AbortController>();

  const perform = async (id: number, method: string, given: unknown): Promise<void> => {
    const controller = new AbortController();
    underWay.set(id, controller);
    try {
      const handle = handlerOf(handlers, method);
      const params = checkParams(methods, method, given);
      for (let wait = gate(method); wait; wait = gate(method)) await wait;
      send({ kind: 'result', id, value: await handle(params, controller.signal) });
    } catch (thrown) {
      send({ kind: 'error', id, error: errorOf(thrown).toPayload() });
    } finally {
      underWay.delete(id);
    }
  };

  port.onMessage((raw) => {
    const message = parentMessageSchema.safeParse(raw).data;
    if (!message) return;
    if (message.kind === 'cancel') underWay.get(message.id)?.abort();
    else if (!underWay.has(message.id)) void perform(message.id, message.method, message.params);
  });
  port.onClose(onClose);
  send({ kind: 'ready' });
}

type AnyHandler = (params: unknown, signal: AbortSignal) => unknown;

function handlerOf<M extends Methods>(handlers: MethodHandlers<M>, method: string): AnyHandler {
  if (Object.hasOwn(handlers, method)) return handlers[method] as AnyHandler;
  throw new ReadroomError('input-invalid', `There is no method '${method}'.`, { field: 'method' });
}

function checkParams(methods: Methods, method: string, given: unknown): unknown {
  const parsed = methods[method].params.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue.path.join('.');
  throw new ReadroomError('input-invalid', `${method}: ${field} ${issue.message}`, { field });
}
