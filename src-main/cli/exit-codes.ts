/** Exit codes of the command line, as documented in docs/command-line.md. */
import type { ErrorCode } from '../../src-contract/errors.ts';
import { missingCase } from '../../src-contract/errors.ts';

export const exitCodes = {
  ok: 0,
  /** Something went wrong inside Readroom: a bug. */
  internal: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** A study, image, table or option value can't be used. */
  input: 3,
  /** A model folder or container can't be used. */
  model: 4,
  /** The engine failed, died or ran out of memory. */
  engine: 5,
  /** Cancelled by Ctrl+C. */
  cancelled: 130,
} as const;

export function exitCodeOf(code: ErrorCode): number {
  switch (code) {
    case 'file-not-found':
    case 'file-unreadable':
    case 'file-truncated':
    case 'file-malformed':
    case 'file-too-large':
    case 'format-unsupported':
    case 'study-empty':
    case 'input-invalid':
      return exitCodes.input;
    case 'checkpoint-missing-file':
    case 'checkpoint-unsupported':
    case 'checkpoint-malformed':
    case 'container-incomplete':
    case 'container-malformed':
    case 'disk-full':
      return exitCodes.model;
    case 'provider-unavailable':
    case 'engine-died':
    case 'engine-out-of-memory':
    case 'engine-busy':
    case 'engine-failed':
    case 'context-too-long':
      return exitCodes.engine;
    case 'cancelled':
      return exitCodes.cancelled;
    // The window's own: the command line reads projects in its own process.
    case 'project-died':
    case 'internal':
      return exitCodes.internal;
    default:
      return missingCase(code);
  }
}
