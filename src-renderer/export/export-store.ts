/** Exports: what the dialog is about, what was chosen last, how the one under way goes on. */
import { create } from 'zustand';
import { type ErrorPayload, ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import {
  type ExportFormat,
  type ExportReport,
  type ExportRequest,
  exportFormatSchema,
} from '../../src-contract/project.ts';
import { useCases } from '../project/cases-store.ts';
import { useProject } from '../project/project-store.ts';
import { useReview } from '../review/review-store.ts';
import { call, on } from '../state/bridge.ts';
import { useRuns } from '../state/run-store.ts';
import { useUi } from '../state/ui-store.ts';
import { counted } from '../ui/format.ts';

export type ScopeKind = ExportRequest['scope']['kind'];

interface Running {
  readonly exportId: string;
  readonly done: number;
  readonly total: number;
  readonly name: string;
}

interface ExportState {
  /** The run and the case that the dialog was opened on; null where there is none. */
  readonly runId: string | null;
  readonly caseId: string | null;
  readonly scope: ScopeKind;
  readonly formats: readonly ExportFormat[];
  /** Null: the model's own boxes and words. */
  readonly readerId: string | null;
  readonly identifiers: boolean;
  readonly running: Running | null;
  readonly report: ExportReport | null;
  readonly failure: ErrorPayload | null;
  change(part: Partial<Pick<ExportState, 'scope' | 'readerId' | 'identifiers'>>): void;
  toggle(format: ExportFormat): void;
  start(): Promise<void>;
  cancel(): void;
}

const storageKey = 'readroom.exportFormats';

function lastFormats(): ExportFormat[] {
  try {
    const saved = exportFormatSchema.array().safeParse(JSON.parse(localStorage.getItem(storageKey) ?? '[]'));
    if (saved.success && saved.data.length > 0) return saved.data;
  } catch {
    // Without a memory of the last export the first formats are chosen.
  }
  return ['trace', 'html'];
}

export const useExport = create<ExportState>()((set, get) => ({
  runId: null,
  caseId: null,
  scope: 'project',
  formats: lastFormats(),
  readerId: null,
  identifiers: false,
  running: null,
  report: null,
  failure: null,
  change: (part) => set(part),
  toggle: (format) => {
    const { formats } = get();
    const next = formats.includes(format) ? formats.filter((one) => one !== format) : [...formats, format];
    try {
      localStorage.setItem(storageKey, JSON.stringify(next));
    } catch {
      // Full or refused storage: the choice holds for this session.
    }
    set({ formats: next });
  },
  start: async () => {
    const { formats, readerId, identifiers } = get();
    const scope = scopeOf(get());
    if (!scope || formats.length === 0) return;
    set({ report: null, failure: null });
    try {
      const started = await call('export.start', { scope, formats: [...formats], readerId, identifiers });
      if (!started) return;
      // Short exports may have ended before this answer was heard.
      if (early.delete(started.exportId)) return;
      set({ running: { exportId: started.exportId, done: 0, total: 0, name: '' } });
    } catch (thrown) {
      set({ failure: toReadroomError(thrown).toPayload() });
    }
  },
  cancel: () => {
    const { running } = get();
    if (running) void call('export.cancel', { exportId: running.exportId }).catch(useUi.getState().report);
  },
}));

function scopeOf({ scope, runId, caseId }: ExportState): ExportRequest['scope'] | null {
  switch (scope) {
    case 'run':
      return runId === null ? null : { kind: 'run', runId };
    case 'case':
      return caseId === null ? null : { kind: 'case', caseId };
    case 'project':
      return { kind: 'project', filter: useCases.getState().filter };
  }
}

/** Opens the dialog on what is at hand: a case, else the run that is reviewed or was asked last, else the project. */
export function showExport(subject?: { readonly caseId: string }): void {
  const session = useReview.getState().session;
  const runId = subject ? null : (session?.runId ?? lastRun());
  const caseId =
    subject?.caseId ?? session?.caseId ?? (runId && useProject.getState().caseOfRun[runId]) ?? null;
  const known = runId !== null && caseId !== null;
  useExport.setState({
    runId: known ? runId : null,
    caseId: caseId || null,
    scope: subject ? 'case' : known ? 'run' : 'project',
    readerId: useProject.getState().view?.readerId ?? null,
    report: null,
    failure: null,
  });
  useUi.getState().openPanel('export');
}

const lastRun = (): string | null => useRuns.getState().order.at(-1) ?? null;

/** Exports that ended before `export.start` was answered. */
const early = new Set<string>();

/** True where it is the export of this window's dialog. */
function ended(exportId: string): boolean {
  const { running } = useExport.getState();
  if (running?.exportId !== exportId) {
    early.add(exportId);
    return running === null;
  }
  return true;
}

export function connectExport(): void {
  on('export.progress', ({ exportId, done, total, name }) => {
    if (useExport.getState().running?.exportId !== exportId) return;
    useExport.setState({ running: { exportId, done, total, name } });
  });
  on('export.finished', ({ exportId, report }) => {
    if (!ended(exportId)) return;
    useExport.setState({ running: null, report });
    const leftOut = report.skipped.length > 0 ? `; ${report.skipped.length} left out` : '';
    useUi.getState().notify({
      tone: 'info',
      message:
        report.files > 0
          ? `Exported ${counted(report.runs, 'run')} into ${counted(report.files, 'file')}${leftOut}.`
          : 'Nothing was exported: the export dialog says why.',
    });
  });
  on('export.failed', ({ exportId, error }) => {
    if (!ended(exportId)) return;
    useExport.setState({ running: null, failure: error.code === 'cancelled' ? null : error });
    if (useUi.getState().panel !== 'export') useUi.getState().report(ReadroomError.fromPayload(error));
  });
}
