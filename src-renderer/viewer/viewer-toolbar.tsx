/** The viewer's toolbar: tools, windows, picture, layouts, boxes. */
import type { ReactElement, ReactNode } from 'react';
import { type Command, type CommandName, commands } from '../../src-contract/commands.ts';
import { readableKeys } from '../commands/accelerators.ts';
import { useOverlay } from '../state/overlay.ts';
import { useViewer } from '../state/viewer-store.ts';
import { activePresets, runViewerCommand, viewerCommand, whyNoPlanes } from './commands.ts';
import { Icon, type IconName } from './icons.tsx';
import { viewer } from './viewer-handle.ts';

/** The accelerator of a command that the native menu binds, as it is printed on this keyboard. */
function menuKeys(id: string): string | undefined {
  const known: Command | undefined = Object.hasOwn(commands, id) ? commands[id as CommandName] : undefined;
  return known?.accelerator && readableKeys(known.accelerator);
}
const readable: Record<string, string> = { ' ': 'Space' };

interface ToolButtonProps {
  readonly command: string;
  readonly icon: IconName;
  /** Absent for buttons that don't stay down. */
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  /** Why it is disabled. */
  readonly reason?: string | null;
  readonly testId?: string;
}

function ToolButton({ command, icon, pressed, disabled, reason, testId }: ToolButtonProps): ReactElement {
  const known = viewerCommand(command);
  const title = known?.title ?? command;
  const key = known?.shortcut
    ? (readable[known.shortcut] ?? known.shortcut.toUpperCase())
    : menuKeys(command);
  return (
    <button
      type="button"
      className="tool"
      aria-label={title}
      aria-pressed={pressed}
      title={reason ? `${title}: ${reason}` : key ? `${title} (${key})` : title}
      disabled={disabled || Boolean(reason)}
      data-testid={testId ?? command}
      onClick={() => runViewerCommand(command)}
    >
      <Icon name={icon} />
    </button>
  );
}

function Group({ label, children }: { label: string; children: ReactNode }): ReactElement {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset's box model does not fit a toolbar
    <div className="tool-group" role="group" aria-label={label}>
      {children}
    </div>
  );
}

function Tools(): ReactElement {
  const tool = useViewer((state) => state.tool);
  const isPlanes = useViewer(({ layout }) => layout === 'mpr');
  const all = [
    ['window', 'window'],
    ['pan', 'pan'],
    ['zoom', 'zoom'],
    ['scroll', 'scroll'],
    ['crosshair', 'crosshair'],
    ['length', 'length'],
    ['rectangle', 'rectangle'],
  ] as const;
  return (
    <Group label="Left mouse button">
      {all.map(([id, icon]) => (
        <ToolButton
          key={id}
          command={`viewer-tool-${id}`}
          icon={icon}
          pressed={tool === id}
          disabled={id === 'crosshair' && !isPlanes}
          testId={`tool-${id}`}
        />
      ))}
    </Group>
  );
}

function Windows(): ReactElement {
  // Known once the pane shows the series, which is when `current` names it.
  useViewer(({ current, active }) => `${current?.studyId}/${current?.seriesId}/${active}`);
  const presets = activePresets();
  return (
    <Group label="Window">
      <select
        className="tool-select"
        aria-label="Window preset"
        title="Window preset (1 to 9)"
        data-testid="window-preset"
        value=""
        disabled={presets.length === 0}
        onChange={(event) => {
          const preset = presets[Number(event.target.value)];
          const pane = viewer()?.activePane;
          if (preset && pane) viewer()?.setDisplay(pane, { lower: preset.lower, upper: preset.upper });
        }}
      >
        <option value="" disabled>
          Window
        </option>
        {presets.map((preset, n) => (
          <option key={preset.name} value={n}>
            {preset.name}
          </option>
        ))}
      </select>
      <ToolButton command="viewer-auto-window" icon="auto" />
      <ToolButton command="viewer-invert" icon="invert" />
    </Group>
  );
}

