/** The way to the parent, whichever way this process was started: by Electron's utilityProcess or by a fork. */
import { type ParentPort, parentOfFork } from '../engine/host/transport.ts';

/** What utilityProcess puts at `process.parentPort`; described here, so that nothing but app/ needs Electron's types. */
interface UtilityPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
}

export function parentOfProcess(): ParentPort {
  const utility = (process as { parentPort?: UtilityPort }).parentPort;
  if (!utility) return parentOfFork();
  const closing: (() => void)[] = [];
  return {
    send: (message) => utility.postMessage(message),
    onMessage: (listener) =>
      utility.on('message', ({ data }) => {
        // utilityProcess has no "disconnect": the parent says so itself, and Electron ends us when it dies.
        if (isGoodbye(data)) for (const close of closing) close();
        else listener(data);
      }),
    onClose: (listener) => void closing.push(listener),
  };
}

/** The last message that a parent sends over a utilityProcess channel. */
export const goodbye = { kind: 'goodbye' } as const;

function isGoodbye(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'kind' in data && data.kind === goodbye.kind;
}
