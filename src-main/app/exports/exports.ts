/** Exports of the open project: a process each, progress and pages to print by the way. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toReadroomError } from '../../../src-contract/errors.ts';
import type { ExportEvent } from '../../../src-contract/export-protocol.ts';
import type { ExportRequest } from '../../../src-contract/project.ts';
import type { Transport } from '../../engine/host/transport.ts';
import { ExportProcess } from '../../exports/host/client.ts';
import type { Projects } from '../projects/projects.ts';
import type { Emit } from '../studies/studies.ts';

export interface ExportsOptions {
  readonly transport: Transport;
  readonly projects: Pick<Projects, 'place'>;
  readonly emit: Emit;
  /** An HTML file to the bytes of a PDF. */
  readonly printPage: (file: string) => Promise<Uint8Array>;
}

interface Running {
  readonly process: ExportProcess;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class Exports {
  readonly #options: ExportsOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  /** Begins an export into a new folder of `parent`; how it goes on comes as events. */
  async start(request: ExportRequest, parent: string): Promise<{ exportId: string }> {
    const { path, reader } = await this.#options.projects.place();
    const exportId = randomUUID();
    const process = new ExportProcess(this.#options.transport, {
      onEvent: (event) => this.#hear(exportId, process, event),
      // The call that is under way fails with it.
      onDeath: () => undefined,
    });
    const stop = new AbortController();
    const params = { project: path, reader, request, folder: join(parent, folderName(new Date())) };
    const ended = this.#run(exportId, process.call('export', params, stop.signal)).finally(() => {
      this.#running.delete(exportId);
      return process.dispose();
    });
    this.#running.set(exportId, { process, stop, ended });
    return { exportId };
  }

  cancel(exportId: string): void {
    this.#running.get(exportId)?.stop.abort();
  }

  /** Stops all of them, and waits until nothing of them is left. */
  async dispose(): Promise<void> {
    const all = [...this.#running.values()];
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ ended }) => ended));
  }

  async #run(exportId: string, call: ReturnType<ExportProcess['call']>): Promise<void> {
    const { emit } = this.#options;
    try {
      const report = (await call) as Awaited<ReturnType<typeof ExportProcess.prototype.call<'export'>>>;
      emit('export.finished', { exportId, report });
    } catch (thrown) {
      emit('export.failed', { exportId, error: toReadroomError(thrown).toPayload() });
    }
  }

  #hear(exportId: string, process: ExportProcess, event: ExportEvent): void {
    switch (event.type) {
      case 'progress':
        this.#options.emit('export.progress', {
          exportId,
          done: event.done,
          total: event.total,
          name: event.name,
        });
        break;
      case 'print':
        void this.#print(process, event);
        break;
    }
  }

  async #print(
    process: ExportProcess,
    { printId, page, pdf }: Extract<ExportEvent, { type: 'print' }>,
  ): Promise<void> {
    let failure: string | null = null;
    try {
      await writeFile(pdf, await this.#options.printPage(page));
    } catch (thrown) {
      failure = toReadroomError(thrown).message;
    }
    // An export that was stopped meanwhile waits for no page.
    await process.call('printed', { printId, failure }).catch(() => undefined);
  }
}

/** 'Readroom export 2026-11-25 22.10.05', in local time. */
function folderName(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `Readroom export ${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join('.')}`;
}