function Layouts(): ReactElement {
  const layout = useViewer((state) => state.layout);
  const mode = useViewer((state) => state.mode);
  useViewer((state) => state.webgl);
  // Known once the pane shows the series, which is when `current` names it.
  useViewer(({ current, active }) => `${current?.studyId}/${current?.seriesId}/${active}`);
  const all = [
    ['1x1', 'one'],
    ['1x2', 'two'],
    ['2x2', 'four'],
    ['mpr', 'planes'],
  ] as const;
  return (
    <Group label="Layout">
      {all.map(([id, icon]) => (
        <ToolButton
          key={id}
          command={`layout-${id}`}
          icon={icon}
          pressed={layout === id && mode === 'images'}
          reason={id === 'mpr' ? whyNoPlanes() : null}
        />
      ))}
      <ToolButton command="toggle-model-view" icon="model" pressed={mode === 'model'} />
    </Group>
  );
}

function Links(): ReactElement {
  const { crosshairs, referenceLines, synchronised, layout } = useViewer();
  const isPlanes = layout === 'mpr';
  return (
    <Group label="Linked viewports">
      {isPlanes ? (
        <ToolButton command="viewer-crosshairs" icon="crosshair" pressed={crosshairs} />
      ) : (
        <>
          <ToolButton command="viewer-reference-lines" icon="lines" pressed={referenceLines} />
          <ToolButton command="viewer-synchronise" icon="sync" pressed={synchronised} />
        </>
      )}
    </Group>
  );
}

function Cine(): ReactElement {
  const { playing, framesPerSecond } = useViewer((state) => state.cine);
  const title = playing ? 'Pause' : 'Play';
  return (
    <Group label="Cine">
      <button
        type="button"
        className="tool"
        aria-label={title}
        title={`${title} (Space)`}
        data-testid="cine"
        onClick={() => runViewerCommand('viewer-cine')}
      >
        <Icon name={playing ? 'pause' : 'play'} />
      </button>
      <select
        className="tool-select narrow"
        aria-label="Slices per second"
        title="Slices per second"
        value={framesPerSecond}
        onChange={(event) => useViewer.getState().setCine({ framesPerSecond: Number(event.target.value) })}
      >
        {[4, 8, 12, 20, 30].map((speed) => (
          <option key={speed} value={speed}>
            {speed}/s
          </option>
        ))}
      </select>
    </Group>
  );
}

function Boxes(): ReactElement {
  const visible = useOverlay((state) => state.visible);
  const opacity = useOverlay((state) => state.opacity);
  const style = useOverlay((state) => state.style);
  return (
    <Group label="Boxes of the model">
      <ToolButton command="viewer-toggle-overlay" icon="boxes" pressed={visible} testId="toggle-overlays" />
      <ToolButton
        command="viewer-overlay-style"
        icon="solid"
        pressed={style === 'solid'}
        disabled={!visible}
      />
      <input
        type="range"
        className="tool-range"
        min={0.1}
        max={1}
        step={0.05}
        value={opacity}
        disabled={!visible}
        aria-label="Opacity of the boxes"
        title="Opacity of the boxes"
        data-testid="overlay-opacity"
        onChange={(event) => useOverlay.getState().setOpacity(Number(event.target.value))}
      />
    </Group>
  );
}

export function ViewerToolbar(): ReactElement {
  return (
    <div
      className="viewer-toolbar"
      role="toolbar"
      aria-label="Viewer tools"
      // A click on a tool leaves the focus in the viewport, so that the arrow keys go on scrolling.
      onMouseDown={(event) => {
        if (event.target instanceof Element && event.target.closest('button')) event.preventDefault();
      }}
    >
      <Tools />
      <Windows />
      <Group label="Picture">
        <ToolButton command="viewer-rotate" icon="rotate" />
        <ToolButton command="viewer-flip-horizontal" icon="flipHorizontal" />
        <ToolButton command="viewer-flip-vertical" icon="flipVertical" />
        <ToolButton command="viewer-reset" icon="reset" />
      </Group>
      <Cine />
      <Layouts />
      <Links />
      <Boxes />
    </div>
  );
}
