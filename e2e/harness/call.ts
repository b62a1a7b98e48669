/** Calls of the contract from the page, as the window itself makes them. */
import type { Page } from 'playwright-core';
import type { CallName, CallParams, CallResult } from '../../src-contract/channels.ts';
import { type ErrorPayload, ReadroomError } from '../../src-contract/errors.ts';

/** @throws ReadroomError what the call was answered with; Error where the page went away */
export async function call<C extends CallName>(
  page: Page,
  name: C,
  params: CallParams<C>,
): Promise<CallResult<C>> {
  const answer = await page.evaluate(
    ([called, given]) => window.readroom.call(called as never, given as never),
    [name, params] as const,
  );
  const said = answer as { ok: true; value: CallResult<C> } | { ok: false; error: ErrorPayload };
  if (!said.ok) throw ReadroomError.fromPayload(said.error);
  return said.value;
}
