/** The process of one export. Bundled to out/main/export-host.js; runs under utilityProcess and under fork. */
import { type ExportEvent, exportMethods } from '../../../src-contract/export-protocol.ts';
import { parentOfProcess } from '../../channel/parent-port.ts';
import { serveMethods } from '../../channel/server.ts';
import { ExportSession } from './session.ts';

serveMethods<typeof exportMethods, ExportEvent>(parentOfProcess(), {
  methods: exportMethods,
  handlers: (emit) => new ExportSession(emit).handlers(),
  onClose: () => process.exit(0),
});
