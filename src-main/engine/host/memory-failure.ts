/** Why the engine process ended: for want of memory, which has a remedy of its own, or otherwise. */
import { readFileSync } from 'node:fs';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { ChildExit } from './transport.ts';

/** Last words of V8, libstdc++, ONNX Runtime and the drivers when an allocation fails. */
const memoryWords =
  /bad_alloc|out of memory|Cannot allocate memory|ENOMEM|Failed to allocate memory|ERROR_OUT_OF_(?:DEVICE|HOST)_MEMORY|Array buffer allocation failed|bad allocation/i;

const memoryRemedy =
  'Close other programs, or use a smaller precision (--precision int4), fewer slices, or a smaller model.';

/** How often Linux has killed a process for want of memory since it started; null elsewhere. */
export function oomKills(): number | null {
  try {
    const match = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'latin1'));
    return match ? Number(match[1]) : null;
  } catch {
    return null;
  }
}

/**
 * The error for every call that a dead child left unanswered.
 * @param lastWords the end of its stderr
 * @param killsBefore `oomKills()` when the child was started
 */
export function deathOf(exit: ChildExit, lastWords: string, killsBefore: number | null): ReadroomError {
  const how = exit.signal ? `by signal ${exit.signal}` : `with exit code ${exit.code ?? 'unknown'}`;
  const detail = lastWords.trim() || undefined;
  const killedForMemory = exit.signal === 'SIGKILL' && (oomKills() ?? 0) > (killsBefore ?? Infinity);
  if (killedForMemory || memoryWords.test(lastWords)) {
    return new ReadroomError('engine-out-of-memory', `The engine ran out of memory and ended ${how}.`, {
      detail,
      remedy: memoryRemedy,
    });
  }
  const guess =
    exit.signal === 'SIGKILL' ? ' If nobody ended it, the system may have been short of memory.' : '';
  return new ReadroomError('engine-died', `The engine process ended ${how}.`, {
    detail,
    remedy: `Ask again: the engine starts anew with the next question.${guess}`,
  });
}
