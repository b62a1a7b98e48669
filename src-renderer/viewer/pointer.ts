/**
 * Mouse and touchpad over a pane. Left button: the chosen tool. Middle: pan. Right: zoom. Wheel: slices; with Ctrl (or a
 * pinch): zoom. A click on a box lights it. A box in hand takes the left button where its edges or its middle are.
 */
import { useOverlay } from '../state/overlay.ts';
import { useReaderBoxes } from '../state/reader-boxes.ts';
import { type Tool, useViewer } from '../state/viewer-store.ts';
import { panBy, zoomAt } from './camera.ts';
import type { BoxDrag } from './layers/edit-layer.ts';
import { measurements } from './layers/measurements.ts';
import type { PaneLayers } from './layers/pane-layers.ts';
import type { Pane } from './pane.ts';
import { transform, type Vec2, type Vec3 } from './vector.ts';
import type { Viewer } from './viewer.ts';

/** Movement below which a press counts as a click. */
const clickReach = 3;
/** Pixels of vertical drag, or of wheel, that make one slice. */
const dragPerSlice = 6;
const wheelPerSlice = 40;

interface Drag {
  readonly tool: Tool | 'handle' | 'box';
  readonly start: Vec2;
  last: Vec2;
  moved: boolean;
  /** Part of a slice that the drag has not used up. */
  rest: number;
  handle: { readonly id: number; readonly end: 0 | 1 } | null;
  /** Of a reader's box. */
  readonly box: BoxDrag | null;
}

/** Goes to the point under the cursor in the other planes of the same volume. */
export function placeCrosshair(viewer: Viewer, pane: Pane, at: Vec2): void {
  const world = pane.worldAt(at);
  if (!world) return;
  for (const other of viewer.visible) {
    if (other !== pane && other.source === pane.source) other.goTo(world, false);
  }
}

