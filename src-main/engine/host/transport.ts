/**
 * How the two sides of the engine protocol reach each other. The client and the server know only these interfaces, so
 * that a fork (command line, tests) and Electron's utilityProcess (the window, in app/) are the same to them.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { ReadroomError } from '../../../src-contract/errors.ts';

/** How a child ended: exactly one of the two is not null, unless the system does not say. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The parent's end: one child process. */
export interface ChildConnection {
  readonly pid: number | undefined;
  /** Structured clone, in order. Messages sent before the child listens are kept; after its exit they are dropped. */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onStderr(listener: (text: string) => void): void;
  /** Called once, when the child is gone and its last words were read; also when it could not be started. */
  onExit(listener: (exit: ChildExit, error?: Error) => void): void;
  /** Closes the channel: the child ends by itself as soon as it notices. */
  close(): void;
  /** At once and without asking: the last resort. */
  kill(): void;
}

/** Starts children. */
export interface Transport {
  start(): ChildConnection;
}

/** The child's end. */
export interface ParentPort {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** The parent went away. */
  onClose(listener: () => void): void;
}

/**
 * Children by child_process.fork.
 * @param entry the bundled engine-host.js
 */
export function forkTransport(entry: string): Transport {
  return {
    start() {
      const child = fork(entry, [], {
        // Pixels travel as typed arrays; the default (JSON) would make objects of them.
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        // Debugger and loader flags of the parent are not the child's.
        execArgv: [],
      });
      return connectionOf(child);
    },
  };
}

/** How long the pipes of a dead child may take to run dry; longer only if something else holds them. */
const lastWordsMs = 1_000;

function connectionOf(child: ChildProcess): ChildConnection {
  // Node tells 'close' when everything the child said was read, but never after our own disconnect().
  let closing = false;
  // Sending to a child that is about to exit fails with EPIPE or ERR_IPC_CHANNEL_CLOSED: its exit tells the story.
  const ignoreSendError = (): void => {};
  return {
    pid: child.pid,
    send(message) {
      if (child.connected) child.send(message as object, ignoreSendError);
    },
    onMessage: (listener) => void child.on('message', listener),
    onStderr(listener) {
      child.stderr?.setEncoding('utf8').on('data', listener);
    },
    onExit(listener) {
      let failure: Error | undefined;
      let told = false;
      const tell = (code: number | null, signal: string | null): void => {
        if (told) return;
        told = true;
        listener({ code, signal }, failure);
      };
      child.on('error', (error) => {
        failure ??= error;
        // A child that never started has no exit and no 'close'.
        if (child.pid === undefined) tell(null, null);
      });
      child.on('close', tell);
      child.on('exit', (code, signal) => {
        if (closing) tell(code, signal);
        else setTimeout(tell, lastWordsMs, code, signal);
      });
    },
    close() {
      closing = true;
      if (child.connected) child.disconnect();
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** The parent of this process, when it was forked with an IPC channel. */
export function parentOfFork(): ParentPort {
  if (!process.send) {
    throw new ReadroomError(
      'internal',
      'The engine host runs as a child process of Readroom, not by itself.',
    );
  }
  // Ctrl+C goes to every process of the terminal. What to stop is the parent's decision; if it ends, so do we.
  process.on('SIGINT', () => {});
  return {
    send: (message) => void process.send?.(message, undefined, undefined, () => {}),
    onMessage: (listener) => void process.on('message', listener),
    onClose: (listener) => void process.on('disconnect', listener),
  };
}
