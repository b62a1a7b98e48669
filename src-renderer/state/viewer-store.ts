/**
 * How the viewer is arranged: layout, tool, what each pane shows. Pixels, cameras and pointer movements stay out of
 * here; `current` changes once per slice, and only the panes' own controls and the chat's target line listen to it.
 */
import { create } from 'zustand';
import type { SeriesRef } from './study-store.ts';

export const layouts = ['1x1', '1x2', '2x2', 'mpr'] as const;
export type Layout = (typeof layouts)[number];

export const planes = ['axial', 'sagittal', 'coronal'] as const;
export type PlaneName = (typeof planes)[number];
export type PaneView = 'stack' | PlaneName;

export const tools = ['window', 'pan', 'zoom', 'scroll', 'crosshair', 'length', 'rectangle'] as const;
export type Tool = (typeof tools)[number];

export const paneCount = 4;

export interface PaneSpec {
  readonly series: SeriesRef | null;
  readonly view: PaneView;
}

/** The slice under the reader's eyes: the active pane's. */
export interface CurrentSlice extends SeriesRef {
  /** Source slice k, from 0; null on a plane that is not a source slice (sagittal, coronal…). */
  readonly slice: number | null;
  readonly slices: number;
}

interface ViewerState {
  readonly layout: Layout;
  readonly panes: readonly PaneSpec[];
  readonly active: number;
  readonly tool: Tool;
  /** 'model' shows the slices as the model sees them instead of the panes. */
  readonly mode: 'images' | 'model';
  readonly crosshairs: boolean;
  readonly referenceLines: boolean;
  /** Scroll by patient position in all panes. */
  readonly synchronised: boolean;
  readonly cine: { readonly playing: boolean; readonly framesPerSecond: number };
  readonly current: CurrentSlice | null;
  /** WebGL is there; null until it was looked for. */
  readonly webgl: boolean | null;
  setLayout(layout: Layout): void;
  setActive(pane: number): void;
  setTool(tool: Tool): void;
  setMode(mode: 'images' | 'model'): void;
  setCrosshairs(on: boolean): void;
  setReferenceLines(on: boolean): void;
  setSynchronised(on: boolean): void;
  setCine(change: Partial<{ playing: boolean; framesPerSecond: number }>): void;
  setView(pane: number, view: PaneView): void;
  /** Shows a series in a pane; the other panes of an MPR follow. */
  showSeries(pane: number, series: SeriesRef | null): void;
  /** Panes that show a series of this study become empty. */
  forgetStudy(studyId: string): void;
  setCurrent(current: CurrentSlice | null): void;
  setWebgl(webgl: boolean): void;
}

export const visiblePanes = (layout: Layout): number =>
  layout === '1x1' ? 1 : layout === '1x2' ? 2 : layout === 'mpr' ? 3 : paneCount;

const empty: readonly PaneSpec[] = Array.from({ length: paneCount }, () => ({ series: null, view: 'stack' }));

/** Panes of a layout: MPR is the three planes of one series, the others are stacks. */
function arrange(layout: Layout, panes: readonly PaneSpec[], active: number): PaneSpec[] {
  const series = panes[active]?.series ?? panes.find((pane) => pane.series)?.series ?? null;
  if (layout === 'mpr') return planes.map((view): PaneSpec => ({ series, view })).concat(panes.slice(3));
  return panes.map((pane, n) => ({
    series: n < visiblePanes(layout) ? (pane.series ?? series) : pane.series,
    view: 'stack',
  }));
}

export const useViewer = create<ViewerState>()((set) => ({
  layout: '1x1',
  panes: empty,
  active: 0,
  tool: 'window',
  mode: 'images',
  crosshairs: true,
  referenceLines: true,
  synchronised: false,
  cine: { playing: false, framesPerSecond: 12 },
  current: null,
  webgl: null,
  setLayout: (layout) =>
    set(({ panes, active, tool }) => ({
      layout,
      mode: 'images',
      // The crosshair means something in the three planes only.
      tool: layout === 'mpr' ? 'crosshair' : tool === 'crosshair' ? 'window' : tool,
      panes: arrange(layout, panes, active),
      active: active < visiblePanes(layout) ? active : 0,
    })),
  setActive: (active) => set({ active }),
  setTool: (tool) => set({ tool }),
  setMode: (mode) => set({ mode }),
  setCrosshairs: (crosshairs) => set({ crosshairs }),
  setReferenceLines: (referenceLines) => set({ referenceLines }),
  setSynchronised: (synchronised) => set({ synchronised }),
  setCine: (change) => set(({ cine }) => ({ cine: { ...cine, ...change } })),
  setView: (pane, view) =>
    set(({ panes }) => ({ panes: panes.map((spec, n) => (n === pane ? { ...spec, view } : spec)) })),
  showSeries: (pane, series) =>
    set(({ panes, layout }) => ({
      panes: panes.map((spec, n) =>
        n === pane || (layout === 'mpr' && n < visiblePanes(layout)) ? { ...spec, series } : spec,
      ),
    })),
  forgetStudy: (studyId) =>
    set(({ panes, current }) => ({
      panes: panes.map((spec) => (spec.series?.studyId === studyId ? { ...spec, series: null } : spec)),
      current: current?.studyId === studyId ? null : current,
    })),
  setCurrent: (current) =>
    set((state) =>
      state.current?.studyId === current?.studyId &&
      state.current?.seriesId === current?.seriesId &&
      state.current?.slice === current?.slice &&
      state.current?.slices === current?.slices
        ? state
        : { current },
    ),
  setWebgl: (webgl) => set({ webgl }),
}));
