/**
 * The report as one HTML file: no script, nothing loaded from anywhere, prints on A4 and Letter. Without the source files
 * it is made all the same, from what the trace holds.
 */
import type { ExportOptions, FormatWriter } from '../export-run.ts';
import type { OutputFolder } from '../output-folder.ts';
import { escapeHtml } from './escape.ts';
import { reportHtml } from './report.ts';
import { styles } from './styles.ts';

export async function openHtml(folder: OutputFolder, options: ExportOptions): Promise<FormatWriter> {
  const index = await folder.openFile('index.html');
  await index.write(
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Readroom reports</title>` +
      `<style>${styles}</style></head><body><main><h1>Readroom reports</h1><ol>`,
  );
  return {
    async add(item) {
      const file = `${item.name}.html`;
      await folder.write(file, await reportHtml(item, options));
      const { trace, answer } = item.findings;
      await index.write(
        `\n<li><a href="${file}">${escapeHtml(item.title)}</a>: ${escapeHtml(trace.question)} ` +
          `<strong>${escapeHtml(answer.text)}</strong></li>`,
      );
    },
    async finish() {
      await index.write('\n</ol></main></body></html>\n');
      await index.close();
    },
  };
}
