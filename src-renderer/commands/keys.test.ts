import { expect, test } from 'vitest';
import { acceleratorOf, type KeyPress } from './accelerators.ts';

const press = (key: string, held: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: true,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...held,
});

test.each([
  ['Ctrl+K', press('k'), 'CmdOrCtrl+K'],
  ['Cmd+K', press('k', { ctrlKey: false, metaKey: true }), 'CmdOrCtrl+K'],
  ['Ctrl+Shift+O', press('O', { shiftKey: true }), 'CmdOrCtrl+Shift+O'],
  ['Ctrl+Enter', press('Enter'), 'CmdOrCtrl+Enter'],
  ['a slash that needs Shift', press('/', { shiftKey: true }), 'CmdOrCtrl+/'],
  ['AltGr', press('q', { altKey: true }), null],
  ['no modifier', press('k', { ctrlKey: false }), null],
])('%s', (_name, key, expected) => {
  expect(acceleratorOf(key)).toBe(expected);
});
