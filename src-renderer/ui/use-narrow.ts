/** Whether the window is too narrow for three areas side by side. */
import { useSyncExternalStore } from 'react';
import { narrowWindow } from '../state/ui-store.ts';

function subscribe(onChange: () => void): () => void {
  const query = matchMedia(narrowWindow);
  query.addEventListener('change', onChange);
  return () => query.removeEventListener('change', onChange);
}

export const useNarrow = (): boolean =>
  useSyncExternalStore(subscribe, () => matchMedia(narrowWindow).matches);
