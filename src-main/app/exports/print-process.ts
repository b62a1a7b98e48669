/** An Electron without a window that prints pages for the command line (cli/page-printer.ts). */
import { writeFile } from 'node:fs/promises';
import { app } from 'electron';
import { z } from 'zod';
import { printPage } from './print-page.ts';

const jobSchema = z.strictObject({ page: z.string(), pdf: z.string() });

app.disableHardwareAcceleration();
// It stays between pages, and goes with the one who asked.
app.on('window-all-closed', () => undefined);
process.on('disconnect', () => app.exit(0));

process.on('message', async (message) => {
  try {
    await app.whenReady();
    const { page, pdf } = jobSchema.parse(message);
    await writeFile(pdf, await printPage(page));
    process.send?.('printed');
  } catch (thrown) {
    process.send?.(`failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
});
