/** The project itself: where it is, who reads, how readers are kept apart. */
import { useEffect, useState } from 'react';
import type { Reader } from '../../src-contract/project.ts';
import { switchReader } from '../review/switch-reader.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNote } from '../ui/error-note.tsx';
import { counted } from '../ui/format.ts';
import { Switch } from '../ui/switch.tsx';
import { showHistory } from './history-store.ts';
import {
  addReader,
  archiveProject,
  createProject,
  mergeProject,
  openLibrary,
  openProject,
  readerClass,
  setBlinding,
  useProject,
} from './project-store.ts';
import { Underway } from './underway.tsx';

export function ReadersPanel() {
  const view = useProject((state) => state.view);
  const close = useUi((state) => state.closePanel);
  if (!view) return null;
  const { readers, readerId, blinding, counts, title, fileName } = view;
  return (
    <Dialog title="Project and readers" onClose={close} testId="readers-panel">
      <section className="setting-group">
        <h3>Project</h3>
        <div className="setting">
          <div>
            <p>{title}</p>
            <p className="small dim">
              {fileName ?? 'The library that Readroom keeps by itself.'} {counted(counts.cases, 'case')},{' '}
              {counted(counts.runs, 'run')}, {counts.done} finished by you.
            </p>
          </div>
          <button type="button" className="button" onClick={() => showHistory(null)}>
            History
          </button>
        </div>
        <div className="form-row wrap">
          <button type="button" className="button" onClick={() => void createProject()}>
            New…
          </button>
          <button type="button" className="button" onClick={() => void openProject()}>
            Open…
          </button>
          <button
            type="button"
            className="button"
            disabled={fileName === null}
            onClick={() => void openLibrary()}
          >
            Back to the library
          </button>
          <button
            type="button"
            className="button"
            title="A project file, an archive or a trace: everything in it is taken into this project, nothing is lost"
            onClick={() => void mergeProject()}
          >
            Take in…
          </button>
          <button type="button" className="button" onClick={() => void archiveProject(false)}>
            Save a copy…
          </button>
          <button
            type="button"
            className="button"
            title="The images go along, without what names the patient (DICOM PS3.15)"
            onClick={() => void archiveProject(true)}
          >
            Save a copy with images…
          </button>
        </div>
        <Underway />
        <Outcome />
      </section>
      <section className="setting-group">
        <h3>Readers</h3>
        <ul className="reader-list">
          {readers.map((reader) => (
            <li key={reader.readerId} className={readerClass(readers, reader.readerId)}>
              <label className="reader-line">
                <input
                  type="radio"
                  name="reader"
                  checked={reader.readerId === readerId}
                  onChange={() => void switchReader(reader.readerId)}
                />
                <span className="reader-dot" aria-hidden="true" />
                <span className="grow">{reader.name}</span>
                <span className="small dim">{reader.role}</span>
                {reader.readerId === readerId && <span className="small">reads now</span>}
              </label>
            </li>
          ))}
        </ul>
        <AddReader />
      </section>
      <section className="setting-group">
        <h3>Blinded reading</h3>
        <div className="setting">
          <div>
            <p>Hide other readers</p>
            <p className="small dim">
              Their marks are shown once one&apos;s own reading of the run is finished.
            </p>
          </div>
          <Switch
            label={blinding.others ? 'On' : 'Off'}
            on={blinding.others}
            testId="blind-others"
            onChange={(others) => void setBlinding({ ...blinding, others })}
          />
        </div>
        <div className="setting">
          <div>
            <p>Hide the model</p>
            <p className="small dim">
              The reader sees the images and the question alone, draws and answers, and asks for the
              model&apos;s reasoning afterwards.
            </p>
          </div>
          <Switch
            label={blinding.model ? 'On' : 'Off'}
            on={blinding.model}
            testId="blind-model"
            onChange={(model) => void setBlinding({ ...blinding, model })}
          />
        </div>
      </section>
    </Dialog>
  );
}

/** What came of the last thing that was asked for here. */
function Outcome() {
  const problem = useProject((state) => state.problem);
  const archived = useProject((state) => state.archived);
  useEffect(() => useProject.setState({ problem: null, archived: null }), []);
  if (problem) return <ErrorNote error={problem} />;
  return archived ? <p role="status">Saved as {archived}.</p> : null;
}

function AddReader() {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Reader['role']>('reader');
  return (
    <form
      className="form-row add-reader"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() === '') return;
        void addReader(name.trim(), role).then((added) => added && setName(''));
      }}
    >
      <input
        className="field grow"
        aria-label="Name of the new reader"
        placeholder="Name or initials"
        maxLength={200}
        data-testid="reader-name"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <select
        className="field select"
        aria-label="Role"
        data-testid="reader-role"
        value={role}
        onChange={(event) => setRole(event.target.value === 'adjudicator' ? 'adjudicator' : 'reader')}
      >
        <option value="reader">Reader</option>
        <option value="adjudicator">Adjudicator</option>
      </select>
      <button type="submit" className="button" disabled={name.trim() === ''} data-testid="reader-add">
        Add
      </button>
    </form>
  );
}
