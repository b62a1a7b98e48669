/** The work behind the export protocol: one export of a project, pages printed by the parent. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { ExportEvent, ExportMethods } from '../../../src-contract/export-protocol.ts';
import type { MethodParams, MethodResult } from '../../../src-contract/method-channel.ts';
import type { MethodHandlers } from '../../channel/server.ts';
import { Project } from '../../storage/project/project.ts';
import { exportRuns } from '../export-runs.ts';
import { projectRuns } from './project-runs.ts';

/** Progress is for eyes. */
const progressIntervalMs = 100;

export class ExportSession {
  readonly #emit: (event: ExportEvent) => void;
  readonly #printing = new Map<number, (failure: string | null) => void>();
  #prints = 0;

  constructor(emit: (event: ExportEvent) => void) {
    this.#emit = emit;
  }

  handlers(): MethodHandlers<ExportMethods> {
    return {
      export: (params, signal) => this.export(params, signal),
      printed: ({ printId, failure }) => {
        this.#printing.get(printId)?.(failure);
        return {};
      },
    };
  }

  async export(
    { project: file, reader, request, folder }: MethodParams<ExportMethods, 'export'>,
    signal: AbortSignal,
  ): Promise<MethodResult<ExportMethods, 'export'>> {
    const project = Project.open(file, { reader, trusted: true });
    const scratch = await mkdtemp(join(tmpdir(), 'readroom-print-'));
    let last = 0;
    try {
      const { runs, total } = projectRuns(project, request, true);
      const {
        files,
        runs: written,
        skipped,
      } = await exportRuns({
        runs,
        total,
        formats: request.formats,
        folder,
        identifiers: request.identifiers,
        signal,
        renderPdf: (html) => this.#print(html, scratch, signal),
        onProgress: (progress) => {
          const now = performance.now();
          if (progress.done < progress.total && now - last < progressIntervalMs) return;
          last = now;
          this.#emit({ type: 'progress', ...progress });
        },
      });
      return { files, runs: written, skipped: [...skipped] };
    } finally {
      project.close();
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #print(html: string, scratch: string, signal: AbortSignal): Promise<Uint8Array> {
    const printId = ++this.#prints;
    const [page, pdf] = [join(scratch, `${printId}.html`), join(scratch, `${printId}.pdf`)];
    await writeFile(page, html);
    const failure = await new Promise<string | null>((resolve, reject) => {
      const stop = (): void => reject(new ReadroomError('cancelled', 'The export was stopped.'));
      signal.addEventListener('abort', stop, { once: true });
      this.#printing.set(printId, (said) => {
        signal.removeEventListener('abort', stop);
        this.#printing.delete(printId);
        resolve(said);
      });
      this.#emit({ type: 'print', printId, page, pdf });
    });
    if (failure !== null) {
      throw new ReadroomError('internal', 'A page could not be printed to PDF.', {
        detail: failure,
        remedy: 'Export HTML, and print it from a browser.',
      });
    }
    const bytes = await readFile(pdf);
    await Promise.all([rm(page, { force: true }), rm(pdf, { force: true })]);
    return bytes;
  }
}
