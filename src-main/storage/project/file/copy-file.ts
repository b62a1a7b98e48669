/** A copy that can be stopped on its way: a project may be as large as all the traces in it. */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { Steps } from './steps.ts';

const chunkBytes = 8 * 1024 ** 2;

/**
 * Copies to a name that is not there yet, and flushes. What was copied when it failed or was stopped is the caller's to
 * take away.
 * @throws what the file system says
 */
export function* copySteps(from: string, to: string): Steps<void> {
  const source = openSync(from, 'r');
  try {
    const target = openSync(to, 'wx');
    try {
      const chunk = Buffer.alloc(chunkBytes);
      for (;;) {
        yield;
        const length = readSync(source, chunk, 0, chunkBytes, null);
        if (length === 0) break;
        let written = 0;
        while (written < length) written += writeSync(target, chunk, written, length - written);
      }
      fsyncSync(target);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}
