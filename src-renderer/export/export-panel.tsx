/** The export dialog: which runs, in which formats, with whose corrections; then how it goes on, and what was left out. */
import { type ExportFormat, type ExportReport, exportFormats } from '../../src-contract/project.ts';
import { useProject, useReaders } from '../project/project-store.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNote } from '../ui/error-note.tsx';
import { counted } from '../ui/format.ts';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { type ScopeKind, useExport } from './export-store.ts';
import './export.css';

const groups: readonly { readonly title: string; readonly formats: readonly ExportFormat[] }[] = [
  { title: 'Record and report', formats: ['trace', 'html', 'pdf'] },
  { title: 'Boxes', formats: ['csv', 'coco', 'slicer-roi', 'nifti', 'nrrd'] },
  { title: 'DICOM', formats: ['dicom-sr', 'dicom-seg'] },
  { title: 'Training data', formats: ['unimed-cot', 'llama-factory', 'verl'] },
];

export function ExportPanel() {
  const running = useExport((state) => state.running);
  const report = useExport((state) => state.report);
  const failure = useExport((state) => state.failure);
  const close = useUi((state) => state.closePanel);
  return (
    <Dialog title="Export" onClose={close} testId="export-panel">
      {running ? <Running /> : <Choices />}
      {failure && <ErrorNote error={failure} />}
      {report && <Report report={report} />}
    </Dialog>
  );
}

function Choices() {
  const { scope, formats, readerId, identifiers, runId, caseId, change, toggle, start } = useExport();
  const readers = useReaders();
  const counts = useProject(({ view }) => view?.counts);
  const scopes: readonly { readonly kind: ScopeKind; readonly label: string; readonly here: boolean }[] = [
    { kind: 'run', label: 'This run', here: runId !== null },
    { kind: 'case', label: 'This case, all its runs', here: caseId !== null },
    {
      kind: 'project',
      label: `The cases in the list${counts ? ` (project: ${counted(counts.runs, 'run')})` : ''}`,
      here: true,
    },
  ];
  return (
    <form
      className="export-form"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <fieldset className="export-choices">
        <legend>Runs</legend>
        {scopes
          .filter(({ here }) => here)
          .map(({ kind, label }) => (
            <label key={kind}>
              <input
                type="radio"
                name="export-scope"
                checked={scope === kind}
                data-testid={`export-scope-${kind}`}
                onChange={() => change({ scope: kind })}
              />
              {label}
            </label>
          ))}
      </fieldset>
      <div className="export-groups">
        {groups.map((group) => (
          <fieldset key={group.title} className="export-choices">
            <legend>{group.title}</legend>
            {group.formats.map((format) => (
              <label key={format}>
                <input
                  type="checkbox"
                  checked={formats.includes(format)}
                  data-testid={`export-format-${format}`}
                  onChange={() => toggle(format)}
                />
                {exportFormats[format]}
              </label>
            ))}
          </fieldset>
        ))}
      </div>
      <label className="export-reader">
        Corrections of
        <select
          className="field select"
          value={readerId ?? ''}
          data-testid="export-reader"
          onChange={(event) => change({ readerId: event.target.value || null })}
        >
          <option value="">nobody: the model alone</option>
          {readers.map((reader) => (
            <option key={reader.readerId} value={reader.readerId}>
              {reader.name}
            </option>
          ))}
        </select>
      </label>
      <label className="export-check">
        <input
          type="checkbox"
          checked={identifiers}
          data-testid="export-identifiers"
          onChange={(event) => change({ identifiers: event.target.checked })}
        />
        <span>
          With titles, paths, names and dates
          <span className="small dim">
            {' '}
            They may say who the patient is. Without them, a case is called by a short code.
          </span>
        </span>
      </label>
      <footer className="dialog-foot">
        <button
          type="submit"
          className="button primary"
          disabled={formats.length === 0}
          data-testid="export-start"
        >
          Choose a folder…
        </button>
        {formats.length === 0 && <span className="small dim">Choose at least one format.</span>}
      </footer>
    </form>
  );
}

function Running() {
  const running = useExport((state) => state.running);
  const cancel = useExport((state) => state.cancel);
  if (!running) return null;
  const { done, total, name } = running;
  return (
    <section className="export-running" data-testid="export-running">
      <ProgressBar label="Exporting" done={done} total={total} />
      <p className="small dim">
        {total > 0 ? `${done} of ${counted(total, 'run')}` : 'Preparing'}
        {name ? `, ${name}` : ''}. You may close this and go on working.
      </p>
      <footer className="dialog-foot">
        <button type="button" className="button" data-testid="export-cancel" onClick={cancel}>
          Stop
        </button>
        <span className="small dim">Nothing is left of an export that is stopped.</span>
      </footer>
    </section>
  );
}

/** Reasons, each once, with how often. */
function reasonsOf({ skipped }: ExportReport): { readonly text: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { format, reason } of skipped) {
    const text = `${exportFormats[format]}: ${reason}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => ({ text, count }));
}

function Report({ report }: { report: ExportReport }) {
  return (
    <section className="export-report" data-testid="export-report">
      <p>
        {report.files > 0
          ? `${counted(report.runs, 'run')} exported into ${counted(report.files, 'file')}.`
          : 'Nothing was written.'}
      </p>
      {report.skipped.length > 0 && (
        <>
          <h3>Left out</h3>
          <ul className="small">
            {reasonsOf(report).map(({ text, count }) => (
              <li key={text}>
                {text}
                {count > 1 ? ` (${counted(count, 'run')})` : ''}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
