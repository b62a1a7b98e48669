/** Child processes by Electron's utilityProcess, behind the same interface as forks (engine/host/transport.ts). */
import { utilityProcess } from 'electron';
import { goodbye } from '../channel/parent-port.ts';
import type { ChildConnection, ChildExit, Transport } from '../engine/host/transport.ts';

export interface UtilityOptions {
  /** In the system's list of processes. */
  readonly serviceName: string;
  /** Sees every end of a child, whether or not a call was under way. */
  readonly onExit?: (exit: ChildExit) => void;
}

/** @param entry a bundled file of out/main */
export function utilityTransport(entry: string, { serviceName, onExit }: UtilityOptions): Transport {
  return {
    start(): ChildConnection {
      const child = utilityProcess.fork(entry, [], { serviceName, stdio: ['ignore', 'ignore', 'pipe'] });
      let ended = false;
      child.once('exit', () => {
        ended = true;
      });
      return {
        get pid() {
          return child.pid;
        },
        send(message) {
          if (!ended) child.postMessage(message);
        },
        onMessage: (listener) => void child.on('message', listener),
        onStderr(listener) {
          child.stderr?.on('data', (chunk: Buffer) => listener(chunk.toString('utf8')));
        },
        onExit(listener) {
          child.once('exit', (code) => {
            const exit = exitOf(code);
            onExit?.(exit);
            listener(exit);
          });
        },
        close() {
          if (!ended) child.postMessage(goodbye);
        },
        kill() {
          // child.kill() asks (SIGTERM), which a thread inside ONNX Runtime never hears.
          if (!ended && child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
        },
      };
    },
  };
}

const signals: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/** utilityProcess gives the raw wait status on POSIX: a death by signal is the signal's number. */
function exitOf(code: number): ChildExit {
  const signal = process.platform === 'win32' ? undefined : signals[code & 0x7f];
  return signal ? { code: null, signal } : { code, signal: null };
}
