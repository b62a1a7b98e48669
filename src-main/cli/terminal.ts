/** What the command line prints: streams, progress and errors. stdout carries results only; the rest is stderr. */
import { SingleBar } from 'cli-progress';
import type { ErrorPayload } from '../../src-contract/errors.ts';

export const isTerminal = (): boolean => Boolean(process.stderr.isTTY);

/** Notes for the person, never part of a result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printError(error: ErrorPayload): void {
  note(`readroom: ${error.message}`);
  if (error.file && !error.message.includes(error.file)) note(`  file: ${error.file}`);
  if (error.field && !error.message.includes(error.field)) note(`  field: ${error.field}`);
  if (error.detail) note(`  detail: ${error.detail.split('\n').slice(-6).join('\n          ')}`);
  if (error.remedy) note(`  ${error.remedy}`);
}

export interface Progress {
  update(done: number, total: number, detail?: string): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a plain line at every tenth, so that a log file stays short. */
export function progress(label: string): Progress {
  if (isTerminal()) {
    let bar: SingleBar | undefined;
    return {
      update(done, total, detail = '') {
        if (!bar) {
          bar = new SingleBar({
            format: `${label} {bar} {percentage}% {detail}`,
            hideCursor: true,
            clearOnComplete: true,
            stream: process.stderr,
            etaBuffer: 20,
          });
          bar.start(total, done, { detail });
        }
        bar.setTotal(total);
        bar.update(done, { detail });
      },
      stop: () => bar?.stop(),
    };
  }
  let lastTenth = -1;
  return {
    update(done, total, detail = '') {
      const tenth = total > 0 ? Math.floor((10 * done) / total) : 0;
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      note(`${label} ${tenth * 10}%${detail ? ` ${detail}` : ''}`);
    },
    stop() {},
  };
}

/** '4.4 GB', '3.2 MB': decimal units, as file managers and model cards use. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  if (bytes >= 1e3) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${bytes} bytes`;
}

export function formatSeconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
