/** A main side for tests of the stores: answers calls from a table, and sends events on demand. */
import type {
  Bridge,
  CallName,
  CallParams,
  CallResult,
  EventName,
  EventPayload,
} from '../../src-contract/channels.ts';
import { toReadroomError } from '../../src-contract/errors.ts';

type Answers = { [C in CallName]?: (params: CallParams<C>) => CallResult<C> | Promise<CallResult<C>> };

export class FakeBridge implements Bridge {
  readonly answers: Answers = {};
  readonly called: { readonly name: CallName; readonly params: unknown }[] = [];
  readonly #listeners = new Map<EventName, Set<(payload: never) => void>>();

  readonly call: Bridge['call'] = async (name, params) => {
    this.called.push({ name, params });
    const answer = this.answers[name] as ((given: typeof params) => CallResult<typeof name>) | undefined;
    try {
      if (!answer) throw new Error(`${name} is not answered in this test.`);
      return { ok: true, value: await answer(params) };
    } catch (thrown) {
      return { ok: false, error: toReadroomError(thrown).toPayload() };
    }
  };

  readonly on: Bridge['on'] = (name, listener) => {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => void set.delete(listener);
  };

  readonly openDropped: Bridge['openDropped'] = () =>
    Promise.reject(new Error('Nothing is dropped in tests.'));

  send<E extends EventName>(name: E, payload: EventPayload<E>): void {
    for (const listener of this.#listeners.get(name) ?? [])
      (listener as (one: typeof payload) => void)(payload);
  }

  /** Puts itself where the page looks for the main side. */
  install(): this {
    Object.assign(globalThis, { window: { readroom: this } });
    return this;
  }
}
