/** The centre of the window: toolbar and viewports. */
import { type ReactElement, useEffect } from 'react';
import { useStudies } from '../state/study-store.ts';
import { useViewer, visiblePanes } from '../state/viewer-store.ts';
import { runCine } from './cine.ts';
import { EmptyViewer } from './empty-viewer.tsx';
import { listenToKeys } from './keyboard.ts';
import { ModelView } from './model-view/model-view.tsx';
import { loadViewer } from './viewer-handle.ts';
import { ViewerToolbar } from './viewer-toolbar.tsx';
import { Viewport } from './viewport.tsx';
import './viewer.css';
import './layers/overlay.css';
import './layers/reader-boxes.css';

export function ViewerArea(): ReactElement {
  const layout = useViewer((state) => state.layout);
  const mode = useViewer((state) => state.mode);
  const webgl = useViewer((state) => state.webgl);
  const isEmpty = useStudies(({ studies }) => studies.length === 0);
  const isOpening = useStudies(({ opening }) => opening.length > 0);
  useEffect(() => {
    // Cornerstone is loaded while the files are looked through, not after.
    if (isOpening) void loadViewer();
  }, [isOpening]);
  useEffect(() => {
    const stops = [listenToKeys(), runCine()];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  const numbers = Array.from({ length: visiblePanes(layout) }, (_, n) => n);
  return (
    <section className="viewer-area" aria-label="Viewer">
      <ViewerToolbar />
      {webgl === false ? (
        <p className="viewer-notice" role="status">
          This machine offers no WebGL: slices are drawn without the graphics card, and the three planes are
          not available. Updating the graphics driver usually brings them back.
        </p>
      ) : null}
      <div className="viewer-stage">
        {isEmpty ? (
          <EmptyViewer />
        ) : (
          <>
            <div className={`pane-grid layout-${layout}`} hidden={mode === 'model'}>
              {numbers.map((number) => (
                <Viewport key={number} number={number} />
              ))}
            </div>
            {mode === 'model' ? <ModelView /> : null}
          </>
        )}
      </div>
    </section>
  );
}
