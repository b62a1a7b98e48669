/** The HTML report as PDF. Who calls the export says what prints a page (Electron's own, see app/print-page.ts). */
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
      await folder.write(`${item.name}.pdf`, await renderPdf(await reportHtml(item, options)));
    },
    finish: async () => undefined,
  };
}
