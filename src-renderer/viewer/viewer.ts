/**
 * The viewer behind the panes: it shows what the stores say, and keeps panes together (windows shared by series, linked
 * planes, synchronised scrolling, boxes to go to). Loaded with cornerstone on the first use, so that the window is
 * interactive before.
 */
import {
  cache,
  imageLoader,
  init,
  RenderingEngine,
  type RenderingEngine as RenderingEngineType,
} from '@cornerstonejs/core';
import { toReadroomError } from '../../src-contract/errors.ts';
import { call, on } from '../state/bridge.ts';
import { useOverlay } from '../state/overlay.ts';
import { boxInHand, useReaderBoxes } from '../state/reader-boxes.ts';
import { findSeries, type SeriesRef, seriesKey, useStudies } from '../state/study-store.ts';
import { type PaneSpec, useViewer, visiblePanes } from '../state/viewer-store.ts';
import { goToBox } from './go-to-box.ts';
import { canLink } from './layers/lines-layer.ts';
import { measurements } from './layers/measurements.ts';
import { type PaneElements, PaneLayers } from './layers/pane-layers.ts';
import { Pane } from './pane.ts';
import { CanvasDrawing } from './pixels/canvas-drawing.ts';
import type { Display } from './pixels/drawing.ts';
import { GlDrawing } from './pixels/gl-drawing.ts';
import {
  forgetSource,
  type ImageSource,
  registerImageScheme,
  registerSource,
} from './pixels/image-scheme.ts';
import { Prefetcher } from './pixels/prefetch.ts';
import { transform, type Vec3 } from './vector.ts';
import { orientationOf } from './view-orientation.ts';
import type { Range } from './window-presets.ts';
import { autoRange, firstRange } from './window-presets.ts';

/** Slices that may be kept, of all open studies: beyond it the least used go and are fetched again. */
const cacheBytes = 6 * 1024 ** 3;

interface Attached {
  readonly pane: Pane;
  readonly layers: PaneLayers;
  spec: PaneSpec | null;
}

export class Viewer {
  private readonly attached = new Map<number, Attached>();
  private readonly sources = new Map<string, Promise<ImageSource>>();
  private readonly prefetchers = new Map<string, Prefetcher>();
  private readonly displays = new Map<string, Display>();
  /** As they were at first, for the reset. */
  private readonly firstDisplays = new Map<string, Display>();
  /** Voxel of each series that was looked at last: where other views of it begin. */
  private readonly places = new Map<string, Vec3>();

  private constructor(private readonly engine: RenderingEngineType | null) {
    useViewer.subscribe((state, before) => {
      if (state.panes !== before.panes || state.layout !== before.layout) this.syncPanes();
      if (state.active !== before.active) this.reportCurrent();
      if (state !== before) this.drawLines();
    });
    useOverlay.subscribe((state, before) => {
      for (const { layers } of this.attached.values()) layers.boxes.update();
      if (state.goTo && state.goTo !== before.goTo) goToBox(this, state.goTo.id, state.goTo.close);
    });
    useReaderBoxes.subscribe(() => {
      for (const { layers } of this.attached.values()) layers.edits.update();
    });
    useStudies.subscribe((state, before) => {
      if (state.selected && state.selected !== before.selected) this.showSelected(state.selected);
      for (const { studyId } of before.studies) {
        if (!state.studies.some((study) => study.studyId === studyId)) this.closeStudy(studyId);
      }
    });
    measurements.listen(() => {
      for (const { layers } of this.attached.values()) layers.measures.update();
    });
    on('series.retyped', (ref) => this.readAgain(ref));
    const { selected } = useStudies.getState();
    if (selected) this.showSelected(selected);
  }

