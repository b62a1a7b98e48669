/** The corner of the window: areas shown and hidden, and the panels. */
import { useSettings } from '../state/settings-store.ts';
import { useUi } from '../state/ui-store.ts';
import { IconButton } from './icon-button.tsx';
import { useNarrow } from './use-narrow.ts';

export function TopBar() {
  const { browserOpen, browserOver, chatOpen, setLayout, toggleBrowser, openPanel } = useUi();
  const listShown = useNarrow() ? browserOver : browserOpen;
  const theme = useSettings(({ settings }) => settings.theme);
  const change = useSettings((state) => state.change);
  return (
    <header className="top-bar">
      <h1 className="visually-hidden">Readroom</h1>
      <IconButton
        icon="panel-left"
        label={listShown ? 'Hide the study list' : 'Show the study list'}
        aria-pressed={listShown}
        onClick={toggleBrowser}
      />
      <button
        type="button"
        className="palette-button"
        title="All commands (Ctrl+K)"
        onClick={() => openPanel('palette')}
      >
        <span>Commands</span>
        <kbd>Ctrl+K</kbd>
      </button>
      <span className="spacer" />
      <IconButton icon="model" label="Models" data-testid="show-models" onClick={() => openPanel('models')} />
      <IconButton
        icon="settings"
        label="Settings"
        data-testid="show-settings"
        onClick={() => openPanel('settings')}
      />
      <IconButton icon="keyboard" label="Keyboard shortcuts (?)" onClick={() => openPanel('shortcuts')} />
      <IconButton
        icon={theme === 'dark' ? 'sun' : 'moon'}
        label={theme === 'dark' ? 'Light theme' : 'Dark theme'}
        data-testid="theme-toggle"
        onClick={() => change({ theme: theme === 'dark' ? 'light' : 'dark' })}
      />
      <IconButton
        icon="panel-right"
        label={chatOpen ? 'Hide the questions' : 'Show the questions'}
        aria-pressed={chatOpen}
        onClick={() => setLayout({ chatOpen: !chatOpen })}
      />
    </header>
  );
}
