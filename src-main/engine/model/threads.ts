/** How many threads a session gets: one a physical core, since two on one core fight for its vector units. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Cores that this process may use, counted without hyper-threads where the system tells. */
export function physicalCores(): number {
  const usable = availableParallelism();
  const physical = process.platform === 'linux' ? countLinuxCores() : 0;
  return Math.max(1, physical > 0 ? Math.min(physical, usable) : usable);
}

/** Distinct (socket, core) pairs of /proc/cpuinfo; 0 where it does not list them (ARM). */
function countLinuxCores(): number {
  let text: string;
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return 0;
  }
  const cores = new Set<string>();
  for (const processor of text.split('\n\n')) {
    const socket = /^physical id\s*:\s*(\d+)/m.exec(processor)?.[1];
    const core = /^core id\s*:\s*(\d+)/m.exec(processor)?.[1];
    if (socket !== undefined && core !== undefined) cores.add(`${socket}:${core}`);
  }
  return cores.size;
}