  static create(): Viewer {
    // One WebGL context for all panes: a volume's texture is then on the graphics card once, not once a pane.
    init({ rendering: { webGlContextCount: 1 } } as Parameters<typeof init>[0]);
    registerImageScheme();
    cache.setMaxCacheSize(cacheBytes);
    const webgl = hasWebgl();
    useViewer.getState().setWebgl(webgl);
    return new Viewer(webgl ? new RenderingEngine('readroom') : null);
  }

  /** Puts a pane on the screen. Returns what takes it off again. */
  attach(number: number, elements: PaneElements): () => void {
    const drawing = this.engine
      ? new GlDrawing(this.engine, `pane-${number}`, elements.picture)
      : new CanvasDrawing(elements.picture);
    const pane = new Pane(number, elements.picture, drawing);
    const layers = new PaneLayers(pane, elements, this);
    const entry: Attached = { pane, layers, spec: null };
    this.attached.set(number, entry);
    pane.listen((event) => {
      if (event === 'slice') this.onSlice(pane);
      if (event === 'camera') this.drawLines();
    });
    const observer = new ResizeObserver(() => pane.resize());
    observer.observe(elements.picture);
    this.syncPanes();
    return () => {
      observer.disconnect();
      layers.dispose();
      pane.dispose();
      this.attached.delete(number);
      this.holdNeeded();
    };
  }

  get panes(): readonly Pane[] {
    return [...this.attached.values()].map(({ pane }) => pane);
  }

  get visible(): readonly Pane[] {
    const count = visiblePanes(useViewer.getState().layout);
    return this.panes.filter(({ number }) => number < count);
  }

  get activePane(): Pane | null {
    return this.attached.get(useViewer.getState().active)?.pane ?? null;
  }

  /** The active pane's layers. */
  get activeLayers(): PaneLayers | null {
    return this.attached.get(useViewer.getState().active)?.layers ?? null;
  }

  private showSelected(ref: SeriesRef): void {
    const { active, panes, showSeries, layout, setLayout } = useViewer.getState();
    const series = findSeries(ref);
    const shown = panes[active]?.series;
    if (layout === 'mpr' && series && series.kind !== 'volume') setLayout('1x1');
    if (shown && seriesKey(shown) === seriesKey(ref)) return;
    showSeries(useViewer.getState().active, ref);
  }

  private syncPanes(): void {
    const { panes } = useViewer.getState();
    for (const [number, entry] of this.attached) {
      const spec = panes[number];
      if (!spec || entry.spec === spec) continue;
      const same =
        entry.spec?.view === spec.view &&
        entry.spec.series !== null &&
        spec.series !== null &&
        seriesKey(entry.spec.series) === seriesKey(spec.series);
      // The same again, in another object: what is on its way for it goes on.
      if (same) continue;
      entry.spec = spec;
      if (spec.series) void this.showIn(entry, spec, spec.series);
      else entry.pane.clear();
    }
    this.holdNeeded();
    this.reportCurrent();
  }

  private async showIn(entry: Attached, spec: PaneSpec, ref: SeriesRef): Promise<void> {
    const { pane } = entry;
    entry.layers.setBusy(true);
    try {
      const source = await this.sourceOf(ref);
      const display = await this.displayOf(source);
      if (entry.spec !== spec || this.attached.get(pane.number) !== entry) return;
      const { noPlanes } = source.geometry;
      // A volume that can be shown as a stack only says why, whichever view was asked for.
      entry.layers.setNote(
        source.series.kind === 'volume' && source.series.slices > 1 ? (noPlanes ?? '') : '',
      );
      const view = noPlanes ? 'stack' : spec.view;
      const seen = this.places.get(seriesKey(ref))?.[orientationOf(source.geometry, view).axis];
      const start = this.sliceInHand(source, view) ?? this.linkedSlice(pane, source, view) ?? seen ?? null;
      pane.show(source, view, start, display);
      this.holdNeeded();
      entry.layers.furniture.showWindow(display);
    } catch (thrown) {
      if (entry.spec === spec) entry.layers.setProblem(toReadroomError(thrown).toPayload());
    } finally {
      if (entry.spec === spec) entry.layers.setBusy(false);
    }
  }

