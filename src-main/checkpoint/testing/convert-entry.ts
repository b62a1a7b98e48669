/** A conversion in a process of its own, for the test that kills it: stops dead at the first byte of one file. */
import { writeSync } from 'node:fs';
import { convertCheckpoint } from '../convert.ts';

const [source, out, stopAt] = process.argv.slice(2);
await convertCheckpoint({
  source: source!,
  out: out!,
  precision: 'int4',
  onProgress: ({ phase, file }) => {
    if (phase !== 'write' || file !== stopAt) return;
    writeSync(1, 'stopped\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
