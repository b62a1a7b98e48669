/**
 * Everything the viewer does that has a name: for the palette, the shortcut sheet, the menu and the toolbar. Commands
 * that the native menu owns (src-contract/commands.ts) have the same ids and no key here; the others are single keys,
 * which the viewer binds itself (keyboard.ts).
 */
import { useOverlay } from '../state/overlay.ts';
import { type Layout, type Tool, useViewer } from '../state/viewer-store.ts';
import { flipHorizontally, flipVertically, panBy, turnClockwise, zoomAt } from './camera.ts';
import { measurements } from './layers/measurements.ts';
import type { Pane } from './pane.ts';
import { viewer } from './viewer-handle.ts';
import { type Preset, presetsOf } from './window-presets.ts';

export interface ViewerCommand {
  readonly id: string;
  readonly title: string;
  /** As KeyboardEvent.key, with 'Shift+' in front; ' ' is Space. */
  readonly shortcut?: string;
  run(): void;
  enabled?(): boolean;
}

const pane = (): Pane | null => viewer()?.activePane ?? null;
const hasImage = (): boolean => pane()?.shown != null;

/** A command on the active pane. */
function onPane(
  id: string,
  title: string,
  shortcut: string | undefined,
  run: (active: Pane) => void,
): ViewerCommand {
  return {
    id: `viewer-${id}`,
    title,
    shortcut,
    enabled: hasImage,
    run: () => {
      const active = pane();
      if (active) run(active);
    },
  };
}

const zoomBy = (factor: number) => (active: Pane) =>
  active.move((camera, extent) => zoomAt(camera, extent, factor, [extent.width / 2, extent.height / 2]));
const panStep = 40;
const panTo = (dx: number, dy: number) => (active: Pane) => active.move((camera) => panBy(camera, [dx, dy]));

const scrolling: readonly ViewerCommand[] = [
  onPane('next-slice', 'Next slice', 'ArrowDown', (active) => active.setSlice(active.wanted + 1)),
  onPane('previous-slice', 'Previous slice', 'ArrowUp', (active) => active.setSlice(active.wanted - 1)),
  onPane('forward-10', 'Ten slices on', 'PageDown', (active) => active.setSlice(active.wanted + 10)),
  onPane('back-10', 'Ten slices back', 'PageUp', (active) => active.setSlice(active.wanted - 10)),
  onPane('first-slice', 'First slice', 'Home', (active) => active.setSlice(0)),
  onPane('last-slice', 'Last slice', 'End', (active) => active.setSlice(active.slices - 1)),
  {
    ...onPane('cine', 'Play or pause', ' ', () => {
      const { cine, setCine } = useViewer.getState();
      setCine({ playing: !cine.playing });
    }),
    enabled: () => (pane()?.slices ?? 0) > 1,
  },
];

const looking: readonly ViewerCommand[] = [
  onPane('zoom-in', 'Zoom in', '+', zoomBy(1.25)),
  onPane('zoom-out', 'Zoom out', '-', zoomBy(1 / 1.25)),
  onPane('pan-left', 'Move left', 'Shift+ArrowLeft', panTo(-panStep, 0)),
  onPane('pan-right', 'Move right', 'Shift+ArrowRight', panTo(panStep, 0)),
  onPane('pan-up', 'Move up', 'Shift+ArrowUp', panTo(0, -panStep)),
  onPane('pan-down', 'Move down', 'Shift+ArrowDown', panTo(0, panStep)),
  onPane('rotate', 'Rotate a quarter turn', 'o', (active) => active.move(turnClockwise)),
  onPane('flip-horizontal', 'Flip left to right', 'h', (active) => active.move(flipHorizontally)),
  onPane('flip-vertical', 'Flip top to bottom', 'v', (active) => active.move(flipVertically)),
  onPane('invert', 'Invert grey levels', 'i', (active) => {
    const now = viewer()?.display(active);
    if (now) viewer()?.setDisplay(active, { invert: !now.invert });
  }),
  onPane('smooth', 'Smooth or show pixels', 'n', (active) => {
    const now = viewer()?.display(active);
    if (now) viewer()?.setDisplay(active, { smooth: !now.smooth });
  }),
  onPane('auto-window', 'Automatic window', 'a', (active) => {
    const range = viewer()?.autoWindow(active);
    if (range) viewer()?.setDisplay(active, range);
  }),
  onPane('fit', 'Fit to window', 'f', (active) => active.resetCamera()),
  onPane('reset', 'Reset view and window', 'r', (active) => {
    active.resetCamera();
    viewer()?.resetDisplay(active);
  }),
];

/** Presets of what the active pane shows. */
export function activePresets(): readonly Preset[] {
  const source = pane()?.source;
  return source ? presetsOf(source.series, source.pixels.range[0]) : [];
}

