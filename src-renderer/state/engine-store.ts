/** The engine process as the main side tells it. */
import { create } from 'zustand';
import type { EngineState } from '../../src-contract/channels.ts';
import { call, on } from './bridge.ts';

export const useEngine = create<EngineState>()(() => ({
  status: 'stopped',
  model: null,
  rssBytes: null,
  error: null,
}));

export function connectEngine(): () => void {
  const stop = on('engine.changed', (state) => useEngine.setState(state));
  // An event that came before the answer is newer than it: events are taken from the first moment on.
  void call('engine.state', {})
    .then((state) => useEngine.setState(state))
    .catch(() => undefined);
  return stop;
}
