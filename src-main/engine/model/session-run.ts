/** Running a session with errors that say what a person can do. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';

export type Feeds = Record<string, Tensor>;

/** What allocators say when memory ran out: ONNX Runtime's own, the C++ library's, the GPU's, V8's. */
const memoryWords =
  /bad_alloc|failed to allocate|out of memory|\bOOM\b|allocation failed|Array buffer allocation/i;

/**
 * Runs a graph; fetches the named outputs only.
 * Throws 'engine-out-of-memory' or 'engine-failed' with the runtime's message as detail.
 */
export async function runSession(
  session: InferenceSession,
  feeds: Feeds,
  fetches: readonly string[],
): Promise<Record<string, Tensor>> {
  try {
    return (await session.run(feeds, fetches)) as Record<string, Tensor>;
  } catch (thrown) {
    throw engineError(thrown, 'The model could not be run.');
  }
}

/** Classifies what ONNX Runtime threw. */
export function engineError(thrown: unknown, message: string): ReadroomError {
  if (thrown instanceof ReadroomError) return thrown;
  const detail = toReadroomError(thrown).message;
  if (memoryWords.test(detail)) {
    return new ReadroomError('engine-out-of-memory', 'The computer ran out of memory for the model.', {
      detail,
      remedy:
        'Close other programs, use the int4 version of the model, or ask about fewer or smaller images.',
    });
  }
  return new ReadroomError('engine-failed', message, { detail });
}
