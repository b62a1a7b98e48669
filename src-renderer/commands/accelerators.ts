/** Key presses and accelerators: Electron's notation, what people read, what the keyboard says. */

export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** 'CmdOrCtrl+Shift+O' for a key press, in Electron's notation; null without Ctrl or Cmd. */
export function acceleratorOf({ key, ctrlKey, metaKey, shiftKey, altKey }: KeyPress): string | null {
  if (!(ctrlKey || metaKey) || altKey) return null;
  const name = key.length === 1 ? key.toUpperCase() : key;
  // Only letters tell their shift apart: '/' is Shift+7 on many keyboards.
  const shift = shiftKey && (/^[A-Z]$/.test(name) || name.length > 1) ? 'Shift+' : '';
  return `CmdOrCtrl+${shift}${name}`;
}

const isMac = typeof navigator !== 'undefined' && /^Mac/.test(navigator.platform ?? '');

/** 'CmdOrCtrl+Shift+O' as it is printed on the keyboard in use. */
export function readableKeys(accelerator: string, mac = isMac): string {
  const parts = accelerator.split('+').map((part) => {
    if (part === 'CmdOrCtrl') return mac ? '⌘' : 'Ctrl';
    if (part === 'Shift') return mac ? '⇧' : 'Shift';
    return part;
  });
  return parts.join(mac ? '' : '+');
}

const keyNames: Readonly<Record<string, string>> = {
  Delete: 'Del',
  ' ': 'Space',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  PageUp: 'Page up',
  PageDown: 'Page down',
};

/** 'Shift+ArrowLeft' or 'w' as it is printed on keys. */
export function readableKey(shortcut: string): string {
  const [key, shift] = shortcut.startsWith('Shift+') ? [shortcut.slice(6), 'Shift+'] : [shortcut, ''];
  return shift + (keyNames[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
