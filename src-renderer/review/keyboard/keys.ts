/** The review's keys. Bound before the window's and the viewer's own, which leave alone what was taken here. */
import { useReaderBoxes } from '../../state/reader-boxes.ts';
import { redo, undo } from '../reading.ts';
import { useReview } from '../review-store.ts';
import { flushKeys } from './box-keys.ts';
import { isReviewing, reviewCommands } from './commands.ts';

const typing =
  'input:not([type="range"], [type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"]';
/** Lists that the arrow keys belong to while they have the focus. */
const ownArrows =
  '[role="listbox"], [role="menu"], [role="tablist"], [role="radiogroup"], .segments, [role="tree"], [role="grid"]';

const byKey = new Map(reviewCommands.flatMap((one) => (one.shortcut ? [[one.shortcut, one] as const] : [])));
/** Other names of the same keys: N and P are what other programs use. */
const also: Readonly<Record<string, string>> = { n: 'j', p: 'k', Backspace: 'Delete' };

function nameOf(event: KeyboardEvent): string {
  const isLetter = /^[a-z]$/i.test(event.key);
  const key = isLetter ? event.key.toLowerCase() : event.key;
  const name = event.shiftKey && (isLetter || event.key.length > 1) ? `Shift+${key}` : key;
  return also[name] ?? name;
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
  const target = event.target instanceof Element ? event.target : null;
  const isTyping = target?.closest(typing) != null;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'z') {
    // In a field it is the field's own.
    if (isTyping) return;
    event.preventDefault();
    flushKeys();
    void (event.shiftKey ? redo() : undo());
    return;
  }
  // Brackets are behind AltGr on many keyboards.
  const isPrinted = event.getModifierState('AltGraph');
  if (!isPrinted && (event.ctrlKey || event.metaKey || event.altKey)) return;
  if (event.key === 'Escape') {
    const { typing: typed } = useReview.getState();
    if (isReviewing() && typed) useReview.setState({ typing: null });
    else if (!useReaderBoxes.getState().cancel()) return;
    event.preventDefault();
    return;
  }
  if (isTyping || (/^Arrow/.test(event.key) && target?.closest(ownArrows))) return;
  const command = byKey.get(nameOf(event));
  if (!command || command.enabled?.() === false) return;
  event.preventDefault();
  // What the arrow keys have moved so far is a change of its own.
  if (!command.id.startsWith('review-nudge')) flushKeys();
  command.run();
}

/** Returns what stops listening. */
export function bindReviewKeys(): () => void {
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}