const presetKeys = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];
const presetCommands: readonly ViewerCommand[] = presetKeys.map((key, n) => ({
  id: `viewer-preset-${key}`,
  title: `Window preset ${key}`,
  shortcut: key,
  enabled: () => n < activePresets().length,
  run: () => {
    const active = pane();
    const preset = activePresets()[n];
    if (active && preset) viewer()?.setDisplay(active, { lower: preset.lower, upper: preset.upper });
  },
}));

const tool = (id: Tool, title: string, shortcut: string): ViewerCommand => ({
  id: `viewer-tool-${id}`,
  title,
  shortcut,
  run: () => useViewer.getState().setTool(id),
  enabled: id === 'crosshair' ? () => useViewer.getState().layout === 'mpr' : undefined,
});

const toolCommands: readonly ViewerCommand[] = [
  tool('window', 'Window and level', 'w'),
  tool('pan', 'Pan', 'p'),
  tool('zoom', 'Zoom', 'z'),
  tool('scroll', 'Scroll', 's'),
  tool('crosshair', 'Crosshair', 'x'),
  tool('length', 'Measure a length', 'l'),
  tool('rectangle', 'Measure a rectangle', 'm'),
  {
    id: 'viewer-delete-measurement',
    title: 'Delete the chosen measurement',
    shortcut: 'Delete',
    enabled: () => measurements.selected !== null,
    run: () => {
      if (measurements.selected !== null) measurements.remove(measurements.selected);
    },
  },
  {
    id: 'viewer-clear-measurements',
    title: 'Delete all measurements',
    enabled: () => measurements.count > 0,
    run: () => measurements.clear(),
  },
];

const layout = (id: Layout, title: string): ViewerCommand => ({
  id: `layout-${id}`,
  title,
  run: () => useViewer.getState().setLayout(id),
  enabled: id === 'mpr' ? () => whyNoPlanes() === null : undefined,
});

/** Why the series in hand can't be shown in three planes; null when it can. */
export function whyNoPlanes(): string | null {
  if (useViewer.getState().webgl === false) return 'needs WebGL, which this machine does not offer';
  return pane()?.source?.geometry.noPlanes ?? null;
}

const switches: readonly ViewerCommand[] = [
  layout('1x1', 'One viewport'),
  layout('1x2', 'Two viewports'),
  layout('2x2', 'Four viewports'),
  layout('mpr', 'Axial, sagittal, coronal'),
  {
    id: 'toggle-overlay',
    title: 'Show or hide the boxes of the model',
    run: () => useOverlay.getState().setVisible(!useOverlay.getState().visible),
  },
  {
    id: 'viewer-toggle-overlay',
    title: 'Show or hide the boxes of the model',
    shortcut: 'b',
    run: () => useOverlay.getState().setVisible(!useOverlay.getState().visible),
  },
  {
    id: 'viewer-overlay-style',
    title: 'Boxes as outlines or filled',
    run: () => {
      const { style, setStyle } = useOverlay.getState();
      setStyle(style === 'outline' ? 'solid' : 'outline');
    },
  },
  {
    id: 'toggle-model-view',
    title: 'As the model sees it',
    run: () => {
      const { mode, setMode } = useViewer.getState();
      setMode(mode === 'model' ? 'images' : 'model');
    },
  },
  {
    id: 'viewer-crosshairs',
    title: 'Show or hide the crosshair',
    shortcut: 'c',
    run: () => useViewer.getState().setCrosshairs(!useViewer.getState().crosshairs),
  },
  {
    id: 'viewer-reference-lines',
    title: 'Show or hide reference lines',
    run: () => useViewer.getState().setReferenceLines(!useViewer.getState().referenceLines),
  },
  {
    id: 'viewer-synchronise',
    title: 'Scroll viewports together by patient position',
    shortcut: 'y',
    run: () => useViewer.getState().setSynchronised(!useViewer.getState().synchronised),
  },
  {
    id: 'viewer-next-pane',
    title: 'Next viewport',
    shortcut: 'e',
    run: () => {
      const panes = viewer()?.visible ?? [];
      const { active, setActive } = useViewer.getState();
      if (panes.length > 0) setActive((active + 1) % panes.length);
    },
  },
];

export const viewerCommands: readonly ViewerCommand[] = [
  ...switches,
  ...scrolling,
  ...looking,
  ...presetCommands,
  ...toolCommands,
];

export const viewerCommand = (id: string): ViewerCommand | undefined =>
  viewerCommands.find((command) => command.id === id);

/** Runs a command if it may be run now. */
export function runViewerCommand(id: string): boolean {
  const command = viewerCommand(id);
  if (!command || command.enabled?.() === false) return false;
  command.run();
  return true;
}