  /** Planes need all slices of their series in the page; the volume of a large series goes with the last plane. */
  private holdNeeded(): void {
    const shown = this.panes.filter(({ source, view }) => source !== null && view !== 'stack');
    for (const [key, prefetcher] of this.prefetchers) {
      const inPlanes = shown.some(({ source }) => source !== null && seriesKey(source.ref) === key);
      if (!inPlanes && !prefetcher.fits) prefetcher.dropVolume();
      prefetcher.holdAll(inPlanes);
    }
  }

  /** Source slices of a series that are on the screen. */
  private slicesOnScreen(key: string): number[] {
    return this.panes.flatMap(({ onScreen }) =>
      onScreen && onScreen.orientation.axis === 2 && seriesKey(onScreen.source.ref) === key
        ? [onScreen.slice]
        : [],
    );
  }

  /** A plane that comes on screen while a reader's box is in hand begins in the middle of it. */
  private sliceInHand({ ref, geometry }: ImageSource, view: PaneSpec['view']): number | null {
    const box = boxInHand(useReaderBoxes.getState());
    if (!box || seriesKey(box) !== seriesKey(ref)) return null;
    const { axis } = orientationOf(geometry, view);
    return (box.box.min[axis] + box.box.max[axis]) / 2;
  }

  /** With synchronised scrolling, a series begins where the active pane is. */
  private linkedSlice(pane: Pane, source: ImageSource, view: PaneSpec['view']): number | null {
    const leader = this.activePane;
    const at = leader?.onScreen;
    if (!useViewer.getState().synchronised || !at || leader === pane) return null;
    if (!canLink(at.source, source)) return null;
    const { axis } = orientationOf(source.geometry, view);
    return transform(source.geometry.worldToIndex, at.camera.centre)[axis];
  }

  sourceOf(ref: SeriesRef): Promise<ImageSource> {
    const key = seriesKey(ref);
    const known = this.sources.get(key);
    if (known) return known;
    const made = this.openSource(ref);
    this.sources.set(key, made);
    // A failure is not kept: asking again tries again.
    made.catch(() => this.sources.delete(key));
    return made;
  }

  private async openSource(ref: SeriesRef): Promise<ImageSource> {
    const series = findSeries(ref);
    if (!series) throw toReadroomError(new Error('This series is not open any more.'));
    const first = Math.floor(series.slices / 2);
    const pixels = await call('study.pixels', { ...ref, first });
    const source = registerSource(ref, series, pixels);
    const key = seriesKey(ref);
    this.prefetchers.set(key, new Prefetcher(source, () => this.slicesOnScreen(key)));
    return source;
  }

  private async displayOf(source: ImageSource): Promise<Display> {
    const key = seriesKey(source.ref);
    const known = this.displays.get(key);
    if (known) return known;
    const middle = source.imageIds[Math.floor(source.imageIds.length / 2)];
    const image = await imageLoader.loadAndCacheImage(middle);
    const display: Display = {
      ...firstRange(source.series, image.getPixelData()),
      invert: false,
      smooth: true,
    };
    // Another pane may have asked at the same time.
    const now = this.displays.get(key) ?? display;
    this.displays.set(key, now);
    this.firstDisplays.set(key, now);
    return now;
  }

  display(pane: Pane): Display | null {
    return pane.source ? (this.displays.get(seriesKey(pane.source.ref)) ?? null) : null;
  }

  /** Changes the window of a series in every pane that shows it. */
  setDisplay(pane: Pane, change: Partial<Display>): void {
    const { source } = pane;
    const old = this.display(pane);
    if (!source || !old) return;
    const next = { ...old, ...change };
    if (!(next.upper > next.lower)) return;
    this.displays.set(seriesKey(source.ref), next);
    for (const other of this.attached.values()) {
      if (other.pane.source !== source) continue;
      other.pane.setDisplay(next);
      other.layers.furniture.showWindow(next);
    }
  }

