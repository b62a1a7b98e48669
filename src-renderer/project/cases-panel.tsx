/** The cases of the project: found by words and filters, their runs unfolded beneath them. */
import { useEffect, useId, useState } from 'react';
import { optionLetters } from '../../src-contract/run-events.ts';
import { showExport } from '../export/export-store.ts';
import { useUi } from '../state/ui-store.ts';
import { ErrorNote } from '../ui/error-note.tsx';
import { counted } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { CaseList } from './case-list.tsx';
import { type CaseSort, isFiltered, noFilter, useCases } from './cases-store.ts';
import { useProject } from './project-store.ts';
import './project.css';

export function CasesPanel() {
  const failure = useCases((state) => state.failure);
  const reload = useCases((state) => state.reload);
  useEffect(reload, [reload]);
  return (
    <nav className="cases" aria-label="Cases" data-testid="cases-panel">
      <ProjectHead />
      <Filters />
      {failure ? (
        <ErrorNote error={failure}>
          <button type="button" className="button" onClick={reload}>
            Try again
          </button>
        </ErrorNote>
      ) : (
        <CaseList />
      )}
    </nav>
  );
}

function ProjectHead() {
  const view = useProject((state) => state.view);
  const failure = useProject((state) => state.failure);
  const openPanel = useUi((state) => state.openPanel);
  if (failure) return <ErrorNote error={failure} />;
  return (
    <header className="cases-head">
      <h2
        className="clip"
        title={view?.fileName ?? 'Readroom keeps this library by itself.'}
        data-testid="project-title"
      >
        {view?.title ?? 'Project'}
      </h2>
      <IconButton icon="export" label="Export…" data-testid="show-export" onClick={() => showExport()} />
      <IconButton
        icon="compare"
        label="Agreement of readers"
        data-testid="show-agreement"
        onClick={() => openPanel('agreement')}
      />
      <IconButton
        icon="settings"
        label="Project, readers and blinding"
        data-testid="show-readers"
        onClick={() => openPanel('readers')}
      />
    </header>
  );
}

function Filters() {
  const filter = useCases((state) => state.filter);
  const sort = useCases((state) => state.sort);
  const total = useCases((state) => state.total);
  const modalities = useProject(({ view }) => view?.modalities);
  const readerId = useProject(({ view }) => view?.readerId ?? null);
  const hidden = useProject(({ view }) => view?.blinding.model === true);
  const { change, setSort } = useCases.getState();
  const [text, setText] = useState(filter.text);
  const [open, setOpen] = useState(false);
  const moreId = useId();
  useEffect(() => {
    // A pause in typing, not every letter; most of what the person waits for, so a short one.
    if (text === useCases.getState().filter.text) return;
    const timer = setTimeout(() => change({ text }), 60);
    return () => clearTimeout(timer);
  }, [text, change]);
  const filtered = isFiltered(filter);
  return (
    <search className="cases-filters">
      <div className="cases-search">
        <Icon name="search" />
        <input
          className="field"
          type="search"
          aria-label="Search cases"
          placeholder="Title, question, answer, note"
          data-testid="cases-search"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button
          type="button"
          className="toggle"
          aria-pressed={open}
          aria-expanded={open}
          aria-controls={moreId}
          data-testid="cases-filters"
          onClick={() => setOpen(!open)}
        >
          Filter
        </button>
      </div>
      <div id={moreId} className="cases-more" hidden={!open}>
        <select
          className="field select"
          aria-label="Read by me"
          data-testid="filter-reviewed"
          value={filter.reviewed}
          onChange={(event) => change({ reviewed: event.target.value as typeof filter.reviewed })}
        >
          <option value="any">Finished or not</option>
          <option value="open">Not finished by me</option>
          <option value="done">Finished by me</option>
        </select>
        <select
          className="field select"
          aria-label="Modality"
          value={filter.modalities[0] ?? ''}
          onChange={(event) => change({ modalities: event.target.value ? [event.target.value] : [] })}
        >
          <option value="">Any modality</option>
          {modalities?.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        {!hidden && (
          <select
            className="field select"
            aria-label="Answer"
            value={filter.answer ?? ''}
            onChange={(event) =>
              change({ answer: optionLetters.find((one) => one === event.target.value) ?? null })
            }
          >
            <option value="">Any answer</option>
            {optionLetters.map((one) => (
              <option key={one} value={one}>
                Answer {one}
              </option>
            ))}
          </select>
        )}
        <select
          className="field select"
          aria-label="Order"
          value={sort}
          onChange={(event) => setSort(event.target.value as CaseSort)}
        >
          <option value="newest">Newest first</option>
          <option value="oldest">Oldest first</option>
          <option value="title">By title</option>
        </select>
        <label className="reason">
          <input
            type="checkbox"
            checked={filter.disagreement}
            onChange={(event) => change({ disagreement: event.target.checked })}
          />
          Readers disagree
        </label>
        <label className="reason">
          <input
            type="checkbox"
            checked={filter.assignedTo !== null}
            disabled={readerId === null}
            onChange={(event) => change({ assignedTo: event.target.checked ? readerId : null })}
          />
          Assigned to me
        </label>
        <label className="reason">
          <input
            type="checkbox"
            checked={filter.removed}
            onChange={(event) => change({ removed: event.target.checked })}
          />
          Removed cases
        </label>
      </div>
      <p className="small dim cases-count" role="status" data-testid="cases-count">
        {total === null ? 'Reading the project' : counted(total, 'case')}
        {filtered && (
          <button
            type="button"
            className="link small"
            onClick={() => {
              setText('');
              change(noFilter);
            }}
          >
            Show all
          </button>
        )}
      </p>
    </search>
  );
}
