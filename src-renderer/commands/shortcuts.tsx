/** All keys on one sheet. */
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { readableKeys } from './accelerators.ts';
import { type WindowCommand, windowCommands } from './commands.ts';

/** Keys that belong to a place and not to a command. */
const local: readonly Pick<WindowCommand, 'id' | 'title' | 'group' | 'keys'>[] = [
  { id: 'stop-key', title: 'Stop the run', group: 'Run', keys: 'Esc' },
  {
    id: 'undo-key',
    title: 'Undo the last change of the review',
    group: 'Review',
    keys: readableKeys('CmdOrCtrl+Z'),
  },
  { id: 'redo-key', title: 'Redo', group: 'Review', keys: readableKeys('CmdOrCtrl+Shift+Z') },
  { id: 'nudge-keys', title: 'Box: move by a voxel', group: 'Review', keys: '← → ↑ ↓' },
  { id: 'nudge-5-keys', title: 'Box: move by five voxels', group: 'Review', keys: 'Shift+arrow' },
  { id: 'free-key', title: 'Box: edges between voxels while dragging', group: 'Review', keys: 'Alt' },
  { id: 'walk', title: 'From box to box, on a box in the text', group: 'Run', keys: '← →' },
];

const groups = ['File', 'Run', 'Review', 'View', 'Viewer', 'Help'] as const;

export function Shortcuts() {
  const close = useUi((state) => state.closePanel);
  const withKeys = [...windowCommands.filter(({ keys }) => keys), ...local];
  return (
    <Dialog title="Keyboard shortcuts" className="shortcuts" onClose={close} testId="shortcuts">
      <div className="shortcut-groups">
        {groups.map((group) => (
          <section key={group} className="shortcut-group">
            <h3>{group}</h3>
            <dl>
              {withKeys
                .filter((command) => command.group === group)
                .map(({ id, title, keys }) => (
                  <div key={id}>
                    <dt>{title}</dt>
                    <dd>
                      <kbd>{keys}</kbd>
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
