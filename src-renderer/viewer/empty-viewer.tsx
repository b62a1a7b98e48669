/** No study is open: what to do about it, and what is on its way. */
import type { ReactElement } from 'react';
import { previewUrl } from '../../src-contract/channels.ts';
import { useStudies } from '../state/study-store.ts';
import { Icon } from './icons.tsx';

export function EmptyViewer(): ReactElement {
  const opening = useStudies((state) => state.opening);
  const sample = useStudies((state) => state.samples[0]);
  const { pick, openSample } = useStudies.getState();
  const coming = opening[0];
  if (coming) {
    return (
      <div className="empty-viewer" aria-busy="true">
        {coming.preview ? (
          <img className="preview" src={previewUrl(coming.openId)} alt="The first slice found" />
        ) : null}
        <p className="empty-title">Opening {coming.title}</p>
        {coming.total > 0 ? (
          <p>
            {coming.done} of {coming.total} files
          </p>
        ) : null}
      </div>
    );
  }
  return (
    <div className="empty-viewer">
      <p className="empty-title">Open a study to begin</p>
      <p>CT, MR or X-ray: DICOM, NIfTI, MetaImage, NRRD, NumPy, PNG, JPEG, TIFF, or a zip of them.</p>
      <p className="empty-actions">
        {sample ? (
          <button
            type="button"
            className="primary"
            data-testid="open-sample-centre"
            onClick={() => void openSample(sample.id)}
          >
            <Icon name="sample" /> Open the sample study
          </button>
        ) : null}
        <button type="button" onClick={() => void pick('file')}>
          <Icon name="file" /> Open file…
        </button>
        <button type="button" onClick={() => void pick('folder')}>
          <Icon name="folder" /> Open folder…
        </button>
      </p>
      {sample ? <p className="empty-hint">{sample.description}</p> : null}
      <p className="empty-hint">Or drop files anywhere on the window.</p>
    </div>
  );
}
