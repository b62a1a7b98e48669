/** The native menu. Its items send commands to the window (src-contract/commands.ts); recent studies open from here. */
import { type App, Menu, type MenuItemConstructorOptions } from 'electron';
import type { Recent } from '../../src-contract/channels.ts';
import { type Command, type CommandName, commandNames, commands } from '../../src-contract/commands.ts';

export interface MenuActions {
  readonly command: (name: CommandName) => void;
  readonly openRecent: (id: string) => void;
  readonly clearRecent: () => void;
}

/** Standard zoom of the whole window; the items of Electron act on it directly. */
const zoomItems: MenuItemConstructorOptions[] = [
  { role: 'zoomIn' },
  { role: 'zoomOut' },
  { role: 'resetZoom' },
  { role: 'togglefullscreen' },
];

export function buildMenu(app: App, recent: readonly Recent[], actions: MenuActions): Menu {
  const itemsOf = (group: Command['group']): MenuItemConstructorOptions[] =>
    commandNames
      .map((name) => ({ name, entry: commands[name] as Command }))
      .filter(({ entry }) => entry.group === group && entry.menu)
      .map(({ name, entry }) => ({
        id: name,
        label: entry.label,
        accelerator: entry.accelerator,
        click: () => actions.command(name),
      }));
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const [first, second, third, ...restOfFile] = itemsOf('File');
  const isMac = process.platform === 'darwin';
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' as const, label: app.name }] : []),
    {
      label: 'File',
      submenu: [
        first,
        second,
        third,
        { label: 'Open recent', id: 'recent', submenu: recentItems(recent, actions) },
        separator,
        ...restOfFile,
        separator,
        // Cmd+W is 'Close study'.
        isMac ? { role: 'close', accelerator: 'Shift+Cmd+W' } : { role: 'quit' },
      ],
    },
    { role: 'editMenu' },
    { label: 'View', submenu: [...itemsOf('View'), separator, ...zoomItems] },
    { label: 'Run', submenu: itemsOf('Run') },
    { label: 'Review', submenu: itemsOf('Review') },
    ...(isMac ? [{ role: 'windowMenu' as const }] : []),
    { role: 'help', label: 'Help', submenu: itemsOf('Help') },
  ];
  return Menu.buildFromTemplate(template);
}

function recentItems(recent: readonly Recent[], actions: MenuActions): MenuItemConstructorOptions[] {
  if (recent.length === 0) return [{ label: 'Nothing opened yet', enabled: false }];
  return [
    ...recent.map(({ id, title, missing }) => ({
      label: missing ? `${title} (missing)` : title,
      enabled: !missing,
      click: () => actions.openRecent(id),
    })),
    { type: 'separator' },
    { label: 'Clear the list', click: actions.clearRecent },
  ];
}
