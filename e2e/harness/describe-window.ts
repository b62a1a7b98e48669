import { describe } from 'vitest';
import { noWindowReason } from './display.ts';

/** A describe block that needs a window: skipped, with the reason in its name, where none can be shown. */
export function describeWindow(name: string, tests: () => void): void {
  const reason = noWindowReason();
  if (reason) describe.skip(`${name} [skipped: ${reason}]`, tests);
  else describe(name, tests);
}
