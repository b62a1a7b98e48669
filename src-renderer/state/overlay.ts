/**
 * The seam between chat and viewer: what is to be drawn over the slices, and requests to go somewhere. The chat side
 * writes boxes as events stream in; the viewer side reads them when it redraws, outside React's render path.
 */
import { create } from 'zustand';
import type { AffineChain, LocatedBox, ProcessorBox } from '../../src-contract/geometry.ts';

export interface OverlayBox {
  /** `${runId}:${step}` */
  readonly id: string;
  readonly runId: string;
  readonly studyId: string;
  readonly seriesId: string;
  readonly step: number;
  readonly mode: '2d' | '3d';
  /** Source slice of a 2D run; null for volumes. */
  readonly slice: number | null;
  readonly clamped: ProcessorBox;
  /** As written by the model, when it differs from `clamped`; same order as ProcessorBox for 6 numbers. */
  readonly raw: readonly number[];
  readonly located: LocatedBox;
  readonly chain: AffineChain;
  /** Index into the step palette. */
  readonly colour: number;
}

interface OverlayState {
  readonly boxes: readonly OverlayBox[];
  readonly visible: boolean;
  readonly opacity: number;
  readonly style: 'outline' | 'solid';
  /** The box that is lit (hovered or walked to). */
  readonly active: string | null;
  /** Rises with each request to show a box: the viewer goes to its slices when it changes. */
  readonly goTo: { readonly id: string; readonly request: number; readonly close: boolean } | null;
  /** What a reader made of a box, by its id: corrected ones are drawn dashed, rejected ones faintly. */
  readonly marks: Readonly<Record<string, 'corrected' | 'rejected'>>;
  /** Two runs beside each other: each pane shows the boxes of its run, or both of both; null shows all there are. */
  readonly compared: {
    readonly runs: readonly [string, string];
    readonly both: boolean;
    /** 'a' is green and 'b' red, as 2D and 3D are in the paper's figure. */
    readonly colours: readonly ['a', 'b'] | readonly ['b', 'a'];
  } | null;
  add(box: OverlayBox): void;
  removeRun(runId: string): void;
  clear(): void;
  setVisible(visible: boolean): void;
  setOpacity(opacity: number): void;
  setStyle(style: 'outline' | 'solid'): void;
  setActive(id: string | null): void;
  /** `close` zooms in on it, so that it fills a good part of the pane. */
  show(id: string, close?: boolean): void;
  setMarks(marks: Readonly<Record<string, 'corrected' | 'rejected'>>): void;
  setCompared(compared: OverlayState['compared']): void;
}

export const useOverlay = create<OverlayState>()((set) => ({
  boxes: [],
  visible: true,
  opacity: 0.9,
  style: 'outline',
  active: null,
  goTo: null,
  marks: {},
  compared: null,
  add: (box) => set((state) => ({ boxes: [...state.boxes.filter(({ id }) => id !== box.id), box] })),
  removeRun: (runId) => set((state) => ({ boxes: state.boxes.filter((box) => box.runId !== runId) })),
  clear: () => set({ boxes: [], active: null, goTo: null }),
  setVisible: (visible) => set({ visible }),
  setOpacity: (opacity) => set({ opacity: Math.min(1, Math.max(0.1, opacity)) }),
  setStyle: (style) => set({ style }),
  setActive: (active) => set({ active }),
  show: (id, close = false) =>
    set((state) => ({ active: id, goTo: { id, close, request: (state.goTo?.request ?? 0) + 1 } })),
  setMarks: (marks) => set({ marks }),
  setCompared: (compared) => set({ compared }),
}));
