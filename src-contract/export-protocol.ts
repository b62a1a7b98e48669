/**
 * What the application and the process of one export say to each other; channel and rules: method-channel.ts. Besides:
 *  1. A process does one `export`. Cancelling its call leaves nothing of the export.
 *  2. Pages are printed by the application, since only Electron can: `print` asks for it, `printed` answers. The page and
 *     the PDF are files of the child, and the child's to remove.
 */
import { z } from 'zod';
import { exportReportSchema, exportRequestSchema, readerSchema } from './project.ts';

const path = z.string().min(1).max(32_768);

export const exportMethods = {
  export: {
    params: z.strictObject({
      /** The project's file, which the project's process may have open too. */
      project: path,
      /** Who asks: whose blinding holds. */
      reader: readerSchema,
      request: exportRequestSchema,
      /** The folder to make. */
      folder: path,
    }),
    result: exportReportSchema,
  },
  printed: {
    params: z.strictObject({ printId: z.number().int().positive(), failure: z.string().nullable() }),
    result: z.object({}),
  },
} as const;
export type ExportMethods = typeof exportMethods;

export const exportEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), done: z.number(), total: z.number(), name: z.string() }),
  z.object({ type: z.literal('print'), printId: z.number().int().positive(), page: path, pdf: path }),
]);
export type ExportEvent = z.infer<typeof exportEventSchema>;
