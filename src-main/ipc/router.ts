/**
 * The typed border between window and main: one place where calls are answered and events are sent. Every message is
 * checked twice, for who sent it and for what it says, before anything acts on it (rules: src-contract/channels.ts).
 */
import { type BrowserWindow, type IpcMainInvokeEvent, ipcMain, type WebFrameMain } from 'electron';
import type { z } from 'zod';
import {
  type Answer,
  appOrigin,
  type CallName,
  type CallResult,
  calls,
  type EventName,
  type EventPayload,
} from '../../src-contract/channels.ts';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';

type ParsedParams<C extends CallName> = z.output<(typeof calls)[C]['params']>;
export type CallHandlers = {
  [C in CallName]: (params: ParsedParams<C>) => Promise<CallResult<C>> | CallResult<C>;
};

/** The one ipc channel of each direction; the names of calls and events are inside the message. */
export const callChannel = 'readroom:call';
export const eventChannel = 'readroom:event';

/** True for the main frame of our own window on our own origin, and for nothing else. */
export function isTrustedSender(
  event: Pick<IpcMainInvokeEvent, 'sender'> & { senderFrame: Pick<WebFrameMain, 'url' | 'parent'> | null },
  window: BrowserWindow | null,
): boolean {
  const frame = event.senderFrame;
  if (!window || window.isDestroyed() || !frame || frame.parent !== null) return false;
  if (event.sender !== window.webContents) return false;
  return frame.url === appOrigin || frame.url.startsWith(`${appOrigin}/`);
}

const isCallName = (name: unknown): name is CallName =>
  typeof name === 'string' && Object.hasOwn(calls, name);

async function answerCall<C extends CallName>(
  handlers: CallHandlers,
  name: C,
  params: unknown,
): Promise<Answer<CallResult<C>>> {
  const parsed = calls[name].params.safeParse(params);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue.path.join('.');
    throw new ReadroomError('input-invalid', `${name}: ${field || 'params'}: ${issue.message}`, { field });
  }
  const value = await handlers[name](parsed.data as ParsedParams<C>);
  // Results are ours; parsing them strips what the contract does not list, such as paths.
  return { ok: true, value: calls[name].result.parse(value) as CallResult<C> };
}

/** Answers calls of `window` with `handlers` until the returned function is called. */
export function serveCalls(getWindow: () => BrowserWindow | null, handlers: CallHandlers): () => void {
  ipcMain.handle(callChannel, async (event, ...message: unknown[]): Promise<Answer<unknown>> => {
    try {
      if (!isTrustedSender(event, getWindow())) {
        throw new ReadroomError('input-invalid', 'The message did not come from the Readroom window.');
      }
      const [name, params] = message;
      if (message.length !== 2 || !isCallName(name)) {
        throw new ReadroomError('input-invalid', 'The message names no call of the contract.');
      }
      return await answerCall(handlers, name, params);
    } catch (thrown) {
      return { ok: false, error: toReadroomError(thrown).toPayload() };
    }
  });
  return () => ipcMain.removeHandler(callChannel);
}

/** Sends an event to the window; dropped when there is none. */
export function emitTo<E extends EventName>(
  window: BrowserWindow | null,
  name: E,
  payload: EventPayload<E>,
): void {
  if (window && !window.isDestroyed()) window.webContents.send(eventChannel, name, payload);
}
