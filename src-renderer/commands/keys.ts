/**
 * The window's own keys. Accelerators of the menu are bound here too: a key that the page takes never reaches the menu,
 * so that a command runs once, and the window works where no menu is shown.
 */
import { type Command, type CommandName, commandNames, commands } from '../../src-contract/commands.ts';
import { stopActive } from '../chat/asking.ts';
import { acceleratorOf } from './accelerators.ts';
import { runCommand } from './commands.ts';

const byAccelerator = new Map<string, CommandName>(
  commandNames.flatMap((name) => {
    const { accelerator }: Command = commands[name];
    return accelerator ? [[accelerator, name] as const] : [];
  }),
);

const typing = 'input, textarea, select, [contenteditable="true"]';

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented) return;
  const accelerator = acceleratorOf(event);
  const named = accelerator && byAccelerator.get(accelerator);
  const dialogOpen = document.querySelector('dialog[open]') !== null;
  if (named) {
    // A dialog has its own business; the palette's key closes the palette.
    if (dialogOpen && named !== 'command-palette') return;
    event.preventDefault();
    runCommand(named);
    return;
  }
  if (dialogOpen || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape') {
    if (stopActive()) event.preventDefault();
    return;
  }
  if (event.target instanceof Element && event.target.closest(typing)) return;
  const single = { '?': 'show-shortcuts', '/': 'focus-question', q: 'toggle-side' }[event.key];
  if (single) {
    event.preventDefault();
    runCommand(single);
  }
}

/** Returns what stops listening. */
export function bindKeys(): () => void {
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}
