/** Calls of export: a dialog for the folder here, the work in a process of its own (exports.ts). */
import type { exportCalls } from '../../../src-contract/project-channels.ts';
import type { CallHandlers } from '../../ipc/router.ts';
import type { Services } from '../handlers.ts';

export type ExportHandlers = Pick<CallHandlers, keyof typeof exportCalls>;

export function exportHandlers({ exports, dialogs }: Services): ExportHandlers {
  return {
    'export.start': async (request) => {
      const parent = await dialogs.pickExportFolder();
      return parent === null ? null : exports.start(request, parent);
    },
    'export.cancel': ({ exportId }) => {
      exports.cancel(exportId);
      return {};
    },
  };
}
