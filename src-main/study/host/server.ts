/** The child's side of the study protocol (rules in src-contract/study-protocol.ts). */
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import { type StudyEvent, studyMethods } from '../../../src-contract/study-protocol.ts';
import { type MethodHandlers, serveMethods } from '../../channel/server.ts';
import type { ParentPort } from '../../engine/host/transport.ts';
import { StudySession } from './study-session.ts';

/** Serves one study until the port closes, then calls `onClose`. */
export function serveStudy(port: ParentPort, onClose: () => void): void {
  serveMethods<typeof studyMethods, StudyEvent>(port, {
    methods: studyMethods,
    handlers: (emit) => handlersOf(new StudySession(emit)),
    onClose,
    errorOf: studyError,
  });
}

function handlersOf(session: StudySession): MethodHandlers<typeof studyMethods> {
  return {
    open: ({ paths, standIns }, signal) => session.open(paths, standIns, signal),
    pixels: (params, signal) => session.pixels(params.seriesId, params.first, signal),
    cancelPixels: (params) => session.cancelPixels(params.seriesId),
    slice: (params, signal) => session.slice(params, signal),
    thumbnail: (params, signal) => session.thumbnail(params.seriesId, params.side, signal),
    tags: (params) => session.tags(params.seriesId, params.slice),
    modelView: (params, signal) => session.modelView(params.seriesId, params.target, params.model, signal),
    modelViewSlice: (params) => session.modelViewSlice(params.viewId, params.slice),
    prepare: (params, signal) => session.prepare(params.seriesId, params.target, signal),
  };
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
