/** Single keys of the viewer: they work wherever nobody types and no dialog is open. */
import { viewerCommands } from './commands.ts';

const typing = 'input:not([type="range"]), textarea, select, [contenteditable="true"], [role="textbox"]';
/** Elements that use these keys themselves; the slice slider is the pane's own and moves with the same keys. */
const ownArrows =
  '[role="listbox"], [role="menu"], [role="tablist"], [role="radiogroup"], [role="tree"], [role="grid"], [data-own-arrows]';

const byKey = new Map(
  viewerCommands.flatMap((command) => (command.shortcut ? [[command.shortcut, command] as const] : [])),
);

function nameOf(event: KeyboardEvent): string {
  const isNamed = event.key.length > 1;
  // Shift is part of what a printed key means ('+' needs it on many keyboards); only named keys carry it.
  const key = isNamed ? event.key : event.key.toLowerCase();
  return event.shiftKey && isNamed ? `Shift+${key}` : key;
}

function belongsElsewhere(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (document.querySelector('dialog[open], [role="dialog"][aria-modal="true"]')) return true;
  if (target?.closest(typing)) return true;
  const isPane = target?.closest('[data-viewport]');
  if (/^(Arrow|Page|Home|End)/.test(event.key)) {
    // Lists and scrolling text keep their own; the viewer has arrows while it, or nothing in particular, has the focus.
    if (target?.closest(ownArrows)) return true;
    return !isPane && target !== document.body;
  }
  // Space and Enter press the focused button.
  return event.key === ' ' && !isPane && target?.closest('button, a, summary, [role="button"]') !== null;
}

export function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || belongsElsewhere(event))
      return;
    const command = byKey.get(nameOf(event));
    if (!command || command.enabled?.() === false) return;
    event.preventDefault();
    command.run();
  };
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}
