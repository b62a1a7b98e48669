/**
 * Every command of the window in one list, for the palette, the shortcut sheet and the native menu: the contract's own,
 * the viewer's, and a few of the chat's.
 */
import { type Command, type CommandName, commandNames, commands } from '../../src-contract/commands.ts';
import { askDraft, stopActive } from '../chat/asking.ts';
import { useComposer } from '../chat/composer-store.ts';
import { saveTrace } from '../chat/turn-actions.tsx';
import { showExport } from '../export/export-store.ts';
import { showHistory } from '../project/history-store.ts';
import { createProject, mergeProject, openProject } from '../project/project-store.ts';
import { reviewCommands } from '../review/keyboard/commands.ts';
import { openNextRun } from '../review/open-run.ts';
import { redo, undo } from '../review/reading.ts';
import { showReview } from '../review/show-review.ts';
import { call } from '../state/bridge.ts';
import { useRuns } from '../state/run-store.ts';
import { useSettings } from '../state/settings-store.ts';
import { useStudies } from '../state/study-store.ts';
import { useUi } from '../state/ui-store.ts';
import { runViewerCommand, viewerCommand, viewerCommands } from '../viewer/commands.ts';
import { readableKey, readableKeys } from './accelerators.ts';

export interface WindowCommand {
  readonly id: string;
  readonly title: string;
  readonly group: 'File' | 'View' | 'Viewer' | 'Run' | 'Review' | 'Help';
  /** As people read it: 'Ctrl+K', 'W'. */
  readonly keys?: string;
  enabled(): boolean;
  run(): void;
}

/** The last run of the study in hand that has a trace. */
function lastTrace(): string | null {
  const { order, runs } = useRuns.getState();
  const studyId = useStudies.getState().selected?.studyId;
  return order.findLast((id) => runs[id].ask.studyId === studyId && runs[id].started !== null) ?? null;
}

function toggleTheme(): void {
  const { settings, change } = useSettings.getState();
  change({ theme: settings.theme === 'dark' ? 'light' : 'dark' });
}

/** The newest study that is in hand or open. */
const studyInHand = (): string | undefined => useStudies.getState().selected?.studyId;

const always = (): boolean => true;

interface Action {
  readonly run: () => void;
  readonly enabled?: () => boolean;
}

/** What the shell itself carries out; the other names of the contract are the viewer's. */
const actions: Partial<Record<CommandName, Action>> = {
  'open-file': { run: () => void useStudies.getState().pick('file') },
  'open-folder': { run: () => void useStudies.getState().pick('folder') },
  'open-sample': {
    run: () => void useStudies.getState().openSample(useStudies.getState().samples[0].id),
    enabled: () => useStudies.getState().samples.length > 0,
  },
  'close-study': {
    run: () => {
      const studyId = studyInHand();
      if (studyId) void useStudies.getState().close(studyId);
    },
    enabled: () => studyInHand() !== undefined,
  },
  'export-trace': {
    run: () => {
      const runId = lastTrace();
      if (runId) void saveTrace(runId);
    },
    enabled: () => lastTrace() !== null,
  },
  'show-settings': { run: () => useUi.getState().openPanel('settings') },
  'toggle-theme': { run: toggleTheme },
  'show-tags': {
    run: () => useUi.getState().openPanel('tags'),
    enabled: () => studyInHand() !== undefined,
  },
  'show-models': { run: () => useUi.getState().openPanel('models') },
  ask: {
    // With nothing written yet, asking begins with writing.
    run: () => (useComposer.getState().question.trim() ? void askDraft() : useComposer.getState().focus()),
    enabled: () => studyInHand() !== undefined,
  },
  stop: { run: () => void stopActive() },
  'show-export': { run: () => showExport() },
  'new-project': { run: () => void createProject() },
  'open-project': { run: () => void openProject() },
  'merge-project': { run: () => void mergeProject() },
  'show-review': { run: showReview },
  'show-cases': { run: () => useUi.getState().showList('cases') },
  'next-unfinished': { run: () => void openNextRun() },
  'undo-review': { run: () => void undo() },
  'redo-review': { run: () => void redo() },
  'show-compare': { run: () => useUi.getState().showSide('compare') },
  'show-agreement': { run: () => useUi.getState().openPanel('agreement') },
  'show-readers': { run: () => useUi.getState().openPanel('readers') },
  'show-history': { run: () => showHistory(null) },
  'command-palette': { run: () => useUi.getState().togglePanel('palette') },
  'show-shortcuts': { run: () => useUi.getState().openPanel('shortcuts') },
  'show-about': { run: () => useUi.getState().openPanel('about') },
  'show-docs': { run: () => void call('app.openDocs', {}).catch(useUi.getState().report) },
};

