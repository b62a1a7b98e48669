import { ReadroomError } from '../../src-contract/errors.ts';

/** @throws ReadroomError 'cancelled' once the signal is aborted */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ReadroomError('cancelled', 'The conversion was cancelled');
}