  /** A window from the pixels of the slice on screen, or of the source slice in the middle for other planes. */
  autoWindow(pane: Pane): Range | null {
    const { source, orientation, shown } = pane;
    if (!source || shown === null || !orientation) return null;
    const k = orientation.axis === 2 ? shown : Math.floor(source.pixels.slices / 2);
    const image = cache.getImage(source.imageIds[k]);
    return image ? autoRange(image.getPixelData()) : null;
  }

  resetDisplay(pane: Pane): void {
    const first = pane.source && this.firstDisplays.get(seriesKey(pane.source.ref));
    if (first) this.setDisplay(pane, first);
  }

  private onSlice(pane: Pane): void {
    const { onScreen } = pane;
    if (!onScreen) return;
    const { axis } = onScreen.orientation;
    const place = this.placeOf(onScreen.source).map((at, n) => (n === axis ? onScreen.slice : at));
    this.lookAt(onScreen.source, place as unknown as Vec3);
    this.drawLines();
    if (pane.number !== useViewer.getState().active) return;
    this.reportCurrent();
    const { synchronised, layout } = useViewer.getState();
    if (!synchronised || layout === 'mpr') return;
    for (const other of this.visible) {
      // Panes whose pixels are still on their way are sent to the right slice too.
      if (other === pane || !other.source || !canLink(onScreen.source, other.source)) continue;
      other.goTo(onScreen.camera.centre, false);
    }
  }

  private placeOf({ ref, geometry }: ImageSource): Vec3 {
    const known = this.places.get(seriesKey(ref));
    return known ?? (geometry.size.map((size) => Math.floor(size / 2)) as unknown as Vec3);
  }

  /** Remembers the voxel that is looked at; slices near it are fetched first. */
  lookAt(source: ImageSource, place: Vec3): void {
    const key = seriesKey(source.ref);
    this.places.set(key, place);
    this.prefetchers.get(key)?.lookAt(Math.round(place[2]));
  }

  private reportCurrent(): void {
    const { setCurrent, panes, active } = useViewer.getState();
    const ref = panes[active]?.series ?? null;
    const onScreen = this.activePane?.onScreen;
    if (!ref) setCurrent(null);
    else if (onScreen && seriesKey(onScreen.source.ref) === seriesKey(ref)) {
      const { source, orientation, slice } = onScreen;
      setCurrent({ ...ref, slice: orientation.axis === 2 ? slice : null, slices: source.pixels.slices });
    }
  }

  drawLines(): void {
    for (const { layers } of this.attached.values()) layers.lines.update();
  }

  /** Pixels of a type that did not hold: fetched again, in the new one. */
  private readAgain(ref: SeriesRef): void {
    const key = seriesKey(ref);
    this.dropSource(key);
    for (const entry of this.attached.values()) {
      const { spec } = entry;
      if (spec?.series && seriesKey(spec.series) === key) void this.showIn(entry, spec, spec.series);
    }
  }

  private dropSource(key: string): void {
    this.prefetchers.get(key)?.stop();
    this.prefetchers.delete(key);
    this.firstDisplays.delete(key);
    const gone = this.sources.get(key);
    this.sources.delete(key);
    void gone?.then((source) => forgetSource(source)).catch(() => undefined);
  }

  private closeStudy(studyId: string): void {
    useViewer.getState().forgetStudy(studyId);
    if (useStudies.getState().studies.length === 0) useViewer.getState().setLayout('1x1');
    measurements.forgetStudy(studyId);
    for (const key of [...this.sources.keys()].filter((one) => one.startsWith(`${studyId}/`))) {
      this.dropSource(key);
      this.displays.delete(key);
      this.firstDisplays.delete(key);
      this.places.delete(key);
    }
  }
}

function hasWebgl(): boolean {
  return document.createElement('canvas').getContext('webgl2') !== null;
}
