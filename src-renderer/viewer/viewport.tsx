/** One pane's elements. React makes them once; what is in them is the viewer's (pane-layers.ts). */
import { type ReactElement, useEffect, useRef } from 'react';
import { useSeries, useStudies } from '../state/study-store.ts';
import { useViewer } from '../state/viewer-store.ts';
import { loadViewer } from './viewer-handle.ts';

function must<T>(value: T | null): T {
  if (value === null) throw new Error('a viewport was attached before it was there');
  return value;
}

/** Series name, modality and the synthetic mark, in the upper left corner. */
function Caption({ number }: { number: number }): ReactElement | null {
  const spec = useViewer(({ panes }) => panes[number]);
  const series = useSeries(spec?.series ?? null);
  // A study may be known to be synthetic where none of its files says so; else the series that says so is.
  const isSynthetic = useStudies(({ studies }) => {
    const study = studies.find(({ studyId }) => studyId === spec?.series?.studyId);
    return study?.synthetic === true && !study.series.some((one) => one.synthetic);
  });
  if (!series || !spec) return null;
  return (
    <div className="pane-corner top-left">
      <span className="pane-title">{series.description || 'Series without a name'}</span>
      <span>
        {series.modality}
        {spec.view === 'stack' ? '' : `\u00a0·\u00a0${spec.view}`}
        {series.synthetic || isSynthetic ? <span className="pane-badge">synthetic</span> : null}
      </span>
    </div>
  );
}

export function Viewport({ number }: { number: number }): ReactElement {
  const isActive = useViewer(({ active }) => active === number);
  const view = useViewer(({ panes }) => panes[number]?.view ?? 'stack');
  const frame = useRef<HTMLElement>(null);
  const picture = useRef<HTMLDivElement>(null);
  const overlay = useRef<SVGSVGElement>(null);
  const slider = useRef<HTMLInputElement>(null);
  const slice = useRef<HTMLSpanElement>(null);
  const value = useRef<HTMLSpanElement>(null);
  const windowText = useRef<HTMLSpanElement>(null);
  const note = useRef<HTMLParagraphElement>(null);
  const problem = useRef<HTMLParagraphElement>(null);

  useEffect(() => {
    let gone = false;
    let detach: (() => void) | undefined;
    void loadViewer().then((viewer) => {
      if (gone) return;
      detach = viewer.attach(number, {
        frame: must(frame.current),
        picture: must(picture.current),
        overlay: must(overlay.current),
        slider: must(slider.current),
        slice: must(slice.current),
        value: must(value.current),
        window: must(windowText.current),
        note: must(note.current),
        problem: must(problem.current),
      });
    });
    return () => {
      gone = true;
      detach?.();
    };
  }, [number]);

  const name = view === 'stack' ? `Viewport ${number + 1}` : `Viewport ${number + 1}, ${view}`;
  return (
    <section
      ref={frame}
      className={`pane${isActive ? ' active' : ''}${view === 'stack' ? '' : ` plane-${view}`}`}
      data-viewport={number}
      data-testid={`viewport-${number}`}
      // The pane takes keys and drags of its own: assistive technology must let them through.
      role="application"
      aria-label={name}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is operated by keys, see keyboard.ts
      tabIndex={0}
      onFocus={() => useViewer.getState().setActive(number)}
    >
      <div ref={picture} className="pane-picture" />
      <svg ref={overlay} className="pane-overlay" aria-hidden="true" data-testid={`overlay-${number}`} />
      <Caption number={number} />
      <div className="pane-corner bottom-left">
        <span ref={value} data-testid={`cursor-value-${number}`} />
        <span ref={slice} className="pane-slice" data-testid={`slice-text-${number}`} />
      </div>
      <div className="pane-corner bottom-right">
        <span ref={windowText} data-testid={`window-text-${number}`} />
      </div>
      <p ref={note} className="pane-note" role="status" hidden />
      <p ref={problem} className="pane-problem" role="alert" hidden />
      <input
        ref={slider}
        className="slice-slider"
        type="range"
        min={0}
        max={0}
        defaultValue={0}
        aria-label={`Slice, ${name.toLowerCase()}`}
        data-testid={number === 0 ? 'slice-slider' : `slice-slider-${number}`}
        hidden
      />
    </section>
  );
}
