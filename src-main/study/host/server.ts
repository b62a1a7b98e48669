/** The child's side of the study protocol (rules in src-contract/study-protocol.ts). */
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import {
  type StudyChildMessage,
  type StudyMethod,
  type StudyParams,
  type StudyResult,
  studyMethods,
  studyParentMessageSchema,
} from '../../../src-contract/study-protocol.ts';
import type { ParentPort } from '../../engine/host/transport.ts';
import { StudySession } from './study-session.ts';

type Handlers = {
  [M in StudyMethod]: (params: StudyParams<M>, signal: AbortSignal) => Promise<StudyResult<M>>;
};

/** Serves one study until the port closes, then calls `onClose`. */
export function serveStudy(port: ParentPort, onClose: () => void): void {
  const send = (message: StudyChildMessage): void => port.send(message);
  const session = new StudySession((event) => send({ kind: 'event', event }));
  const handlers = handlersOf(session);
  const underWay = new Map<number, AbortController>();

  const perform = async (id: number, method: StudyMethod, given: unknown): Promise<void> => {
    const controller = new AbortController();
    underWay.set(id, controller);
    try {
      const handle = handlers[method] as (params: unknown, signal: AbortSignal) => Promise<unknown>;
      send({ kind: 'result', id, value: await handle(checkParams(method, given), controller.signal) });
    } catch (thrown) {
      send({ kind: 'error', id, error: studyError(thrown).toPayload() });
    } finally {
      underWay.delete(id);
    }
  };

  port.onMessage((raw) => {
    const message = studyParentMessageSchema.safeParse(raw).data;
    if (!message) return;
    if (message.kind === 'cancel') underWay.get(message.id)?.abort();
    else if (!underWay.has(message.id)) void perform(message.id, message.method, message.params);
  });
  port.onClose(onClose);
  send({ kind: 'ready' });
}

function handlersOf(session: StudySession): Handlers {
  return {
    open: ({ paths }, signal) => session.open(paths, signal),
    pixels: (params, signal) => session.pixels(params.seriesId, params.first, signal),
    cancelPixels: async (params) => session.cancelPixels(params.seriesId),
    slice: (params, signal) => session.slice(params, signal),
    thumbnail: (params, signal) => session.thumbnail(params.seriesId, params.side, signal),
    tags: (params) => session.tags(params.seriesId, params.slice),
    modelView: (params, signal) => session.modelView(params.seriesId, params.target, params.model, signal),
    modelViewSlice: async (params) => session.modelViewSlice(params.viewId, params.slice),
    prepare: (params, signal) => session.prepare(params.seriesId, params.target, signal),
  };
}

function checkParams<M extends StudyMethod>(method: M, given: unknown): StudyParams<M> {
  const parsed = studyMethods[method].params.safeParse(given);
  if (parsed.success) return parsed.data as StudyParams<M>;
  const [issue] = parsed.error.issues;
  const field = issue.path.join('.');
  throw new ReadroomError('input-invalid', `${method}: ${field} ${issue.message}`, { field });
}

/** Running out of memory is something a person can do something about. */
function studyError(thrown: unknown): ReadroomError {
  if (thrown instanceof RangeError && /array buffer allocation|array length/i.test(thrown.message)) {
    return new ReadroomError('file-too-large', 'There is not enough memory for the pixels of this series.', {
      remedy: 'Close other programs and studies, and open it again.',
      detail: thrown.message,
    });
  }
  return toReadroomError(thrown);
}