function contractCommand(name: CommandName): WindowCommand {
  const { label, group, accelerator }: Command = commands[name];
  const action = actions[name];
  return {
    id: name,
    title: label.replace(/…$/, ''),
    group,
    keys: accelerator && readableKeys(accelerator),
    enabled: action ? (action.enabled ?? always) : () => viewerCommand(name)?.enabled?.() !== false,
    run: action ? action.run : () => void runViewerCommand(name),
  };
}

const shellCommands: readonly WindowCommand[] = [
  {
    id: 'focus-question',
    title: 'Write a question',
    group: 'Run',
    keys: '/',
    enabled: () => studyInHand() !== undefined,
    run: () => useComposer.getState().focus(),
  },
  {
    id: 'toggle-side',
    title: 'Questions or review',
    group: 'Review',
    keys: 'Q',
    enabled: always,
    run: () => (useUi.getState().side === 'review' ? useUi.getState().showSide('chat') : showReview()),
  },
  {
    id: 'toggle-follow',
    title: 'Follow the boxes of a run in the viewer',
    group: 'Run',
    enabled: always,
    run: () => useUi.getState().setFollow(!useUi.getState().following),
  },
  {
    id: 'toggle-confidence',
    title: 'Show token confidence',
    group: 'Run',
    enabled: always,
    run: () => {
      const { settings, change } = useSettings.getState();
      change({ showConfidence: !settings.showConfidence });
    },
  },
  {
    id: 'toggle-browser',
    title: 'Show or hide the study list',
    group: 'View',
    enabled: always,
    run: () => useUi.getState().toggleBrowser(),
  },
  {
    id: 'toggle-chat',
    title: 'Show or hide the questions',
    group: 'View',
    enabled: always,
    run: () => useUi.getState().setLayout({ chatOpen: !useUi.getState().chatOpen }),
  },
];

const fromViewer = viewerCommands
  .filter(({ id }) => !Object.hasOwn(commands, id))
  .map(
    ({ id, title, shortcut, enabled, run }): WindowCommand => ({
      id,
      title,
      group: 'Viewer',
      keys: shortcut && readableKey(shortcut),
      enabled: () => enabled?.() !== false,
      run,
    }),
  );

/** Arrow keys are told in a line of their own (shortcuts.tsx). */
const isNudge = ({ id }: { readonly id: string }): boolean => id.startsWith('review-nudge');

const fromReview = reviewCommands
  .filter((one) => !isNudge(one))
  .map(
    ({ id, title, shortcut, enabled, run }): WindowCommand => ({
      id,
      title,
      group: 'Review',
      keys: shortcut && readableKey(shortcut),
      enabled: () => enabled?.() !== false,
      run,
    }),
  );

export const windowCommands: readonly WindowCommand[] = [
  ...commandNames.map(contractCommand),
  ...shellCommands,
  ...fromReview,
  ...fromViewer,
];

/** Runs a command if it may be run now. */
export function runCommand(id: string): void {
  const command = windowCommands.find((one) => one.id === id);
  if (command?.enabled()) command.run();
}
