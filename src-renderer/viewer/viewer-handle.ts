/** The viewer once it is loaded, for commands and components that must not load it themselves. */
import type { Viewer } from './viewer.ts';

let current: Viewer | null = null;
let loading: Promise<Viewer> | null = null;

export const viewer = (): Viewer | null => current;

/** Loads cornerstone and makes the one viewer, on the first call. */
export function loadViewer(): Promise<Viewer> {
  loading ??= import('./viewer.ts').then((module) => {
    current = module.Viewer.create();
    return current;
  });
  return loading;
}
