/** Brings a box into view: its middle slice in every pane that shows its series, panned or zoomed where it is off screen. */
import { useOverlay } from '../state/overlay.ts';
import { seriesKey, useStudies } from '../state/study-store.ts';
import { useViewer } from '../state/viewer-store.ts';
import { boxSection, slicePlane, toScreen } from './box-section.ts';
import { bounds, boxCentre, middleSlice, type PreparedBox } from './overlay-geometry.ts';
import { prepare } from './overlay-layer.ts';
import type { Pane } from './pane.ts';
import { transform } from './vector.ts';
import type { Viewer } from './viewer.ts';

/** A box may fill this much of a pane before it is zoomed out to fit. */
const fill = 0.9;

function showOnPane(pane: Pane, prepared: PreparedBox): void {
  const { source, orientation } = pane;
  if (!source || !orientation) return;
  const { axis } = orientation;
  pane.setSlice(middleSlice(prepared, axis));
  const map = pane.screenMap();
  if (!map) return;
  const { min, max } = prepared.clamped;
  const inside = (min[axis] + max[axis]) / 2;
  const section = boxSection({ min, max }, slicePlane(axis, inside)).map((corner) => toScreen(map, corner));
  const rect = bounds(section);
  const { width, height } = pane.extent;
  const visible =
    rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= width && rect.y + rect.height <= height;
  if (visible) return;
  pane.goTo(transform(source.geometry.indexToWorld, boxCentre(prepared)), true);
  pane.setSlice(middleSlice(prepared, axis));
  const shrink = Math.min((fill * width) / rect.width, (fill * height) / rect.height);
  if (shrink < 1) pane.move((camera) => ({ ...camera, unitsPerPixel: camera.unitsPerPixel / shrink }));
}

export function goToBox(viewer: Viewer, id: string): void {
  const box = useOverlay.getState().boxes.find((one) => one.id === id);
  if (!box) return;
  const key = seriesKey(box);
  const showing = () => viewer.visible.filter(({ source }) => source && seriesKey(source.ref) === key);
  const show = () => {
    for (const pane of showing()) showOnPane(pane, prepare(box));
  };
  if (showing().length > 0) {
    show();
    return;
  }
  // Its series is not on screen: it comes to the active pane, then the box.
  const ref = { studyId: box.studyId, seriesId: box.seriesId };
  useStudies.getState().select(ref);
  useViewer.getState().showSeries(useViewer.getState().active, ref);
  const pane = viewer.activePane;
  const stop = pane?.listen((event) => {
    if (event !== 'slice' || !pane.source || seriesKey(pane.source.ref) !== key) return;
    stop?.();
    show();
  });
}