export function listenToPointer(
  frame: HTMLElement,
  pane: Pane,
  layers: PaneLayers,
  viewer: Viewer,
): () => void {
  let drag: Drag | null = null;
  let wheel = 0;

  const position = (event: MouseEvent): Vec2 => {
    const box = pane.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const indexAt = (at: Vec2): Vec3 | null => {
    const world = pane.worldAt(at);
    const { source, orientation, shown } = pane;
    if (!world || !source || !orientation || shown === null) return null;
    const index = transform(source.geometry.worldToIndex, world);
    return index.map((value, axis) => (axis === orientation.axis ? shown : value)) as unknown as Vec3;
  };

  function toolOf(event: PointerEvent): Tool {
    if (event.button === 1) return 'pan';
    if (event.button === 2) return 'zoom';
    if (event.shiftKey) return 'pan';
    return useViewer.getState().tool;
  }

  function startMeasuring(tool: Tool, at: Vec2): Drag['handle'] {
    const index = indexAt(at);
    const { source, orientation, shown } = pane;
    if (!index || !source || !orientation || shown === null) return null;
    const kind = tool === 'length' ? 'length' : 'rectangle';
    return {
      id: measurements.add(source, { kind, axis: orientation.axis, slice: shown, ends: [index, index] }),
      end: 1,
    };
  }

  const onDown = (event: PointerEvent) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLButtonElement) return;
    layers.activate();
    frame.focus({ preventScroll: true });
    if (!pane.source) return;
    const at = position(event);
    const box = event.button === 0 && !event.shiftKey ? layers.edits.begin(at) : null;
    const handle = event.button === 0 && !box ? layers.measures.handleAt(at) : null;
    const tool = box ? 'box' : handle ? 'handle' : toolOf(event);
    if (handle) measurements.select(handle.id);
    drag = { tool, start: at, last: at, moved: false, rest: 0, handle, box };
    frame.setPointerCapture(event.pointerId);
    if (tool === 'crosshair') placeCrosshair(viewer, pane, at);
    event.preventDefault();
  };

  function carryOut(now: Drag, at: Vec2, free: boolean): void {
    const [dx, dy] = [at[0] - now.last[0], at[1] - now.last[1]];
    switch (now.tool) {
      case 'window': {
        const display = viewer.display(pane);
        if (!display) return;
        // Speed in proportion to the window, so that a narrow one can be set finely and a wide one in reach.
        const width = display.upper - display.lower;
        const step = Math.max(width, 1e-6) / 300;
        const centre = (display.lower + display.upper) / 2 + dy * step;
        const next = Math.max(width * 0.02, width + dx * step * 1.5);
        viewer.setDisplay(pane, { lower: centre - next / 2, upper: centre + next / 2 });
        return;
      }
      case 'pan':
        pane.move((camera) => panBy(camera, [dx, dy]));
        return;
      case 'zoom':
        pane.move((camera, extent) => zoomAt(camera, extent, 2 ** (-dy / 120), now.start));
        return;
      case 'scroll': {
        now.rest += dy / dragPerSlice;
        const steps = Math.trunc(now.rest);
        now.rest -= steps;
        if (steps !== 0) pane.setSlice(pane.wanted + steps);
        return;
      }
      case 'crosshair':
        placeCrosshair(viewer, pane, at);
        return;
      case 'length':
      case 'rectangle':
        now.handle ??= startMeasuring(now.tool, now.start);
        moveHandle(now, at);
        return;
      case 'handle':
        moveHandle(now, at);
        return;
      case 'box':
        now.box?.move(at, free);
    }
  }

  function moveHandle({ handle }: Drag, at: Vec2): void {
    const index = indexAt(at);
    if (handle && index) measurements.moveEnd(handle.id, handle.end, index);
  }

  const onMove = (event: PointerEvent) => {
    const at = position(event);
    layers.furniture.showCursor(at);
    if (!drag) {
      frame.style.cursor = layers.edits.cursorAt(at) ?? '';
      return;
    }
    if (!drag.moved && Math.hypot(at[0] - drag.start[0], at[1] - drag.start[1]) < clickReach) return;
    drag.moved = true;
    carryOut(drag, at, event.altKey);
    drag.last = at;
  };

  const onCancel = (event: PointerEvent) => {
    if (drag?.box) useReaderBoxes.getState().cancel();
    else onUp(event);
    drag = null;
  };
  const onUp = (event: PointerEvent) => {
    if (drag?.moved) drag.box?.end();
    if (drag && !drag.moved && event.button === 0 && drag.tool !== 'handle') {
      measurements.select(null);
      const reader = layers.edits.boxAt(drag.start);
      if (reader?.editable && !drag.box) useReaderBoxes.getState().take(reader.id);
      const hit = useOverlay.getState().visible ? layers.boxes.boxAt(drag.start) : null;
      useOverlay.getState().setActive(hit?.id ?? null);
    }
    drag = null;
  };

  const onWheel = (event: WheelEvent) => {
    if (!pane.source) return;
    event.preventDefault();
    if (event.ctrlKey) {
      const at = position(event);
      pane.move((camera, extent) => zoomAt(camera, extent, 2 ** (-event.deltaY / 240), at));
      return;
    }
    wheel += event.deltaMode === 0 ? event.deltaY : event.deltaY * wheelPerSlice;
    const steps = Math.trunc(wheel / wheelPerSlice);
    wheel -= steps * wheelPerSlice;
    if (steps !== 0) pane.setSlice(pane.wanted + steps);
  };

  const onLeave = () => layers.furniture.showCursor(null);
  const onContextMenu = (event: Event) => event.preventDefault();
  const onDoubleClick = (event: MouseEvent) => {
    // Two quick drags of a box are no wish to see all of the picture.
    if (layers.edits.cursorAt(position(event)) === null) pane.resetCamera();
  };

  frame.addEventListener('pointerdown', onDown);
  frame.addEventListener('pointermove', onMove);
  frame.addEventListener('pointerup', onUp);
  frame.addEventListener('pointercancel', onCancel);
  frame.addEventListener('pointerleave', onLeave);
  frame.addEventListener('wheel', onWheel, { passive: false });
  frame.addEventListener('contextmenu', onContextMenu);
  frame.addEventListener('dblclick', onDoubleClick);
  return () => {
    frame.removeEventListener('pointerdown', onDown);
    frame.removeEventListener('pointermove', onMove);
    frame.removeEventListener('pointerup', onUp);
    frame.removeEventListener('pointercancel', onCancel);
    frame.removeEventListener('pointerleave', onLeave);
    frame.removeEventListener('wheel', onWheel);
    frame.removeEventListener('contextmenu', onContextMenu);
    frame.removeEventListener('dblclick', onDoubleClick);
  };
}
