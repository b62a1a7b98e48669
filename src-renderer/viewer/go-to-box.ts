/** Brings a box into view: its middle slice in every pane that shows its series, panned or zoomed where it is off screen. */
import { useOverlay } from '../state/overlay.ts';
import { useReaderBoxes } from '../state/reader-boxes.ts';
import { seriesKey, useStudies } from '../state/study-store.ts';
import { useViewer } from '../state/viewer-store.ts';
import { boxSection, slicePlane, toScreen } from './layers/box-section.ts';
import { bounds, boxCentre, middleSlice, type Place } from './layers/overlay-geometry.ts';
import { prepare } from './layers/overlay-layer.ts';
import type { Pane } from './pane.ts';
import { transform } from './vector.ts';
import type { Viewer } from './viewer.ts';

/** A box may fill this much of a pane before it is zoomed out to fit. */
const fill = 0.9;
/** And this much when it is asked for from near. */
const closeFill = 0.4;

function showOnPane(pane: Pane, prepared: Place, close: boolean): void {
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
  if (visible && !close) return;
  pane.goTo(transform(source.geometry.indexToWorld, boxCentre(prepared)), true);
  pane.setSlice(middleSlice(prepared, axis));
  const share = close ? closeFill : fill;
  const shrink = Math.min((share * width) / rect.width, (share * height) / rect.height);
  if (shrink < 1 || close)
    pane.move((camera) => ({ ...camera, unitsPerPixel: camera.unitsPerPixel / shrink }));
}

/** A box of the model, or of a reader. */
function findPlace(id: string): Place | null {
  const box = useOverlay.getState().boxes.find((one) => one.id === id);
  if (box) return prepare(box);
  const drawn = useReaderBoxes.getState().boxes.find((one) => one.id === id);
  return drawn ? { box: { ...drawn, mode: drawn.slice === null ? '3d' : '2d' }, clamped: drawn.box } : null;
}

export function goToBox(viewer: Viewer, id: string, close: boolean): void {
  const place = findPlace(id);
  if (!place) return;
  const { studyId, seriesId } = place.box;
  const key = seriesKey({ studyId, seriesId });
  const showing = () => viewer.visible.filter(({ source }) => source && seriesKey(source.ref) === key);
  const show = () => {
    const shown = showing();
    // Planes that are opened later meet in the box.
    for (const { source } of shown.slice(0, 1)) if (source) viewer.lookAt(source, boxCentre(place));
    for (const pane of shown) showOnPane(pane, place, close);
  };
  if (showing().length > 0) {
    show();
    return;
  }
  // Its series is not on screen: it comes to the active pane, then the box.
  const ref = { studyId, seriesId };
  useStudies.getState().select(ref);
  useViewer.getState().showSeries(useViewer.getState().active, ref);
  const pane = viewer.activePane;
  const stop = pane?.listen((event) => {
    if (event !== 'slice' || !pane.source || seriesKey(pane.source.ref) !== key) return;
    stop?.();
    show();
  });
}
