/** What goes into an export and what a format has to offer; the service in export-runs.ts brings the two together. */
import type { ExportFormat } from '../../src-contract/project.ts';
import type { Review } from '../../src-contract/review.ts';
import type { SourceFile } from '../../src-contract/study.ts';
import type { Trace } from '../../src-contract/trace.ts';
import type { Findings } from './findings.ts';
import type { OutputFolder } from './output-folder.ts';
import type { SourceImages } from './source-images.ts';

/** One run as a project or a trace file gives it. Runs of one case come one after another: pixels are read once then. */
export interface ExportRun {
  readonly runId: string;
  readonly caseId: string;
  readonly caseTitle: string;
  readonly trace: Trace;
  /** The corrections to lay over it; null: the model's own. */
  readonly review: Review | null;
  /** Who made them. */
  readonly reader: { readonly readerId: string; readonly name: string } | null;
  /** Where the pixels are now: the trace's own sources, or where they were found again. */
  readonly sources: readonly SourceFile[];
  /** Why nothing of this run may be written; absent where it may. */
  readonly withheld?: string;
}

export interface ExportOptions {
  /** Names, dates, paths and titles that may say who the patient is: only where asked for. */
  readonly identifiers: boolean;
  readonly signal?: AbortSignal;
  /** Makes a PDF of a page of HTML; absent where there is nothing that can. */
  readonly renderPdf?: (html: string) => Promise<Uint8Array>;
  /** Why there is none. */
  readonly whyNoPdf?: string;
}

/** One run, ready to be written. */
export interface RunToExport {
  readonly run: ExportRun;
  readonly findings: Findings;
  /** File name without suffix: unique in the export, safe on every system, without identifiers unless asked for. */
  readonly name: string;
  /** As the case is called in the export. */
  readonly title: string;
  /** As the reader is called in the export; null without a review. */
  readonly readerName: string | null;
  readonly images: SourceImages;
}

/** Writes one format. `add` throws NotExportable for a run that the format can't hold; nothing of it is written then. */
export interface FormatWriter {
  add(run: RunToExport): Promise<void>;
  /** After the last run. */
  finish(): Promise<void>;
  /** Frees what is open; called in any case, after `finish` too. */
  close?(): Promise<void>;
}

export type OpenWriter = (folder: OutputFolder, options: ExportOptions) => Promise<FormatWriter>;

/** Why a run is left out of a format: told, never fatal. */
export class NotExportable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'NotExportable';
  }
}

export interface ExportProgress {
  readonly done: number;
  readonly total: number;
  /** What was written last. */
  readonly name: string;
}

export interface ExportResult {
  readonly files: number;
  readonly runs: number;
  readonly skipped: readonly {
    readonly runId: string;
    readonly format: ExportFormat;
    readonly reason: string;
  }[];
}
