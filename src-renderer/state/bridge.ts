/** The page's end of the bridge: calls that throw typed errors, and events. */
import type {
  Answer,
  Bridge,
  CallName,
  CallParams,
  CallResult,
  EventName,
  EventPayload,
} from '../../src-contract/channels.ts';
import { ReadroomError } from '../../src-contract/errors.ts';

declare global {
  interface Window {
    readonly readroom: Bridge;
  }
}

function unwrap<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw ReadroomError.fromPayload(answer.error);
}

/** @throws ReadroomError with the main side's code, message and remedy */
export async function call<C extends CallName>(name: C, params: CallParams<C>): Promise<CallResult<C>> {
  return unwrap(await window.readroom.call(name, params));
}

export async function openDropped(files: File[]): Promise<CallResult<'study.openDropped'>> {
  return unwrap(await window.readroom.openDropped(files));
}

/** Returns what stops listening. */
export function on<E extends EventName>(name: E, listener: (payload: EventPayload<E>) => void): () => void {
  return window.readroom.on(name, listener);
}
