/** The window: studies and cases on the left, images in the centre, questions and review on the right. */
import { type CSSProperties, type DragEvent, useEffect, useState } from 'react';
import { LeftPanel } from './browser/left-panel.tsx';
import { viewerTouched } from './state/run-store.ts';
import { useSettings } from './state/settings-store.ts';
import { useStudies } from './state/study-store.ts';
import { useUi, widthLimits } from './state/ui-store.ts';
import { ErrorBoundary } from './ui/error-boundary.tsx';
import { Notices } from './ui/notices.tsx';
import { Panels } from './ui/panels.tsx';
import { SidePanel } from './ui/side-panel.tsx';
import { Splitter } from './ui/splitter.tsx';
import { StatusBar } from './ui/status-bar.tsx';
import { TopBar } from './ui/top-bar.tsx';
import { useNarrow } from './ui/use-narrow.ts';
import { ViewerArea } from './viewer/viewer-area.tsx';

/** The theme as the root element tells it to the style sheets. */
function useTheme(): void {
  const theme = useSettings(({ settings }) => settings.theme);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
}

/** Files dropped anywhere on the window are opened. */
function useFileDrop() {
  const [over, setOver] = useState(false);
  const carriesFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files');
  return {
    over,
    handlers: {
      onDragOver: (event: DragEvent) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: (event: DragEvent) => {
        if (event.currentTarget === event.target) setOver(false);
      },
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        void useStudies.getState().openFiles([...event.dataTransfer.files]);
      },
    },
  };
}

/** Keys that move the images; they end the following as a click does. */
const viewerKeys = /^(Arrow|Page|Home|End)/;

export function App() {
  useTheme();
  const { over, handlers } = useFileDrop();
  const { browserWidth, chatWidth, browserOpen, browserOver, chatOpen, setLayout } = useUi();
  const narrow = useNarrow();
  const listShown = narrow ? browserOver : browserOpen;
  const widths = {
    '--browser-width': `${browserWidth}px`,
    '--chat-width': `${chatWidth}px`,
  } as CSSProperties;
  return (
    <div className={`window ${over ? 'window-drop' : ''}`} style={widths} {...handlers}>
      <TopBar />
      <main className="areas">
        {listShown && (
          <>
            <div className={narrow ? 'area-browser-over' : 'area-browser'}>
              <ErrorBoundary area="study list">
                <LeftPanel />
              </ErrorBoundary>
            </div>
            {!narrow && (
              <Splitter
                label="Width of the study list"
                value={browserWidth}
                {...widthLimits.browser}
                direction={1}
                onChange={(width) => setLayout({ browserWidth: width })}
              />
            )}
          </>
        )}
        <div
          className="area-viewer"
          onWheelCapture={viewerTouched}
          onPointerDownCapture={viewerTouched}
          onKeyDownCapture={(event) => {
            if (viewerKeys.test(event.key)) viewerTouched();
          }}
        >
          <ErrorBoundary area="viewer">
            <ViewerArea />
          </ErrorBoundary>
        </div>
        {chatOpen && (
          <>
            <Splitter
              label="Width of the questions"
              value={chatWidth}
              {...widthLimits.chat}
              direction={-1}
              onChange={(width) => setLayout({ chatWidth: width })}
            />
            <div className="area-chat">
              <ErrorBoundary area="right-hand side">
                <SidePanel />
              </ErrorBoundary>
            </div>
          </>
        )}
      </main>
      <StatusBar />
      <Notices />
      <Panels />
    </div>
  );
}
