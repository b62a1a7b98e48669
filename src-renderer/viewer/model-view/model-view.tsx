/**
 * As the model sees it: the serialised slices with the image processor's own pixels, one image pixel to a number of
 * screen pixels, and the boxes in its coordinates.
 */
import { type CSSProperties, type ReactElement, useEffect, useMemo, useRef, useState } from 'react';
import { modelViewUrl, type Target } from '../../../src-contract/channels.ts';
import { type ErrorPayload, toReadroomError } from '../../../src-contract/errors.ts';
import { call } from '../../state/bridge.ts';
import { type OverlayBox, useOverlay } from '../../state/overlay.ts';
import { type SeriesRef, seriesKey, useSeries, useStudies } from '../../state/study-store.ts';
import { useViewer } from '../../state/viewer-store.ts';
import { refusal } from '../pixels/refusal.ts';
import { type BoxInView, boxesInView, isOnSlice } from './model-view-boxes.ts';
import './model-view.css';

type View = Awaited<ReturnType<typeof call<'study.modelView'>>>;

/** RGB bytes as RGBA, for a canvas. */
function toImageData(bytes: Uint8Array, width: number, height: number): ImageData {
  const image = new ImageData(width, height);
  for (let n = 0; n < width * height; n++) {
    image.data[n * 4] = bytes[n * 3];
    image.data[n * 4 + 1] = bytes[n * 3 + 1];
    image.data[n * 4 + 2] = bytes[n * 3 + 2];
    image.data[n * 4 + 3] = 255;
  }
  return image;
}

/** Boxes that a model wrote about what this view shows. */
function useBoxesOf(ref: SeriesRef, target: Target, { chain }: View): readonly BoxInView[] {
  const boxes = useOverlay((state) => state.boxes);
  return useMemo(() => {
    const isShown = (box: OverlayBox): boolean =>
      seriesKey(box) === seriesKey(ref) &&
      (target.kind === 'volume' ? box.mode === '3d' : box.mode === '2d' && box.slice === target.slice);
    return boxesInView(chain, boxes.filter(isShown));
  }, [boxes, ref, target, chain]);
}

interface TileProps {
  readonly studyId: string;
  readonly view: View;
  readonly slice: number;
  readonly boxes: readonly BoxInView[];
}

function Tile({ studyId, view, slice, boxes }: TileProps): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [problem, setProblem] = useState('');
  const { visible, opacity, style, active } = useOverlay();
  const { viewId, width, height } = view;
  useEffect(() => {
    const stop = new AbortController();
    fetch(modelViewUrl(studyId, viewId, slice), { signal: stop.signal })
      .then(async (answer) => {
        if (!answer.ok) throw await refusal(answer, `Slice ${slice} could not be prepared.`);
        const bytes = new Uint8Array(await answer.arrayBuffer());
        canvas.current?.getContext('2d')?.putImageData(toImageData(bytes, width, height), 0, 0);
      })
      .catch((thrown: unknown) => {
        if (!stop.signal.aborted) setProblem(toReadroomError(thrown).message);
      });
    return () => stop.abort();
  }, [studyId, viewId, slice, width, height]);
  const here = visible ? boxes.filter((one) => isOnSlice(one, slice)) : [];
  const isLit = here.some(({ box }) => box.id === active);
  return (
    <figure className={`model-tile${isLit ? ' lit' : ''}`} data-testid="model-slice" data-slice={slice}>
      <canvas ref={canvas} width={width} height={height} />
      {/* Pixel x covers [x, x + 1) of the picture, so a box of pixels x1 to x2 is drawn from x1 to x2. */}
      <svg
        viewBox={`0 0 ${width} ${height}`}
        className={`boxes ${style}`}
        opacity={opacity}
        aria-hidden="true"
      >
        {here.map(({ box: { id, step, colour }, edges: { x1, y1, x2, y2 } }) => (
          <g key={id} className={`box step-${colour % 8}${id === active ? ' active' : ''}`}>
            <rect
              className="outline"
              data-testid="model-box"
              data-step={step}
              x={x1}
              y={y1}
              width={x2 - x1}
              height={y2 - y1}
            />
          </g>
        ))}
      </svg>
      <figcaption>{problem || `z ${slice}`}</figcaption>
    </figure>
  );
}

