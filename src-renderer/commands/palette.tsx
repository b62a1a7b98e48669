/** Every command by name: type, choose with the arrow keys, Enter. */
import { type KeyboardEvent, useId, useMemo, useRef, useState } from 'react';
import { useStudies } from '../state/study-store.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { activePresets } from '../viewer/commands.ts';
import { type WindowCommand, windowCommands } from './commands.ts';
import { fuzzyFilter } from './fuzzy.ts';

/** The palette itself, and a single key for what the menu's own command does. */
const hidden: ReadonlySet<string> = new Set(['command-palette', 'viewer-toggle-overlay']);

/** Two names for one thing would be offered twice: the one that tells its key stays. */
function offered(): readonly WindowCommand[] {
  const byTitle = new Map<string, WindowCommand>();
  for (const command of windowCommands) {
    if (hidden.has(command.id) || !command.enabled()) continue;
    const same = byTitle.get(command.title);
    if (!same || (!same.keys && command.keys)) byTitle.set(command.title, command);
  }
  return [...byTitle.values()].map(named).concat(places());
}

/** Window presets are known by what they show, where a series is there to have them. */
function named(command: WindowCommand): WindowCommand {
  const preset = /^viewer-preset-(\d)$/.exec(command.id);
  const found = preset && activePresets()[Number(preset[1]) - 1];
  return found ? { ...command, title: `Window: ${found.name}` } : command;
}

/** What can be gone to: series of the open studies, and studies opened before. */
function places(): WindowCommand[] {
  const { studies, recent, selected, select, openRecent } = useStudies.getState();
  const isChosen = (studyId: string, seriesId: string) =>
    selected?.studyId === studyId && selected.seriesId === seriesId;
  const series = studies.flatMap(({ studyId, title, series: all }) =>
    all
      .filter(({ id }) => !isChosen(studyId, id))
      .map(({ id, description }) => ({
        id: `series-${studyId}-${id}`,
        title: `Go to ${description || 'series without a name'} (${title})`,
        group: 'File' as const,
        enabled: () => true,
        run: () => select({ studyId, seriesId: id }),
      })),
  );
  const opened = recent
    .filter(({ missing }) => !missing)
    .map(({ id, title }) => ({
      id: `recent-${id}`,
      title: `Open again: ${title}`,
      group: 'File' as const,
      enabled: () => true,
      run: () => void openRecent(id),
    }));
  return [...series, ...opened];
}

export function Palette() {
  const close = useUi((state) => state.closePanel);
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const available = useMemo(offered, []);
  const found = useMemo(
    () => fuzzyFilter(query, available, ({ title, group }) => `${title} ${group}`),
    [query, available],
  );
  const choose = (index: number): void => {
    setChosen(index);
    list.current?.children[index]?.scrollIntoView({ block: 'nearest' });
  };
  const run = (command: WindowCommand | undefined): void => {
    if (!command) return;
    close();
    // After the dialog has given the focus back: the command may want it elsewhere.
    setTimeout(() => command.run());
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (found.length > 0) choose((chosen + step + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(found[chosen]);
    }
  };
  return (
    <Dialog title="All commands" heading={false} className="palette" onClose={close} testId="palette">
      <input
        className="field palette-field"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={found[chosen] ? `${listId}-${found[chosen].id}` : undefined}
        aria-label="Command"
        placeholder="Type a command"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          choose(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div ref={list} id={listId} className="palette-list" role="listbox" aria-label="Commands">
        {found.map((command, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's; the focus never leaves it.
          <div
            key={command.id}
            id={`${listId}-${command.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            className="palette-item"
            onPointerMove={() => setChosen(index)}
            onClick={() => run(command)}
          >
            <span className="palette-group">{command.group}</span>
            <span>{command.title}</span>
            {command.keys && <kbd>{command.keys}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="palette-none dim">No command of that name.</p>}
    </Dialog>
  );
}
