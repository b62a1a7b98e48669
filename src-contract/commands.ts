/**
 * Every action of the window that has a name: what the native menu shows, what the command palette lists, what the
 * shortcut sheet explains. One list, so that the three can't disagree. The renderer carries them out.
 *
 * Accelerators are Electron's notation. Only those with `menu: true` are bound by the menu; the others are single keys
 * that must not fire while someone types, so the renderer binds them itself.
 */
export interface Command {
  readonly label: string;
  /** Where the menu, the palette and the shortcut sheet group it. */
  readonly group: 'File' | 'View' | 'Run' | 'Review' | 'Help';
  readonly accelerator?: string;
  /** In the native menu. */
  readonly menu: boolean;
}

const command = (group: Command['group'], label: string, accelerator?: string, menu = true): Command => ({
  group,
  label,
  accelerator,
  menu,
});

export const commands = {
  'open-file': command('File', 'Open file…', 'CmdOrCtrl+O'),
  'open-folder': command('File', 'Open folder…', 'CmdOrCtrl+Shift+O'),
  'open-sample': command('File', 'Open the sample study', 'CmdOrCtrl+Shift+S'),
  'close-study': command('File', 'Close study', 'CmdOrCtrl+W'),
  'export-trace': command('File', 'Export trace…', 'CmdOrCtrl+E'),
  'show-export': command('File', 'Export…', 'CmdOrCtrl+Shift+E'),
  'new-project': command('File', 'New project…'),
  'open-project': command('File', 'Open project…'),
  'merge-project': command('File', 'Take in a project, an archive or a trace…'),
  'show-settings': command('File', 'Settings…', 'CmdOrCtrl+,'),
  'layout-1x1': command('View', 'One viewport', 'CmdOrCtrl+1'),
  'layout-1x2': command('View', 'Two viewports', 'CmdOrCtrl+2'),
  'layout-2x2': command('View', 'Four viewports', 'CmdOrCtrl+3'),
  'layout-mpr': command('View', 'Axial, sagittal, coronal', 'CmdOrCtrl+4'),
  'toggle-overlay': command('View', 'Boxes of the model', 'CmdOrCtrl+B'),
  'toggle-model-view': command('View', 'As the model sees it', 'CmdOrCtrl+Shift+V'),
  'toggle-theme': command('View', 'Light or dark', 'CmdOrCtrl+Shift+L'),
  'show-tags': command('View', 'DICOM tags', 'CmdOrCtrl+T'),
  'show-models': command('View', 'Models', 'CmdOrCtrl+Shift+M'),
  ask: command('Run', 'Ask', 'CmdOrCtrl+Enter'),
  stop: command('Run', 'Stop', 'CmdOrCtrl+.'),
  'show-review': command('Review', 'Review', 'CmdOrCtrl+R'),
  'show-cases': command('Review', 'Cases', 'CmdOrCtrl+L'),
  'next-unfinished': command('Review', 'Next unfinished run'),
  'undo-review': command('Review', 'Undo the last change of the review'),
  'redo-review': command('Review', 'Redo'),
  'show-compare': command('Review', 'Compare two runs'),
  'show-agreement': command('Review', 'Agreement and differences', 'CmdOrCtrl+Shift+A'),
  'show-readers': command('Review', 'Project, readers, blinding'),
  'show-history': command('Review', 'History'),
  'command-palette': command('Help', 'All commands…', 'CmdOrCtrl+K'),
  'show-shortcuts': command('Help', 'Keyboard shortcuts', 'CmdOrCtrl+/'),
  'show-about': command('Help', 'About Readroom'),
  'show-docs': command('Help', 'Documentation'),
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof commands;
export const commandNames = Object.keys(commands) as [CommandName, ...CommandName[]];
