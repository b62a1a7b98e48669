/** The HTML report as PDF. Who calls the export says what prints a page (Electron's own, see app/exports/print-page.ts). */
import { ReadroomError } from '../../../src-contract/errors.ts';
import { type ExportOptions, type FormatWriter, NotExportable } from '../export-run.ts';
import type { OutputFolder } from '../output-folder.ts';
import { reportHtml } from './report.ts';

export async function openPdf(folder: OutputFolder, options: ExportOptions): Promise<FormatWriter> {
  const { renderPdf, whyNoPdf = 'There is nothing here that prints pages; export HTML.' } = options;
  return {
    async add(item) {
      if (!renderPdf) {
        throw new NotExportable(whyNoPdf);
      }
      const html = await reportHtml(item, options);
      await folder.write(`${item.name}.pdf`, await printed(() => renderPdf(html)));
    },
    finish: async () => undefined,
  };
}

/** One page that can't be printed is no reason to give up the others. */
async function printed(print: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await print();
  } catch (thrown) {
    if (thrown instanceof ReadroomError && thrown.code !== 'cancelled') {
      throw new NotExportable([thrown.message, thrown.remedy].filter(Boolean).join(' '));
    }
    throw thrown;
  }
}
