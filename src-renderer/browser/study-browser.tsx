/** The left panel: open something, what is open, what could not be read. */
import { type ReactElement, useEffect } from 'react';
import { connectStudies, useStudies } from '../state/study-store.ts';
import { Icon } from '../viewer/icons.tsx';
import { FailureNote, OpeningItem } from './opening.tsx';
import { Starts } from './starts.tsx';
import { StudyItem } from './study-item.tsx';
import './browser.css';

function OpenBar(): ReactElement {
  const sample = useStudies((state) => state.samples[0]);
  const { pick, openSample } = useStudies.getState();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset's box model does not fit a row of buttons
    <div className="open-bar" role="group" aria-label="Open">
      <button
        type="button"
        data-testid="open-file"
        title="Open file (Ctrl+O)"
        onClick={() => void pick('file')}
      >
        <Icon name="file" /> File
      </button>
      <button
        type="button"
        data-testid="open-folder"
        title="Open folder (Ctrl+Shift+O)"
        onClick={() => void pick('folder')}
      >
        <Icon name="folder" /> Folder
      </button>
      <button
        type="button"
        data-testid="open-sample"
        title="Open the sample study (Ctrl+Shift+S)"
        disabled={!sample}
        onClick={() => sample && void openSample(sample.id)}
      >
        <Icon name="sample" /> Sample
      </button>
    </div>
  );
}

export function StudyBrowser(): ReactElement {
  useEffect(connectStudies, []);
  const studies = useStudies((state) => state.studies);
  const opening = useStudies((state) => state.opening);
  const failure = useStudies((state) => state.failure);
  return (
    <nav className="study-browser" aria-label="Studies" data-testid="study-browser">
      <OpenBar />
      <div className="browser-scroll">
        {failure ? <FailureNote failure={failure} /> : null}
        {opening.map((one) => (
          <OpeningItem key={one.openId} opening={one} />
        ))}
        {studies.map((study) => (
          <StudyItem key={study.studyId} study={study} />
        ))}
        <Starts isEmpty={studies.length === 0 && opening.length === 0} />
      </div>
    </nav>
  );
}
