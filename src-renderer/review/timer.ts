/**
 * How long a reader is at a run. Only time at it counts: the clock stands while the window is in the background, while
 * nothing is done for a minute, and while something else than the review is on the right.
 */
import { useUi } from '../state/ui-store.ts';

const idleAfter = 60_000;
/** A tick that comes much later than it should was a machine asleep. */
const tick = 1_000;

let spent = 0;
let lastSeen = 0;
let lastTick = 0;
let running = false;
const listeners = new Set<() => void>();

/** Milliseconds at the run in hand, those of earlier sittings included. */
export const activeMs = (): number => Math.round(spent);

export function startTimer(from: number): void {
  // After an undo the stored time may be less than what was really spent.
  spent = from;
  running = true;
  lastSeen = performance.now();
  for (const listener of listeners) listener();
}

export function stopTimer(): void {
  running = false;
  for (const listener of listeners) listener();
}

/** Why the clock stands, in a word; null while it runs. */
export function pausedBecause(now = performance.now()): 'finished' | 'away' | 'idle' | null {
  if (!running) return 'finished';
  if (document.hidden || useUi.getState().side !== 'review') return 'away';
  return now - lastSeen > idleAfter ? 'idle' : null;
}

export function listenToTimer(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function onTick(): void {
  const now = performance.now();
  const passed = Math.min(now - lastTick, 2 * tick);
  lastTick = now;
  if (pausedBecause(now) === null) spent += passed;
  for (const listener of listeners) listener();
}

/** Returns what stops it. */
export function connectTimer(): () => void {
  const onSign = () => {
    lastSeen = performance.now();
  };
  const signs = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const;
  for (const sign of signs) window.addEventListener(sign, onSign, { capture: true, passive: true });
  lastTick = performance.now();
  const timer = setInterval(onTick, tick);
  return () => {
    clearInterval(timer);
    for (const sign of signs) window.removeEventListener(sign, onSign, { capture: true });
  };
}