function useModelView(
  ref: SeriesRef | null,
  target: Target | null,
): { view: View | null; problem: ErrorPayload | null } {
  const [state, setState] = useState<{ view: View | null; problem: ErrorPayload | null }>({
    view: null,
    problem: null,
  });
  useEffect(() => {
    if (!ref || !target) return;
    let gone = false;
    setState({ view: null, problem: null });
    call('study.modelView', { studyId: ref.studyId, seriesId: ref.seriesId, target }).then(
      (view) => gone || setState({ view, problem: null }),
      (thrown: unknown) => gone || setState({ view: null, problem: toReadroomError(thrown).toPayload() }),
    );
    return () => {
      gone = true;
    };
  }, [ref, target]);
  return state;
}

export function ModelView(): ReactElement {
  const paneRef = useViewer(({ panes, active }) => panes[active]?.series ?? null);
  const selected = useStudies((state) => state.selected);
  const ref = paneRef ?? selected;
  const series = useSeries(ref);
  const currentSlice = useViewer(({ current }) => current?.slice ?? 0);
  const isVolume = series?.kind === 'volume';
  const target = useMemo<Target | null>(
    () => (series ? (isVolume ? { kind: 'volume' } : { kind: 'slice', slice: currentSlice }) : null),
    [series, isVolume, currentSlice],
  );
  const { view, problem } = useModelView(ref, target);
  if (!ref || !target) return <p className="model-note">No series is shown.</p>;
  if (problem) {
    return (
      <p className="model-note" role="alert">
        {problem.message} {problem.remedy}
      </p>
    );
  }
  if (!view) return <p className="model-note">Preparing the slices as the model will see them…</p>;
  return <ModelGrid series={ref} target={target} view={view} />;
}

function ModelGrid({
  series,
  target,
  view,
}: {
  series: SeriesRef;
  target: Target;
  view: View;
}): ReactElement {
  const [scale, setScale] = useState(view.slices > 1 ? 1 : 2);
  const boxes = useBoxesOf(series, target, view);
  const grid = useRef<HTMLElement>(null);
  // A box that is gone to comes into view here too.
  useEffect(
    () =>
      useOverlay.subscribe((state, before) => {
        if (!state.goTo || state.goTo === before.goTo) return;
        const box = state.boxes.find(({ id }) => id === state.goTo?.id);
        const [there] = box ? boxesInView(view.chain, [box]) : [];
        if (!there) return;
        const middle = Math.floor((there.edges.z1 + there.edges.z2) / 2);
        grid.current?.querySelector(`[data-slice="${middle}"]`)?.scrollIntoView({ block: 'center' });
      }),
    [view],
  );
  const numbers = Array.from({ length: view.slices }, (_, n) => n);
  return (
    <div className="model-view" data-testid="model-view">
      <div className="model-head">
        <p>
          {view.slices > 1 ? `${view.slices} slices of ` : ''}
          {view.width} × {view.height} pixels, {view.chain.serialization} order, {view.imageProcessor}
          {view.normalization ? ` · ${view.normalization}` : ''}
        </p>
        <label>
          Size{' '}
          <select
            className="tool-select"
            value={scale}
            onChange={(event) => setScale(Number(event.target.value))}
          >
            {[0.5, 1, 1.5, 2, 3].map((factor) => (
              <option key={factor} value={factor}>
                {factor * 100}%
              </option>
            ))}
          </select>
        </label>
      </div>
      {/* A scrolling region must be reachable by keyboard. */}
      <section
        className="model-grid"
        ref={grid}
        aria-label="Slices as the model sees them"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        tabIndex={0}
        data-own-arrows
        style={{ '--tile': `${Math.round(view.width * scale)}px` } as CSSProperties}
      >
        {numbers.map((slice) => (
          <Tile key={slice} studyId={series.studyId} view={view} slice={slice} boxes={boxes} />
        ))}
      </section>
    </div>
  );
}
