/** Plays the active pane's slices in a loop. Waits for pixels: a slow disk slows it, and no slice is skipped. */
import { useViewer } from '../state/viewer-store.ts';
import { viewer } from './viewer-handle.ts';

let timer: ReturnType<typeof setInterval> | undefined;

function step(): void {
  const pane = viewer()?.activePane;
  if (!pane || pane.slices < 2) {
    useViewer.getState().setCine({ playing: false });
    return;
  }
  if (pane.shown === pane.wanted) pane.setSlice((pane.wanted + 1) % pane.slices);
}

/** Follows the store's switch and speed. Returns what stops it. */
export function runCine(): () => void {
  const apply = () => {
    clearInterval(timer);
    timer = undefined;
    const { playing, framesPerSecond } = useViewer.getState().cine;
    if (playing) timer = setInterval(step, 1000 / framesPerSecond);
  };
  apply();
  const stop = useViewer.subscribe((state, before) => {
    if (state.cine !== before.cine) apply();
  });
  return () => {
    stop();
    clearInterval(timer);
    timer = undefined;
  };
}
